package main

import (
	"embed"
	"html/template"
	"log"
	"net/http"
)

// A page is what there is to show.
type page struct {
	Name    string // of the visitor; empty: no visitor is signed in
	Friends []person
	Notice  string // what went wrong
}

var (
	//go:embed page.html
	pageText     string
	pageTemplate = template.Must(template.New("page").Parse(pageText))

	//go:embed style.css
	style embed.FS
)

func show(w http.ResponseWriter, status int, p page) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pageTemplate.Execute(w, p); err != nil {
		log.Print("page: ", err)
	}
}

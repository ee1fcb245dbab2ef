package oauth

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A form is a form of an HTML page, as far as signing in needs it.
type form struct {
	method, action string
	fields         url.Values      // what a browser would send if nobody typed anything
	typed          map[string]bool // fields in which a human types
	buttons        map[string]bool // fields that send the form
}

// hasAll reports whether f has all of these fields or buttons.
func (f *form) hasAll(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !f.fields.Has(name) && !f.buttons[name] })
}

// asksOnlyFor reports whether nothing is to be typed but these fields.
func (f *form) asksOnlyFor(names ...string) bool {
	for name := range f.typed {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}

// parseForms returns the forms of a page in their order.
//
// It reads tags instead of building a tree. A field belongs to the form whose
// tag was the last to open, which for a form inside a table is not its
// ancestor in the tree. It takes linear time and no recursion, whatever a page
// consists of.
func parseForms(page []byte) []*form {
	var p formParser
	tags := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch tags.Next() {
		case html.ErrorToken:
			return p.forms
		case html.StartTagToken, html.SelfClosingTagToken:
			p.open(tags.Token())
		case html.EndTagToken:
			p.close(tags.Token())
		}
	}
}

type formParser struct {
	forms    []*form
	current  *form // nil: outside any form
	template int   // depth: what is inside a template does not exist
}

func (p *formParser) open(t html.Token) {
	switch {
	case t.DataAtom == atom.Template:
		p.template++
	case p.template > 0:
	case t.DataAtom == atom.Form && p.current == nil: // a form in a form is ignored
		p.current = newForm(t)
		p.forms = append(p.forms, p.current)
	case p.current != nil && (t.DataAtom == atom.Input || t.DataAtom == atom.Button):
		p.current.add(t)
	}
}

func (p *formParser) close(t html.Token) {
	switch {
	case t.DataAtom == atom.Template:
		p.template = max(0, p.template-1)
	case t.DataAtom == atom.Form && p.template == 0:
		p.current = nil
	}
}

func newForm(t html.Token) *form {
	method, _ := attribute(t, "method")
	action, _ := attribute(t, "action")
	return &form{
		method:  strings.ToUpper(strings.TrimSpace(method)),
		action:  strings.TrimSpace(action),
		fields:  make(url.Values),
		typed:   make(map[string]bool),
		buttons: make(map[string]bool),
	}
}

// add adds a field. OK's pages want every field back that is no button, the
// checkboxes too, checked or not.
func (f *form) add(t html.Token) {
	name, _ := attribute(t, "name")
	if _, disabled := attribute(t, "disabled"); disabled || name == "" {
		return
	}
	value, _ := attribute(t, "value")
	kind, _ := attribute(t, "type")
	switch kind = strings.ToLower(kind); {
	case t.DataAtom == atom.Button, kind == "submit", kind == "image", kind == "button":
		f.buttons[name] = true
	case kind == "reset", kind == "file":
	case kind == "radio" && !checked(t):
	default:
		f.fields.Add(name, value)
		if kind != "hidden" && kind != "checkbox" && kind != "radio" {
			f.typed[name] = true
		}
	}
}

func checked(t html.Token) bool {
	_, ok := attribute(t, "checked")
	return ok
}

func attribute(t html.Token, name string) (string, bool) {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

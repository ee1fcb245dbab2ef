package okcall

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A header whose name was put into the map as it is counts, as it does for the
// server: net/http writes it.
func TestIsForm(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		header http.Header
		want   bool
	}{
		{http.Header{"Content-Type": {form}}, true},
		{http.Header{"content-type": {form}}, true},
		{http.Header{"CONTENT-TYPE": {form + "; charset=utf-8"}}, true},
		{http.Header{"content-Type": {" Application/X-WWW-Form-Urlencoded ;x"}}, true},
		{http.Header{"Content-Type": {"text/plain"}, "content-type": {form}}, false},
		{http.Header{"content-type": {"text/plain"}}, false},
		{http.Header{"content-type": {}}, false},
		{http.Header{"content-types": {form}}, false},
		{nil, false},
	} {
		r, _ := http.NewRequest("POST", "https://api.ok.ru/fb.do", strings.NewReader("method=users.getInfo"))
		r.Header = test.header
		if got := IsForm(r); got != test.want {
			t.Errorf("%v: IsForm is %t", test.header, got)
		}
		if got := Method(r); (got == "users.getInfo") != test.want {
			t.Errorf("%v: Method is %q", test.header, got)
		}
	}
}

// A GetBody that fails or returns nil names no method, and panics nowhere.
func TestMethodOfABrokenBody(t *testing.T) {
	for name, getBody := range map[string]func() (io.ReadCloser, error){
		"nil":    func() (io.ReadCloser, error) { return nil, nil },
		"failed": func() (io.ReadCloser, error) { return nil, io.ErrUnexpectedEOF },
		"none":   nil,
	} {
		r, _ := http.NewRequest("POST", "https://api.ok.ru/fb.do", strings.NewReader("method=users.getInfo"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.GetBody = getBody
		if got := Method(r); got != "" {
			t.Errorf("%s: Method is %q", name, got)
		}
	}
}

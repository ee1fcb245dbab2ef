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
		for range 20 { // maps have no order
			if got := IsForm(r); got != test.want {
				t.Errorf("%v: IsForm is %t", test.header, got)
			}
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

// A form needs a body, and a verb that has one.
func TestIsFormNeedsABody(t *testing.T) {
	for _, test := range []struct {
		verb string
		body io.ReadCloser
		want bool
	}{
		{"POST", io.NopCloser(strings.NewReader("a=b")), true},
		{"POST", nil, false},
		{"POST", http.NoBody, false},
		{"GET", io.NopCloser(strings.NewReader("a=b")), false},
		{"PUT", io.NopCloser(strings.NewReader("a=b")), false},
	} {
		r := &http.Request{Method: test.verb, Body: test.body, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
		if got := IsForm(r); got != test.want {
			t.Errorf("%s with a %T: IsForm is %t", test.verb, test.body, got)
		}
	}
}

// A method of the Graph API is its path without ids.
func TestMethodOfAPath(t *testing.T) {
	for path, want := range map[string]string{
		"/graph/me/chats":                   "graph/me/chats",
		"/graph/me/chats/":                  "graph/me/chats",
		"/graph/chat:C1/messages":           "graph/{id}/messages",
		"/graph/me/messages/mid.0-1":        "graph/me/messages/{id}",
		"/graph/me//x":                      "graph/me//x",
		"/graph/me//7":                      "graph/me/{id}/{id}",
		"/graph/@/[/" + "`/{/AZaz":          "graph/{id}/{id}/{id}/{id}/AZaz",
		"/api/users/getInfo":                "users.getInfo",
		"/api/users/getInfo?method=ignored": "users.getInfo",
		"/fb.do?a=1&%6Dethod=users.getInfo": "users.getInfo",
		"/fb.do?metho%64=users.get%49nfo":   "users.getInfo",
		"/fb.do?methods=1&%=2&method=%":     "",
		"/fb.do?method=%&method=a.b":        "a.b",
		"/fb.do?method=a.b&method=c.d":      "a.b",
		"/fb.do?method=a+b&text=method":     "a b",
	} {
		r, err := http.NewRequest("GET", "https://api.ok.ru"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := Method(r); got != want {
			t.Errorf("%s: Method is %q, want %q", path, got, want)
		}
	}
}

package okcall

// This file finds the API method of a call: in the path, the query or the form.

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-okru/okru/internal/param"
)

// MaxForm is the length of the longest form, in bytes, that a Signer signs
// and that Method reads. It is what net/http allows a server's forms.
const MaxForm = 10 << 20

// Method returns the API method that r calls, such as "users.getInfo", from
// the path, the query or the form, in this order, on any host. That of a Graph
// call is its path without ids, such as "graph/me/messages/{id}". Method reads
// the form by [NewBody], so that r stays as it is. It returns "" if r names no
// method.
func Method(r *http.Request) string {
	if r == nil || r.URL == nil {
		return ""
	}
	if m := MethodInURL(r.URL); m != "" || r.URL.Path != "/fb.do" {
		return m
	}
	return methodIn(form(r))
}

// MethodInURL returns the API method that u names in its path or its query, or
// "".
func MethodInURL(u *url.URL) string {
	switch {
	case u.Path == "/fb.do":
		return methodIn(u.RawQuery)
	case IsGraphPath(u.Path):
		return graphMethod(u.Path)
	}
	return MethodInPath(u.Path)
}

// MethodInPath returns the API method that path names, such as
// /api/users/getInfo, or "".
func MethodInPath(path string) string {
	// The API has the same methods under both paths: users.getInfo is
	// /api/users/getInfo.
	group, name, ok := splitPath(path)
	if !ok {
		return ""
	}
	return group + "." + name
}

// IsForm reports whether r is a POST with parameters in its body.
func IsForm(r *http.Request) bool {
	if r.Method != http.MethodPost || r.Body == nil || r.Body == http.NoBody {
		return false
	}
	kind, _, _ := strings.Cut(Header(r.Header, "Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

// Header returns the first value in h for a name in its canonical form. Unlike
// h.Get, it finds a name that was put into the map in another spelling:
// net/http sends it as well.
func Header(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	for key, values := range h {
		if len(values) > 0 && strings.EqualFold(key, name) {
			return values[0]
		}
	}
	return ""
}

// form returns the form of r, read from a copy of the body, or "" if r has none or
// its body cannot be read twice.
func form(r *http.Request) string {
	if !IsForm(r) || r.GetBody == nil {
		return ""
	}
	body, err := NewBody(r)
	if err != nil {
		return ""
	}
	defer body.Close()
	text, _ := io.ReadAll(io.LimitReader(body, MaxForm))
	return string(text)
}

// methodIn returns the value of the first parameter method in the text of a
// query or a form.
func methodIn(text string) string {
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		name, value, _ := strings.Cut(pair, "=")
		if strings.IndexByte(pair, '%') < 0 && strings.IndexByte(pair, '+') < 0 { // nearly always
			if name == param.Method {
				return value
			}
			continue
		}
		if name, _ = url.QueryUnescape(name); name != param.Method {
			continue
		}
		if method, err := url.QueryUnescape(value); err == nil {
			return method
		}
	}
	return ""
}

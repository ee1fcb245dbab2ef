package apicall

import (
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-okru/okru/internal/param"
)

// maxForm bounds how much of a form is read to find its method. It is the
// longest form that a Signer signs.
const maxForm = 10 << 20

// Path tells whether path is one of the two of the REST API: /fb.do, where a
// parameter names the method, or /api/GROUP/NAME, whose method it returns.
func Path(path string) (method string, ok bool) {
	if path == "/fb.do" {
		return "", true
	}
	group, name, ok := split(path)
	if !ok {
		return "", false
	}
	return group + "." + name, true
}

// IsPath is Path without the method, and so without an allocation.
func IsPath(path string) bool {
	if path == "/fb.do" {
		return true
	}
	_, _, ok := split(path)
	return ok
}

// IsCall tells whether a request to u is an API call, for those who do not know
// the hosts of the API. Many services have paths like /api/GROUP/NAME, so these
// count only on ok.ru and on loopback hosts, where a fake or a proxy may be.
func IsCall(u *url.URL) bool {
	if u.Path == "/fb.do" {
		return true
	}
	_, _, ok := split(u.Path)
	return ok && (isOK(u.Hostname()) || IsLoopback(u.Hostname()))
}

func isOK(host string) bool {
	host = strings.ToLower(host)
	return host == "ok.ru" || strings.HasSuffix(host, ".ok.ru")
}

// IsLoopback tells whether host is this machine.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func split(path string) (group, name string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		return "", "", false
	}
	group, name, ok = strings.Cut(rest, "/")
	return group, name, ok && group != "" && name != "" && !strings.Contains(name, "/")
}

// Method returns the API method that r calls, such as "users.getInfo", from
// the path, the query or the form, in this order. The form is read through
// GetBody, so that r stays as it is. It returns "" if r is no call that IsCall
// knows, or names no method.
func Method(r *http.Request) string {
	if r == nil || r.URL == nil || !IsCall(r.URL) {
		return ""
	}
	return MethodOfCall(r)
}

// MethodOfCall is Method for what is known to be an API call, whatever its
// host.
func MethodOfCall(r *http.Request) string {
	if r == nil || r.URL == nil {
		return ""
	}
	if method, ok := Path(r.URL.Path); method != "" || !ok {
		return method
	}
	if m := first(r.URL.RawQuery); m != "" {
		return m
	}
	return first(form(r))
}

// IsForm tells whether r is a POST with parameters in its body.
func IsForm(r *http.Request) bool {
	if r.Method != http.MethodPost || r.Body == nil || r.Body == http.NoBody {
		return false
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

func form(r *http.Request) string {
	if !IsForm(r) || r.GetBody == nil {
		return ""
	}
	body, err := r.GetBody()
	if err != nil {
		return ""
	}
	defer body.Close()
	text, _ := io.ReadAll(io.LimitReader(body, maxForm))
	return string(text)
}

// first finds the method in the text of a query or a form.
func first(text string) string {
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		name, value, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err != nil || name != param.Method {
			continue
		}
		if method, err := url.QueryUnescape(value); err == nil {
			return method
		}
	}
	return ""
}

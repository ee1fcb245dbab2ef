package okcall

import (
	"net/url"
	"strings"
)

// Path reports whether path is one of the two of the REST API, and returns the
// method of /api/GROUP/NAME.
func Path(path string) (method string, ok bool) { return MethodInPath(path), isCallPath(path) }

// IsPath is Path without the method.
func IsPath(path string) bool { return isCallPath(path) }

// IsCall reports whether a request to u is an API call, for layers that do not
// know the hosts of the API.
func IsCall(u *url.URL) bool {
	name := strings.ToLower(u.Hostname())
	return u.Path == "/fb.do" || isCallPath(u.Path) && (name == "ok.ru" || strings.HasSuffix(name, ".ok.ru") || IsLoopback(name))
}

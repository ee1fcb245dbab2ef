package okvcr

import (
	"net/http"
	"regexp"
	"strings"
)

// kept are the headers that keep their values, in canonical form.
var kept = setOf("Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Accept-Ranges", "Age", "Allow", "Cache-Control",
	"Connection", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-Range",
	"Content-Type", "Date", "Etag", "Expires", "Host", "If-Modified-Since", "If-None-Match", "Invocation-Error", "Keep-Alive",
	"Last-Modified", "Link", "Location", "Origin", "Pragma", "Range", "Referer", "Refresh", "Retry-After", "Server", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "User-Agent", "Vary", "Via", "Warning", "Wmf-Invocation-Error")

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// header returns a copy of h without secrets.
func (c *cleaner) header(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	cleaned := make(http.Header, len(h))
	for name, values := range h {
		for _, value := range values {
			cleaned[name] = append(cleaned[name], c.field(http.CanonicalHeaderKey(name), value))
		}
	}
	return cleaned
}

// field returns the value of one header without secrets.
func (c *cleaner) field(name, value string) string {
	switch {
	case name == "Set-Cookie":
		return c.setCookie(value)
	case name == "Location" || name == "Content-Location" || name == "Referer":
		return c.url(value)
	case kept[name]:
		return c.text(value)
	}
	c.remember(name, value)
	if value == "" || isMark(value) {
		return value
	}
	return c.mark
}

// remember remembers the secrets of a header that is not kept.
func (c *cleaner) remember(name, value string) {
	switch {
	case name == "Cookie":
		for pair := range strings.SplitSeq(value, ";") {
			_, value, _ := strings.Cut(pair, "=")
			c.secret(value)
		}
	case name == "Authorization" || name == "Proxy-Authorization":
		_, credentials, _ := strings.Cut(value, " ")
		c.secret(credentials)
	case isSecret(name):
		c.secret(value)
	}
}

var cookie = regexp.MustCompile(`^(\s*[^=;]*=)([^;]*)`)

// setCookie keeps the name and the attributes of a cookie.
func (c *cleaner) setCookie(value string) string {
	g := cookie.FindStringSubmatch(value)
	if g == nil {
		return c.secret(value)
	}
	return g[1] + c.secret(g[2]) + value[len(g[0]):]
}

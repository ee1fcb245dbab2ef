package chaos

import (
	"io"
	"net/http"
	"net/url"

	"github.com/go-okru/okru/transport"
)

// A function as a layer.
type layered struct {
	next http.RoundTripper
	send func(next http.RoundTripper, r *http.Request) (*http.Response, error)
}

func (l layered) RoundTrip(r *http.Request) (*http.Response, error) { return l.send(l.next, r) }

func (l layered) CloseIdleConnections() {
	l.next.(interface{ CloseIdleConnections() }).CloseIdleConnections()
}

func layer(f func(next http.RoundTripper, r *http.Request) (*http.Response, error)) transport.Middleware {
	return func(next http.RoundTripper) http.RoundTripper { return layered{next, f} }
}

// discard lets the connection be used again.
func discard(resp *http.Response) {
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func isCall(r *http.Request) bool { return r.URL.Path == "/fb.do" }

// params returns the parameters of a call as it leaves its caller.
func params(r *http.Request) url.Values {
	p, _ := url.ParseQuery(r.URL.RawQuery + "&" + formOf(r))
	return p
}

package oktest

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Transport returns a RoundTripper that reaches the fake under the real URLs
// https://api.ok.ru and https://connect.ok.ru, over TLS on the loopback
// interface. Nothing leaves the machine: any other host or port, and plain
// http, is refused with an error before anything is dialled. Such an error has
// a method Terminal() bool that returns true.
//
// Every call returns the same RoundTripper, so that all users share its
// connections, which speak HTTP/1.1. It is an [*http.Transport], and it may be
// cloned to change something. It opens a listener at the first call, and
// panics if there is none to open. It is safe for concurrent use by multiple
// goroutines.
func (s *Server) Transport() http.RoundTripper {
	n := &s.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.transport == nil {
		certificate, roots := newCertificate(apiHost, connectHost)
		n.secured = n.serve(s.Handler(), &tls.Config{Certificates: []tls.Certificate{certificate}})
		n.transport = n.newTransport(n.secured.Addr(), &tls.Config{RootCAs: roots})
	}
	return n.transport
}

func (n *network) newTransport(to net.Addr, config *tls.Config) *http.Transport {
	var dialer net.Dialer
	return &http.Transport{
		// The proxy function is the first thing that a Transport asks about
		// a request, and an error from it the last.
		Proxy: func(r *http.Request) (*url.URL, error) { return nil, n.refusal(r.URL) },
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, to.String())
		},
		TLSClientConfig:     config,
		MaxIdleConnsPerHost: 128,
	}
}

func (n *network) refusal(u *url.URL) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return errClosed
	}
	return foreign(u)
}

// foreign returns why a request must not be sent to u, or nil.
func foreign(u *url.URL) error {
	host := strings.EqualFold(u.Hostname(), apiHost) || strings.EqualFold(u.Hostname(), connectHost)
	port := u.Port() == "" || u.Port() == "443"
	switch {
	case host && port && u.Scheme == "https":
		return nil
	case host && port:
		return refusal("okru: oktest: " + u.Scheme + "://" + u.Host + " is refused: OK is reached by https only")
	default:
		return refusal("okru: oktest: " + u.Host + " is refused: only https://" + apiHost + " and https://" + connectHost + " lead to the fake")
	}
}

// refusal says why the fake is not even asked.
type refusal string

const errClosed refusal = "okru: oktest: the server is closed"

func (e refusal) Error() string { return string(e) }

// Terminal tells a layer that repeats requests not to.
func (refusal) Terminal() bool { return true }

package transport

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-okru/okru/internal/apicall"
)

// apiHost is where the API lives.
const apiHost = "api.ok.ru"

// A host is an address that calls may be signed for.
type host struct {
	name     string // in lower case, without the port that https implies
	loopback bool   // may use http
}

func parseHosts(names []string) ([]host, error) {
	if len(names) == 0 {
		return []host{{name: apiHost}}, nil
	}
	hosts := make([]host, len(names))
	var faults []error
	for i, name := range names {
		u, err := url.Parse("https://" + name)
		if err != nil || u.Host != name || u.Hostname() == "" || strings.HasSuffix(name, ":") {
			faults = append(faults, fmt.Errorf("okru: Hosts has %q, which is no host; write it as %q or \"127.0.0.1:8080\", without scheme and path", name, apiHost))
			continue
		}
		hosts[i] = host{name: normal(name), loopback: apicall.IsLoopback(u.Hostname())}
	}
	return hosts, errors.Join(faults...)
}

func normal(name string) string { return strings.TrimSuffix(strings.ToLower(name), ":443") }

// isCall tells whether a request to u is an API call, and with an error that
// it is one which must not be sent.
func (s *signer) isCall(u *url.URL) (bool, error) {
	if u == nil || u.Opaque != "" || !apicall.IsPath(u.Path) {
		return false, nil
	}
	h, other := s.host(u), false
	if h == nil && u.Scheme == "http" {
		other = true
		h = s.host(&url.URL{Host: strings.TrimSuffix(u.Hostname(), ".")}) // plain http to any port of the API
	}
	switch {
	case h == nil:
		return false, nil
	case other && h.loopback:
		return false, nil // of another program
	case u.Scheme == "https", u.Scheme == "http" && h.loopback:
		return true, nil
	case u.Scheme == "http":
		return true, refuse("a call over plain http would show its session to anyone on the way; use https://%s", h.name)
	}
	return false, nil
}

// host returns the host that u names, or nil if it is none of ours.
func (s *signer) host(u *url.URL) *host {
	name := u.Host
	for range 2 {
		for i := range s.hosts {
			if s.hosts[i].name == name {
				return &s.hosts[i]
			}
		}
		if name = normal(u.Host); name == u.Host {
			break
		}
	}
	if bare, ok := strings.CutSuffix(name, ":80"); ok && u.Scheme == "http" {
		return s.host(&url.URL{Host: bare})
	}
	return nil
}

package transport

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-okru/okru/internal/okcall"
)

// apiHost is where the API lives.
const apiHost = "api.ok.ru"

// A host is an address that calls may be signed for.
type host struct {
	address  string // as in Hosts, in lower case
	name     string // without port and brackets
	port     string // empty: the default of the scheme
	loopback bool   // may use http
}

func parseHosts(names []string) ([]host, error) {
	if len(names) == 0 {
		names = []string{apiHost}
	}
	hosts := make([]host, len(names))
	var faults []error
	for i, name := range names {
		u, err := url.Parse("https://" + strings.ToLower(name))
		if err != nil || !strings.EqualFold(u.Host, name) || u.Hostname() == "" || strings.HasSuffix(name, ":") {
			faults = append(faults, fmt.Errorf("okru: Hosts has %q, which is no host; write it as %q or \"127.0.0.1:8080\", without scheme and path", name, apiHost))
			continue
		}
		hosts[i] = host{address: u.Host, name: u.Hostname(), port: u.Port(), loopback: okcall.IsLoopback(u.Hostname())}
	}
	return hosts, errors.Join(faults...)
}

// isCall reports whether a request to u is an API call, and with an error that
// it is one which must not be sent.
func (s *signer) isCall(u *url.URL) (bool, error) {
	if u == nil || u.Opaque != "" || !okcall.IsPath(u.Path) {
		return false, nil
	}
	if u.Scheme == "https" && u.Host == s.hosts[0].address {
		return true, nil // as nearly always
	}
	for i := range s.hosts {
		if is, err := s.hosts[i].serves(u); is {
			return true, err
		}
	}
	return false, nil
}

// serves is isCall for one host. Another port of a loopback host is that of
// another program, while plain http to any port of the API is a mistake.
func (h *host) serves(u *url.URL) (bool, error) {
	name := strings.ToLower(u.Hostname())
	listens := h.name == name && portOf(u.Scheme, h.port) == portOf(u.Scheme, u.Port())
	switch {
	case u.Scheme == "https", u.Scheme == "http" && h.loopback:
		return listens, nil
	case u.Scheme == "http" && (listens || h.port == "" && h.name == strings.TrimSuffix(name, ".")):
		return true, refuse("a call over plain http would show its session to anyone on the way; use https://%s", h.address)
	}
	return false, nil
}

// portOf returns port, or what scheme implies if there is none.
func portOf(scheme, port string) string {
	switch {
	case port != "":
		return port
	case scheme == "http":
		return "80"
	}
	return "443"
}

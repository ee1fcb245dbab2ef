// Package okcall defines what an API call is: which requests are calls, which
// method a call names, and what its context says about it.
package okcall

// This file has the hosts of the API. With path.go it is the definition of an API
// call.

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// apiHost is the host of the API: see https://apiok.ru/en/dev/methods.
const apiHost = "api.ok.ru"

// Hosts are the hosts of the API. Their method KindOf is the definition of an API
// call, for every layer of a stack.
type Hosts struct {
	hosts []host
	first string // the address of the first one, to which nearly all calls go
}

// A host is an address that calls may be signed for.
type host struct {
	address  string // as given, in lower case
	name     string // without port and brackets
	port     string // empty: the default of the scheme
	loopback bool   // may use http
}

// Default are the Hosts of a layer that has no Signer below it: api.ok.ru.
var Default = &Hosts{hosts: []host{{address: apiHost, name: apiHost}}, first: apiHost}

// ParseHosts returns the Hosts with these addresses, such as "api.ok.ru" or
// "127.0.0.1:8080"; by default, api.ok.ru. The error joins all faults; the Hosts
// are then those by default.
func ParseHosts(addresses []string) (*Hosts, error) {
	if len(addresses) == 0 {
		addresses = []string{apiHost}
	}
	h := &Hosts{hosts: make([]host, len(addresses))}
	var faults []error
	for i, address := range addresses {
		u, err := url.Parse("https://" + strings.ToLower(address))
		if err != nil || !strings.EqualFold(u.Host, address) || u.Hostname() == "" || strings.HasSuffix(address, ":") {
			faults = append(faults, fmt.Errorf("okru: Hosts has %q, which is not a host; write it as %q or \"127.0.0.1:8080\", without scheme and path", address, apiHost))
			continue
		}
		h.hosts[i] = host{address: u.Host, name: u.Hostname(), port: u.Port(), loopback: IsLoopback(u.Hostname())}
	}
	if err := errors.Join(faults...); err != nil {
		return Default, err
	}
	h.first = h.hosts[0].address
	return h, nil
}

// Endpoint returns the URL of the first host, without a path: over http if it
// is a loopback host, else over https.
func (h *Hosts) Endpoint() string {
	if h.hosts[0].loopback {
		return "http://" + h.first
	}
	return "https://" + h.first
}

// KindOf returns which API a request to u calls: the REST API by /fb.do or
// /api/GROUP/NAME, or the Graph API by a path below /graph/, on one of the hosts.
func (h *Hosts) KindOf(u *url.URL) Kind {
	if u == nil || u.Opaque != "" {
		return NoCall
	}
	kind := kindOf(u.Path)
	isUsual := u.Scheme == "https" && u.Host == h.first
	if kind != NoCall && !isUsual && h.find(u) == nil {
		return NoCall
	}
	return kind
}

// IsCall reports whether a request to u is an API call.
func (h *Hosts) IsCall(u *url.URL) bool { return h.KindOf(u) != NoCall }

// Check returns an error if a request to u must not be sent: an API call over
// plain http, or a request whose path is a misspelled call. The error of a
// misspelled call shows the spelling that was meant.
func (h *Hosts) Check(u *url.URL) error {
	if u == nil || u.Opaque != "" {
		return nil
	}
	// A path with a RawPath has an escape that the server may read in another way,
	// such as %2F: it is no call of the REST API, but looks like one. Ids in a
	// Graph path have escapes.
	kind := kindOf(u.Path)
	isCall := kind == REST && u.RawPath == "" || kind == Graph
	if isCall && u.Scheme == "https" || !isCall && !beginsLikeCall(u.Path) {
		return nil
	}
	host := h.find(u)
	switch {
	case host == nil:
		return nil
	case u.Scheme == "http" && !host.loopback:
		return fmt.Errorf("okru: a call over plain http would show its session to anyone on the way; use https://%s", host.address)
	case isCall:
		return nil
	}
	return misspelled(u)
}

// String returns the addresses of the hosts.
func (h *Hosts) String() string {
	addresses := make([]string, len(h.hosts))
	for i := range h.hosts {
		addresses[i] = h.hosts[i].address
	}
	return strings.Join(addresses, ", ")
}

// find returns the host that a request to u is sent to, or nil.
func (h *Hosts) find(u *url.URL) *host {
	for i := range h.hosts {
		if h.hosts[i].serves(u) {
			return &h.hosts[i]
		}
	}
	return nil
}

// serves reports whether u is an address of h. Another port of a loopback host
// belongs to another program, while plain http to any port of another host is
// a mistake.
func (h *host) serves(u *url.URL) bool {
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") // a dot marks a complete name
	listens := h.name == name && portOf(u.Scheme, h.port) == portOf(u.Scheme, u.Port())
	switch u.Scheme {
	case "https":
		return listens
	// A host that is not a loopback host serves no calls over http. It is found
	// all the same, so that Check rejects such a call instead of sending it
	// unsigned.
	case "http":
		return listens || !h.loopback && h.port == "" && h.name == name
	}
	return false
}

// portOf returns port, or the default port of scheme if port is empty.
func portOf(scheme, port string) string {
	switch {
	case port != "":
		return port
	case scheme == "http":
		return "80"
	}
	return "443"
}

// IsLoopback reports whether host is this machine.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, _ := netip.ParseAddr(host) // else the zero Addr, which is not loopback
	return ip.IsLoopback()
}

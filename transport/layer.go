package transport

// This file has what the layers of a Signer and a Group have in common: each knows
// the hosts of the API, and gives a secret to calls on them and to nothing else.

import (
	"fmt"
	"net/http"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A hostLayer is the part of a layer that decides which requests may be sent.
type hostLayer struct {
	roundtrip.Base       // with the Hosts of the settings
	fault          error // of the settings, Hosts included; nil: none
	isLost         bool  // Hosts is wrong: it is not known which requests are calls
}

// newHostLayer returns the hostLayer over next, for the field Hosts of settings of
// which fault is wrong.
func newHostLayer(next http.RoundTripper, hosts []string, fault error) hostLayer {
	l := hostLayer{Base: roundtrip.On(next), fault: fault}
	parsed, err := okcall.ParseHosts(hosts)
	l.Hosts, l.isLost = parsed, err != nil
	return l
}

// APIHosts returns the hosts of the API. Layers above find them by this method.
func (l *hostLayer) APIHosts() *okcall.Hosts { return l.Hosts }

// check returns an error if r must not be sent. A call to a host that is none of
// Hosts passes, unless isStray: okru.Call or okru.Graph have sent it, to where its
// secret would be missing. A request that is not the layer's own passes as well, but
// not with a misspelled path.
func (l *hostLayer) check(r *http.Request, isOwn, isCall, isStray bool) error {
	switch {
	case l.fault != nil && (isOwn || l.isLost):
		return l.fault
	case isStray:
		return fmt.Errorf("okru: the call was sent to %s, which is not one of Hosts (%v): either a RoundTripper above the transport.Signer or transport.Group has no Unwrap method by which Hosts are found, see transport.Chain, or the call was redirected", r.URL.Host, l.Hosts)
	}
	if err := l.Hosts.Check(r.URL); err != nil || !isCall || r.Response == nil {
		return err
	}
	return l.Hosts.CheckRedirects(r)
}

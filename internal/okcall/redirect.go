package okcall

// This file decides which redirects a call may take. net/http sends the form of a
// call again after status 307 and 308, and to any host.

import (
	"fmt"
	"net/http"
	"net/url"
)

// CheckRedirects returns an error if a response of a host that is not one of h
// redirected to r, directly or through others: that host chose what r does. A
// response without a request may be of any host. Package net/http keeps the
// responses that led to a request in its field Response.
func (h *Hosts) CheckRedirects(r *http.Request) error {
	// From the last response to the first: each has the request that it answers.
	for resp := r.Response; resp != nil; resp = resp.Request.Response {
		if resp.Request == nil || resp.Request.URL == nil {
			return h.redirectedBy("an unknown host")
		}
		if u := resp.Request.URL; !h.trusts(u) {
			return h.redirectedBy(u.Scheme + "://" + u.Host)
		}
	}
	return nil
}

// redirectedBy returns the error of a call that host has redirected to.
func (h *Hosts) redirectedBy(host string) error {
	return fmt.Errorf("okru: %s redirected to this call, and only Hosts (%v) may: it could make any call with your session; send the call as a request of its own if you mean it", host, h)
}

// Leaves reports whether r, to which the requests in via were redirected, would
// show an API call among them to another host, or to everyone on the way.
func (h *Hosts) Leaves(r *http.Request, via []*http.Request) bool {
	if h.trusts(r.URL) {
		return false
	}
	for _, earlier := range via {
		if kindOf(earlier.URL.Path) != NoCall && h.find(earlier.URL) != nil {
			return true
		}
	}
	return false
}

// trusts reports whether what u points to is of one of the hosts: over https,
// or over http from a loopback host.
func (h *Hosts) trusts(u *url.URL) bool {
	host := h.find(u)
	return host != nil && (u.Scheme == "https" || host.loopback)
}

package transport

// This file has what all layers have in common for their users: the types
// Middleware and Func, and Chain, which stacks layers.

import (
	"net/http"
	"reflect"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A Middleware is a layer around a RoundTripper. The Wrap methods of [Signer]
// and [Retry], and okerrors.Decode, are Middlewares.
type Middleware func(next http.RoundTripper) http.RoundTripper

// A Func is a function as a RoundTripper. It has to keep the contract of
// [http.RoundTripper]; nothing is added to it.
type Func func(*http.Request) (*http.Response, error)

// RoundTrip returns f(r).
func (f Func) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Method returns the API method that r calls, such as "users.getInfo", from
// the path, the query or the form, in this order, on any host; "" if r calls
// none. That of a Graph call is its path without ids, such as
// "graph/me/messages/{id}". It is for layers and for keys of limits. It reads a
// form through GetBody and does not change r.
func Method(r *http.Request) string { return okcall.Method(r) }

// Chain stacks mws on base. The first in the list sees the request first:
//
//	Chain(base, a, b, c) = a(b(c(base)))
//
// Each middleware is applied once, now. A nil base means
// [http.DefaultTransport], and a nil Middleware is left out. If a Middleware
// returns nil, every request fails with an error. Chain keeps neither its
// arguments nor their slice.
//
// The layers of this module ask the layers below, through a method
// Unwrap() http.RoundTripper, for the hosts of the API. If a Middleware returns
// a RoundTripper without that method, Chain adds it, and a
// CloseIdleConnections() that reaches base.
func Chain(base http.RoundTripper, mws ...Middleware) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	for i := len(mws) - 1; i >= 0; i-- {
		if mws[i] != nil {
			base = transparent(mws[i](base), base)
		}
	}
	return base
}

// transparent returns rt, which a Middleware made over next, with a method
// Unwrap that leads to next.
func transparent(rt, next http.RoundTripper) http.RoundTripper {
	if rt == nil || roundtrip.IsTypedNil(rt) {
		rt = Func(rejectAll)
	}
	if _, ok := rt.(interface{ Unwrap() http.RoundTripper }); ok || same(rt, next) {
		return rt
	}
	return &opaque{rt, roundtrip.On(next)}
}

// rejectAll replaces a RoundTripper that a Middleware did not return.
// The layer above would take nil for http.DefaultTransport, and pass by all that
// is below.
func rejectAll(r *http.Request) (*http.Response, error) {
	roundtrip.CloseRequest(r)
	return nil, reject("a Middleware returned nil instead of a RoundTripper; return next to add nothing")
}

// same reports whether a and b are the same RoundTripper. Two that cannot be
// compared, such as functions, are not.
func same(a, b http.RoundTripper) bool { return reflect.ValueOf(a).Comparable() && a == b }

// opaque is a RoundTripper without Unwrap and the one below it.
type opaque struct {
	http.RoundTripper
	below roundtrip.Base // what the Middleware was given
}

// Unwrap returns the RoundTripper below.
func (o *opaque) Unwrap() http.RoundTripper { return o.below.Next }

// CloseIdleConnections calls the method of the RoundTripper, if it has one,
// else that of the one below.
func (o *opaque) CloseIdleConnections() {
	if c, ok := o.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
		return
	}
	o.below.CloseIdleConnections()
}

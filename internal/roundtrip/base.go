// Package roundtrip holds what every RoundTripper of this module has in
// common: the RoundTripper below it, the hosts of the API, the verdict about a
// response, and how bodies are closed.
package roundtrip

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/go-okru/okru/internal/okcall"
)

// A Verdict is what a layer found in a response. It is passed from layer to
// layer as a value: what wraps the response or its body does not change it.
type Verdict struct {
	// Err is the API error, an *okerrors.Error; nil if there is none.
	Err error

	// Inspected reports that the response was inspected: Err is all there is to
	// find. If false, the layer that gets the verdict inspects the response.
	Inspected bool

	// MayHaveRun reports that the call is a write, and that an earlier attempt
	// than the one of the response may have run.
	MayHaveRun bool
}

// A Verdicter is a RoundTripper that also returns its verdict about the
// response. All layers of this module are Verdicters. As package io does with
// WriterTo, a layer asks the layer below for the verdict if that has one.
// RoundTripVerdict returns either a response or an error.
type Verdicter interface {
	http.RoundTripper
	RoundTripVerdict(*http.Request) (*http.Response, Verdict, error)
}

// A Base is the RoundTripper below a layer, and what the layer knows of it. A
// layer embeds it, and thereby has Unwrap and CloseIdleConnections.
type Base struct {
	// Next is the RoundTripper below.
	Next http.RoundTripper

	// Hosts are those of the Signer or Group below, or else [okcall.Default].
	Hosts *okcall.Hosts

	// What Next is, found once: Send is called for each attempt.
	verdicter       Verdicter // Next, or a foreign around it
	isOverTransport bool      // see IsOverTransport
}

// On returns the Base over next; nil means http.DefaultTransport.
func On(next http.RoundTripper) Base {
	if next == nil {
		next = http.DefaultTransport
	}
	b := Base{Next: next, Hosts: HostsOrDefault(next), verdicter: &foreign{next}}
	if v, ok := next.(Verdicter); ok {
		b.verdicter = v
	}
	switch next := next.(type) {
	case *http.Transport:
		b.isOverTransport = true
	// A layer of this module: it passes on what is below.
	case interface{ IsOverTransport() bool }:
		b.isOverTransport = next.IsOverTransport()
	}
	return b
}

// IsOverTransport reports whether only layers of this module are between the
// layer and an *http.Transport, which reads no request body after it has
// returned an error.
func (b Base) IsOverTransport() bool { return b.isOverTransport }

// HostsBelow returns the Hosts of the first Signer or Group that Unwrap leads to
// from rt, or nil if there is none.
func HostsBelow(rt http.RoundTripper) *okcall.Hosts {
	if s, ok := AsType[interface{ APIHosts() *okcall.Hosts }](rt); ok {
		return s.APIHosts()
	}
	return nil
}

// HostsOrDefault returns the Hosts of the first Signer or Group below, as HostsBelow
// does, or okcall.Default if there is none.
func HostsOrDefault(rt http.RoundTripper) *okcall.Hosts {
	if hosts := HostsBelow(rt); hosts != nil {
		return hosts
	}
	return okcall.Default
}

// AsType returns the first T among rt and the RoundTrippers that Unwrap leads to
// from it, as errors.AsType does for errors.
func AsType[T any](rt http.RoundTripper) (t T, ok bool) {
	for rt != nil {
		if t, ok := rt.(T); ok {
			return t, true
		}
		u, ok := rt.(interface{ Unwrap() http.RoundTripper })
		if !ok {
			break
		}
		rt = u.Unwrap()
	}
	return t, false
}

// IsTypedNil reports whether v is a nil pointer or function in an interface: it
// passes for a value, and panics when it is used.
func IsTypedNil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Func:
		return r.IsNil()
	}
	return false
}

// Send sends r through the RoundTripper below. It returns either a response, with
// the verdict about it, or an error.
func (b *Base) Send(r *http.Request) (*http.Response, Verdict, error) {
	return b.verdicter.RoundTripVerdict(r)
}

// A foreign is a RoundTripper of another module as a Verdicter.
type foreign struct{ http.RoundTripper }

var errNothing = errors.New("okru: the RoundTripper below returned neither a response nor an error")

// RoundTripVerdict implements [Verdicter], without a verdict.
func (f *foreign) RoundTripVerdict(r *http.Request) (*http.Response, Verdict, error) {
	resp, err := f.RoundTrip(r)
	switch {
	// A RoundTripper that returns both breaks its contract; the response would
	// leak.
	case err != nil:
		Discard(resp) // there should be none
		return nil, Verdict{}, err
	case resp == nil:
		return nil, Verdict{}, errNothing
	}
	return resp, Verdict{}, nil
}

// Unwrap returns the RoundTripper below, as errors.Unwrap does for errors.
func (b Base) Unwrap() http.RoundTripper { return b.Next }

// CloseIdleConnections forwards the call of http.Client.CloseIdleConnections:
// net/http asks only the outermost RoundTripper.
func (b Base) CloseIdleConnections() {
	if c, ok := b.Next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

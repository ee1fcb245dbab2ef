package rttest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
)

// bottom is next: it does towards the layer what http.Transport would.
type bottom struct {
	script   script
	alone    *call        // whose call this is, if the context does not say
	idle     atomic.Int32 // calls of CloseIdleConnections
	releases sync.Once
	released chan struct{} // closed: calls that hang return
	gate     chan struct{} // closed: what was held back of the answer has come
	holding  sync.Once
	held     chan struct{} // closed: somebody waits for that
}

func newBottom(s script) *bottom {
	return &bottom{script: s, released: make(chan struct{}), gate: make(chan struct{}), held: make(chan struct{})}
}

var (
	errUnknownCall = errors.New("rttest: next cannot tell whose call this is: its context is not the caller's")
	errNoURL       = errors.New("rttest: next was given a request without URL")
	errNoHeader    = errors.New("rttest: next was given a request without Header")
)

// maxAttempts is how often next answers a call. One that is repeated for ever
// then does not return, which is what it would come to.
const maxAttempts = 1000

// RoundTrip implements http.RoundTripper.
func (b *bottom) RoundTrip(r *http.Request) (*http.Response, error) {
	c, ok := r.Context().Value(callKey{}).(*call)
	if !ok {
		if b.alone == nil {
			return nil, errUnknownCall
		}
		c = b.alone
		c.found(ContextReaches, "the values of the caller's context are lost")
	}
	a := c.arrive(r)
	defer a.leave()
	if err := refuse(r); err != nil {
		a.closeBody()
		return nil, err
	}
	if ok {
		a.checkTrace()
	}
	if a.n > maxAttempts {
		return hangs().run(a)
	}
	return b.script.run(a)
}

// refuse returns the error by which http.Transport would refuse r.
func refuse(r *http.Request) error {
	switch {
	case r.URL == nil:
		return errNoURL
	case r.Header == nil:
		return errNoHeader
	}
	return endOf(r.Context())
}

// endOf returns what http.Transport returns when ctx has ended, or nil.
func endOf(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// CloseIdleConnections is what http.Client looks for.
func (b *bottom) CloseIdleConnections() { b.idle.Add(1) }

// release makes next let go of calls that hang.
func (b *bottom) release() { b.releases.Do(func() { close(b.released) }) }

// checkTrace reports a connection to the trace in the context of the attempt,
// and sees whether the caller hears of it.
func (a *attempt) checkTrace() {
	trace := httptrace.ContextClientTrace(a.ctx)
	if trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	if !a.call.traced {
		a.call.found(ContextReaches, "the httptrace.ClientTrace of the caller is lost")
	}
}

package rttest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
)

// bottom is next: it does towards the layer what http.Transport would.
type bottom struct {
	script   script
	only     *call        // the call of a trial that has one; nil: it has several
	idle     atomic.Int32 // calls of CloseIdleConnections
	releases sync.Once
	released chan struct{} // closed: calls that hang return
	gate     chan struct{} // closed: the rest of the response has come
	stalls   sync.Once
	waiting  chan struct{} // closed: a reader waits for that
}

func newBottom(s script) *bottom {
	return &bottom{script: s, released: make(chan struct{}), gate: make(chan struct{}), waiting: make(chan struct{})}
}

var (
	errUnknownCall = errors.New("rttest: next does not know which call this is: its context is not derived from the caller's")
	errNoURL       = errors.New("rttest: next was given a request without URL")
	errNoHeader    = errors.New("rttest: next was given a request without Header")
)

// maxAttempts is how often next returns for a call. One that is repeated for ever
// then does not return, which is what it would come to.
const maxAttempts = 1000

// RoundTrip implements http.RoundTripper.
func (b *bottom) RoundTrip(r *http.Request) (*http.Response, error) {
	c, ok := r.Context().Value(callKey{}).(*call)
	if !ok {
		if b.only == nil {
			return nil, errUnknownCall
		}
		c = b.only
		c.found(ContextReaches, "the values of the caller's context are lost")
	}
	a := c.arrive(r)
	defer a.leave()
	if err := reject(r); err != nil {
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

// reject returns the error by which http.Transport would reject r.
func reject(r *http.Request) error {
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

// CloseIdleConnections is the method that http.Client looks for.
func (b *bottom) CloseIdleConnections() { b.idle.Add(1) }

// release makes next let go of calls that hang.
func (b *bottom) release() { b.releases.Do(func() { close(b.released) }) }

// checkTrace reports a connection to the trace in the context of the attempt,
// and checks that the trace of the caller is called.
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

// attempt is one call of next.
type attempt struct {
	call  *call
	n     int // from 1
	req   *http.Request
	ctx   context.Context // of req, when it came
	given *snapshot       // req, when it came

	// Under call.mu:
	reply    *reply        // nil: no response, or one without a body
	original http.Response // the response as it was, with a Header of its own
	failed   error         // by which next ended the attempt; nil: by a response
	returned bool          // next returned
	outlived bool          // the context was alive when next was called, but not the caller's
}

// arrive notes that next was called with r.
func (c *call) arrive(r *http.Request) *attempt {
	c.compare("when next was called")
	c.mu.Lock()
	a := &attempt{call: c, n: len(c.attempts) + 1, req: r, ctx: r.Context(), given: take(r)}
	a.outlived = c.req.Context().Err() != nil && a.ctx.Err() == nil
	c.checkFresh(a)
	c.checkFreed()
	c.attempts = append(c.attempts, a)
	c.mu.Unlock()
	if r.URL != nil && r.URL.Path == redirectedTo {
		c.found(RedirectReturned, "the layer follows a redirect")
	} else {
		a.checkForwarded()
	}
	return a
}

// checkFresh checks that a has not the body of an earlier attempt. Where it is
// hidden in another body, that shows when it is read.
func (c *call) checkFresh(a *attempt) {
	used := func(old *attempt) bool { return hasBody(a.req) && same(old.given.Body, a.req.Body) }
	if slices.ContainsFunc(c.attempts, used) {
		c.stale = true
		c.found(BodyFresh, "a later attempt has the Body of an earlier one")
	}
}

// checkFreed checks that the responses of earlier attempts are closed.
func (c *call) checkFreed() {
	for _, old := range c.attempts {
		if old.returned && old.reply != nil && !old.reply.isClosed() {
			c.found(ConnectionFreed, "next is called again while the response of an earlier attempt is open")
		}
	}
}

// leave notes that next returns.
func (a *attempt) leave() {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	a.returned = true
}

// checkForwarded compares what next was given with what the caller sent.
func (a *attempt) checkForwarded() {
	sent, got := a.call.before, a.req
	for _, part := range []struct {
		name string
		kept bool
	}{
		{"Method", orGet(got.Method) == orGet(sent.Method)},
		{"URL", a.keepsURL()},
		{"Host", got.Host == sent.Host},
		{"Header", contains(got.Header, sent.header)},
		{"Trailer", contains(keySet(keys(got.Trailer)), keySet(sent.trailer))},
		{"Close", got.Close == sent.Close},
		{"Body", hasBody(got) || a.call.body == nil},
	} {
		if !part.kept {
			a.call.found(RequestForwarded, "next was given another %s", part.name)
		}
	}
}

// keepsURL reports whether next was given the caller's URL. Only the query may
// be another one.
func (a *attempt) keepsURL() bool {
	sent, got := a.call.before.url, a.req.URL
	if sent == nil || got == nil {
		return sent == nil && got == nil
	}
	if a.call.kit.Verbatim && got.String() != sent.String() {
		return false
	}
	return got.Scheme == sent.Scheme && got.Host == sent.Host && got.Path == sent.Path
}

func orGet(method string) string {
	if method == "" {
		return http.MethodGet
	}
	return method
}

// contains reports whether all of part is in h.
func contains(h, part http.Header) bool {
	for key, values := range part {
		if got, ok := h[key]; !ok || !slices.Equal(got, values) {
			return false
		}
	}
	return true
}

// keySet returns a header with these keys only, each with itself as value.
func keySet(keys []string) http.Header {
	h := make(http.Header)
	for _, key := range keys {
		h[key] = []string{key}
	}
	return h
}

package rttest_test

import (
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/go-okru/okru/rttest"
)

var brokenPrograms = []broken{
	wraps(rttest.IdleForwarded, "keeps idle connections", func(next http.RoundTripper) http.RoundTripper { return onlyUnwraps{next} }),
	wraps(rttest.Unwraps, "unwraps to nothing", func(next http.RoundTripper) http.RoundTripper { return onlyCloses{next} }),
	wraps(rttest.Unwraps, "unwraps to itself", func(next http.RoundTripper) http.RoundTripper { return &unwrapsToItself{onlyCloses{next}} }),

	wraps(rttest.Concurrent, "keeps the request in a field", func(next http.RoundTripper) http.RoundTripper {
		return trip(new(forgetful).trip).wrap(next)
	}),

	breaks(rttest.Goroutines, "waits for the context in a goroutine", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		go func() { <-r.Context().Done() }()
		return next.RoundTrip(r)
	}),
	breaks(rttest.Goroutines, "sleeps in a goroutine", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		go time.Sleep(time.Minute)
		return next.RoundTrip(r)
	}),
	wraps(rttest.Goroutines, "starts a goroutine that never ends", func(next http.RoundTripper) http.RoundTripper {
		go func() { select {} }()
		return trip(pass).wrap(next)
	}),

	breaks(rttest.UninitializedRejected, "needs a header", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		c := *r
		c.Header = r.Header.Clone()
		c.Header.Set("Added", "yes")
		resp, err := next.RoundTrip(&c)
		return responseTo(r, resp), err
	}),
	breaks(rttest.UninitializedRejected, "needs a URL", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		_ = r.URL.Path
		return next.RoundTrip(r)
	}),
	breaks(rttest.NoPanic, "needs a response", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		resp.Request = r
		return resp, err
	}).also(rttest.UninitializedRejected, rttest.NilHandled), // for next rejects it by an error
	breaks(rttest.NoPanic, "panics when a response is closed twice", rewrapping(func(_ *http.Request, b *body) {
		closed := make(chan struct{})
		b.close = func() { close(closed) }
	})),
	wraps(rttest.NoPanic, "panics when it wraps", func(http.RoundTripper) http.RoundTripper { panic("no") }),
	wraps(rttest.NoPanic, "ends the test when it wraps", func(http.RoundTripper) http.RoundTripper {
		runtime.Goexit()
		return nil
	}),
}

// wraps is a layer that breaks the rule c by more than what it does with a
// request.
func wraps(c rttest.Clause, name string, wrap func(http.RoundTripper) http.RoundTripper) broken {
	return broken{name, rttest.Kit{Wrap: wrap}, []rttest.Clause{c}}
}

type onlyUnwraps struct{ next http.RoundTripper }

func (l onlyUnwraps) RoundTrip(r *http.Request) (*http.Response, error) { return l.next.RoundTrip(r) }
func (l onlyUnwraps) Unwrap() http.RoundTripper                         { return l.next }

type onlyCloses struct{ next http.RoundTripper }

func (l onlyCloses) RoundTrip(r *http.Request) (*http.Response, error) { return l.next.RoundTrip(r) }
func (l onlyCloses) CloseIdleConnections()                             { (&layer{next: l.next}).CloseIdleConnections() }

type unwrapsToItself struct{ onlyCloses }

func (l *unwrapsToItself) Unwrap() http.RoundTripper { return l }

// forgetful keeps the request where the next call finds its own.
type forgetful struct {
	mu   sync.Mutex
	last *http.Request
}

func (f *forgetful) trip(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.last = r
	f.mu.Unlock()
	if err := pause(r.Context(), time.Millisecond); err != nil {
		return rejectWith(r, err)
	}
	f.mu.Lock()
	last := f.last
	f.mu.Unlock()
	resp, err := next.RoundTrip(last)
	return responseTo(r, resp), err
}

package transport_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// outage counts requests and lets none through until it is over.
type outage struct {
	requests atomic.Int64
	over     atomic.Bool
	err      error
}

func (o *outage) RoundTrip(r *http.Request) (*http.Response, error) {
	o.requests.Add(1)
	switch {
	case o.over.Load():
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	case o.err != nil:
		return nil, o.err
	}
	return &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"1"}}, Body: http.NoBody}, nil
}

// An outage is not multiplied: not by calls at once, nor by calls that go on
// for a day, whatever they see.
func TestBudgetBoundsOutage(t *testing.T) {
	for name, err := range map[string]error{"responses": nil, "errors": opError("read", syscall.ECONNRESET)} {
		for _, apart := range []time.Duration{0, time.Second, 5 * time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				down := &outage{err: err}
				rt := transport.Retry{}.Wrap(down)
				var calls sync.WaitGroup
				for range 300 {
					calls.Go(func() { _, _ = rt.RoundTrip(newGet(t, context.Background(), readURL)) })
					time.Sleep(apart)
				}
				calls.Wait()
				if n := down.requests.Load(); n > 600 || n < 400 {
					t.Errorf("%s, calls %v apart: 300 calls made %d requests, want 400 to 600", name, apart, n)
				}
			})
		}
	}
}

func TestBudgetErrorIsOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &outage{err: opError("read", os.ErrDeadlineExceeded)}
		client := &http.Client{Transport: transport.Retry{}.Wrap(down)}
		var err error
		for range 100 {
			_, err = client.Get(readURL)
		}
		if !errors.Is(err, transport.ErrBudget) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error %v is not both ErrBudget and the cause", err)
		}
		if u, ok := errors.AsType[*url.Error](err); !ok || !u.Timeout() {
			t.Errorf("error %v is no timeout any more", err)
		}
		if final, ok := errors.AsType[interface {
			error
			Terminal() bool
		}](err); !ok || !final.Terminal() {
			t.Errorf("error %v is not final", err)
		}
	})
}

func TestBudgetLeavesResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := transport.Retry{}.Wrap(&script{outcomes: []outcome{respondWith(500, "page")}})
		for range 300 {
			resp, err := rt.RoundTrip(newGet(t, t.Context(), readURL))
			if err != nil {
				t.Fatal(err)
			}
			if got := finish(t, resp); resp.StatusCode != 500 || got != "page" {
				t.Fatalf("status %d, body %q; want the response as it is", resp.StatusCode, got)
			}
		}
	})
}

// Successes earn repeats, five of them one; nothing else does.
func TestBudgetRefills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &outage{}
		rt := transport.Retry{}.Wrap(service)
		call := func(url string) (requests int64) {
			before := service.requests.Load()
			_, _ = rt.RoundTrip(newGet(t, t.Context(), url))
			return service.requests.Load() - before
		}
		for call(readURL) > 1 {
		}
		time.Sleep(24 * time.Hour)
		if n := call(readURL); n != 1 {
			t.Errorf("after a day of outage a call makes %d requests, want 1", n)
		}
		for _, successes := range []int{4, 1, 10} {
			service.over.Store(true)
			for range successes {
				call(readURL)
			}
			service.over.Store(false)
			want := map[int]int64{4: 1, 1: 2, 10: 3}[successes]
			if n := call(readURL); n != want {
				t.Errorf("after %d more successes a call makes %d requests, want %d", successes, n, want)
			}
		}
	})
}

// What was not sent costs nothing.
func TestBudgetRefundsAbandonedRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &outage{}
		rt := transport.Retry{}.Wrap(down)
		for range 1000 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second/2, cancel)
			if _, err := rt.RoundTrip(newGet(t, ctx, readURL)); !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, want context.Canceled", err)
			}
		}
		down.requests.Store(0)
		resp, err := rt.RoundTrip(newGet(t, t.Context(), readURL))
		if err != nil || resp.StatusCode != 503 || down.requests.Load() != 4 {
			t.Errorf("%d requests, want 4: cancelled calls spent the budget", down.requests.Load())
		}
	})
}

// A rejected call counts as a success of the server, a throttled one does not.
func TestBudgetCountsSuccesses(t *testing.T) {
	for _, test := range []struct {
		name    string
		outcome outcome
		url     string
		earns   bool
	}{
		{"200", respondWith(200, "1"), readURL, true},
		{"404", respondWith(404, ""), readURL, true},
		{"code 100", codeResponse(200, 100), readURL, true},
		{"code 11", codeResponse(200, 11), readURL, false},
		{"write, code 2", codeResponse(200, 2), writeURL, false},
		{"write, 500", respondWith(500, ""), writeURL, false},
		{"write, broken", failure(errBroken), writeURL, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			next := &outage{}
			swap := &exchangeable{next: next}
			rt := transport.Retry{}.Wrap(swap)
			for range 100 { // spends all
				_, _ = rt.RoundTrip(newGet(t, t.Context(), readURL))
			}
			swap.next = &script{outcomes: []outcome{test.outcome}}
			for range 50 {
				resp, err := rt.RoundTrip(newGet(t, t.Context(), test.url))
				if err == nil {
					resp.Body.Close()
				}
			}
			swap.next = next
			next.requests.Store(0)
			_, _ = rt.RoundTrip(newGet(t, t.Context(), readURL))
			if earned := next.requests.Load() > 1; earned != test.earns {
				t.Errorf("%s earns a repeat: %v, want %v", test.name, earned, test.earns)
			}
		})
	}
}

type exchangeable struct{ next http.RoundTripper }

func (e *exchangeable) RoundTrip(r *http.Request) (*http.Response, error) { return e.next.RoundTrip(r) }

// The same over a Signer, whose verdict decides what a success is.
func TestBudgetRefillsOverSigner(t *testing.T) {
	swap := &exchangeable{next: &script{outcomes: []outcome{respondWith(500, "")}}}
	rt := transport.Chain(swap, quick.Wrap, signer().Wrap)
	for range 100 { // spends all
		_, _ = rt.RoundTrip(newGet(t, t.Context(), readURL))
	}
	for _, test := range []struct {
		outcome outcome
		repeats int // that ten of them earn
	}{{codeResponse(200, 2), 0}, {codeResponse(200, 11), 0}, {respondWith(200, `{"uid":"1"}`), 2}, {codeResponse(200, 100), 2}} {
		swap.next = &script{outcomes: []outcome{test.outcome}}
		for range 10 {
			_, _ = rt.RoundTrip(newGet(t, t.Context(), writeURL))
		}
		s := &script{outcomes: []outcome{respondWith(500, "")}}
		swap.next = s
		for range 3 {
			_, _ = rt.RoundTrip(newGet(t, t.Context(), readURL))
		}
		if repeats := s.attempts() - 3; repeats != test.repeats {
			t.Errorf("ten times %d %q: %d repeats, want %d", test.outcome.status, test.outcome.text, repeats, test.repeats)
		}
	}
}

// An API error that a layer below has made of a response is no error of the
// transport: ErrBudget and a failed GetBody do not hide it.
func TestBudgetLeavesAPIErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := &okerrors.Error{Code: okerrors.CodeService, Status: 200}
		rt := transport.Retry{}.Wrap(&script{outcomes: []outcome{failure(want)}})
		for range 300 {
			if _, err := rt.RoundTrip(newGet(t, t.Context(), readURL)); err != want {
				t.Fatalf("error %v, want the API error as it is", err)
			}
		}
	})
}

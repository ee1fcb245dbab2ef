package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/transport"
)

func TestRetryReturnsLastResponseWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := strings.Repeat("x", 20<<10)
		base := &script{outcomes: []outcome{respondWith(502, "first"), failure(errBroken), respondWith(503, page)}}
		r := newGet(t, t.Context(), readURL)
		resp, err := transport.Retry{}.Wrap(base).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Request != r {
			t.Error("the response's Request is not the caller's")
		}
		if got := finish(t, resp); got != page {
			t.Errorf("the last response has %d bytes, want %d", len(got), len(page))
		}
		if base.attempts() != 4 || base.open != 0 {
			t.Errorf("%d attempts, %d responses left open; want 4, 0", base.attempts(), base.open)
		}
	})
}

func TestRetryReturnsBareCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &http.Client{Transport: transport.Retry{}.Wrap(&script{outcomes: []outcome{failure(errBroken)}})}
		_, err := c.Get(readURL)
		if u, ok := errors.AsType[*url.Error](err); !ok || u.Err != errBroken {
			t.Errorf("error is %v, want the cause wrapped once, by the client", err)
		}
	})
}

// The first attempt is the caller's request as it is, unless the layer below must
// know of the AttemptTimeout.
func TestRetryFirstAttemptIsTheRequest(t *testing.T) {
	traced := transport.WithTrace(t.Context(), &transport.Trace{Done: func(transport.DoneInfo) {}})
	for _, test := range []struct {
		name  string
		ctx   context.Context
		retry transport.Retry
		same  bool
	}{
		{"plain", t.Context(), transport.Retry{}, true},
		{"traced", traced, transport.Retry{}, true},
		{"without a timeout", t.Context(), transport.Retry{AttemptTimeout: -1}, true},
		{"with a timeout", t.Context(), transport.Retry{AttemptTimeout: time.Hour}, false},
	} {
		r := newGet(t, test.ctx, readURL)
		var got *http.Request
		spy := func(next http.RoundTripper) http.RoundTripper {
			return transport.Func(func(r *http.Request) (*http.Response, error) {
				got = r
				return next.RoundTrip(r)
			})
		}
		resp, err := transport.Chain(&script{outcomes: []outcome{respondWith(200, "1")}}, test.retry.Wrap, spy, signer().Wrap).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if finish(t, resp); (got == r) != test.same {
			t.Errorf("%s: the first attempt is the request: %t, want %t", test.name, got == r, test.same)
		}
	}
}

func TestRetryMax(t *testing.T) {
	for max, want := range map[int]int{0: 4, 1: 2, 5: 6, -1: 1} {
		synctest.Test(t, func(t *testing.T) {
			base := &script{outcomes: []outcome{respondWith(500, "")}}
			resp, err := transport.Retry{Max: max}.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if base.attempts() != want {
				t.Errorf("Max %d: %d attempts, want %d", max, base.attempts(), want)
			}
		})
	}
}

// The responses of a redirect belong to the client above, whatever they are.
func TestRetryFollowsNoRedirect(t *testing.T) {
	for _, location := range []string{"https://example.com/next", "https://%zz/", ""} {
		synctest.Test(t, func(t *testing.T) {
			base := &script{outcomes: []outcome{respondWith(500, ""), respondWith(302, "moved", "Location", location)}}
			resp, err := transport.Retry{}.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
			if err != nil {
				t.Fatal(err)
			}
			if got := finish(t, resp); resp.StatusCode != 302 || got != "moved" {
				t.Errorf("Location %q: status %d, body %q; want the redirect itself", location, resp.StatusCode, got)
			}
		})
	}
}

// httputil.ReverseProxy passes requests on that http.Client rejects.
func TestRetryTakesServerRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &script{outcomes: []outcome{respondWith(500, ""), respondWith(200, "1")}}
		r := newGet(t, t.Context(), readURL)
		r.RequestURI = "/fb.do"
		resp, err := transport.Retry{}.Wrap(base).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := finish(t, resp); got != "1" {
			t.Errorf("body %q, want that of the second attempt", got)
		}
	})
}

func TestRetryEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		base := &script{outcomes: []outcome{respondWith(503, "later", "Retry-After", "5")}}
		var bodies tracked
		r := bodies.post(t, ctx, writeURL, "text=1")
		time.AfterFunc(2*time.Second, cancel)
		start := time.Now()
		resp, err := transport.Retry{}.Wrap(base).RoundTrip(r)
		if resp != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("outcome %v, %v; want no response and context.Canceled", resp, err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("returned after %v, want 2s, when the context ended", took)
		}
		if base.attempts() != 1 || base.open != 0 || base.idle != 0 {
			t.Errorf("%d attempts, %d responses open, %d idle flushes; want 1, 0, 0", base.attempts(), base.open, base.idle)
		}
		bodies.check(t)
	})
}

// A context may end in the hook, when there is no pause to end.
func TestRetryEndsWithContextBeforeRepeat(t *testing.T) {
	for range 20 { // which of two ready events comes first is a matter of luck
		ctx, cancel := context.WithCancel(t.Context())
		base := &script{outcomes: []outcome{failure(errBroken)}}
		var bodies tracked
		r := bodies.post(t, transport.WithIdempotent(ctx, true), writeURL, "text=1")
		_, err := transport.Retry{MinDelay: -1, OnRetry: func(transport.Attempt) { cancel() }}.Wrap(base).RoundTrip(r)
		if !errors.Is(err, context.Canceled) || base.attempts() != 1 {
			t.Fatalf("%d attempts, error %v; want 1 and context.Canceled", base.attempts(), err)
		}
		bodies.check(t)
	}
}

func TestRetryLeavesIdleConnectionsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &script{outcomes: []outcome{failure(errBroken)}}
		rt := transport.Retry{}.Wrap(base)
		if _, err := rt.RoundTrip(newGet(t, t.Context(), readURL)); err == nil {
			t.Error("no error")
		}
		if base.idle != 0 {
			t.Errorf("a failure closed the idle connections %d times", base.idle)
		}
		(&http.Client{Transport: rt}).CloseIdleConnections()
		if base.idle != 1 {
			t.Errorf("CloseIdleConnections went down %d times, want 1", base.idle)
		}
		if got := rt.(interface{ Unwrap() http.RoundTripper }).Unwrap(); got != base {
			t.Errorf("Unwrap returned %v", got)
		}
	})
}

type terminalError struct{}

func (terminalError) Error() string  { return "rejected here" }
func (terminalError) Terminal() bool { return true }

// Whatever a policy says, a local rejection is final.
func TestRetryHonoursTerminal(t *testing.T) {
	for name, retry := range map[string]transport.Retry{
		"Retryable":  {},
		"If":         {If: func(transport.Attempt) bool { return true }},
		"CheckRetry": {CheckRetry: func(context.Context, *http.Response, error) (bool, error) { return true, nil }},
	} {
		want := fmt.Errorf("limiter: %w", terminalError{})
		base := &script{outcomes: []outcome{failure(want)}}
		_, err := retry.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
		if err != want || base.attempts() != 1 {
			t.Errorf("%s: %d attempts, error %v; want 1 and the error as it was", name, base.attempts(), err)
		}
	}
}

func TestRetryTellsOfAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []transport.Attempt
		base := &script{outcomes: []outcome{respondWith(500, ""), failure(errBroken), respondWith(200, "1")}}
		retry := transport.Retry{OnRetry: func(a transport.Attempt) { seen = append(seen, a) }}
		var n atomic.Int32
		r := newGet(t, transport.WithAttempts(t.Context(), &n), readURL)
		start := time.Now()
		resp, err := retry.Wrap(base).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if n.Load() != 3 {
			t.Errorf("WithAttempts counted %d, want 3", n.Load())
		}
		if len(seen) != 2 || seen[0].N != 1 || seen[1].N != 2 ||
			seen[0].Response.StatusCode != 500 || seen[1].Err != errBroken || seen[0].Request != r {
			t.Fatalf("OnRetry saw %+v", seen)
		}
		if took := time.Since(start); took != seen[0].Delay+seen[1].Delay {
			t.Errorf("the call took %v, OnRetry was given the delays %v and %v", took, seen[0].Delay, seen[1].Delay)
		}
	})
}

func TestRetryIf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &script{outcomes: []outcome{respondWith(202, "not yet"), respondWith(202, "not yet"), respondWith(200, "ready")}}
		retry := transport.Retry{If: func(a transport.Attempt) bool {
			return a.Response != nil && a.Response.StatusCode == 202 && a.N < 5
		}}
		resp, err := retry.Wrap(base).RoundTrip(newGet(t, t.Context(), writeURL))
		if err != nil {
			t.Fatal(err)
		}
		if got := finish(t, resp); got != "ready" || base.attempts() != 3 || base.open != 0 {
			t.Errorf("body %q after %d attempts, %d open", got, base.attempts(), base.open)
		}
	})
}

func TestRetryPrintsNothingBelow(t *testing.T) {
	rt := transport.Retry{}.Wrap(secretTransport{key: "CANARY"})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q"} {
		if text := fmt.Sprintf(verb, rt); strings.Contains(text, "CANARY") || text == "" {
			t.Errorf("%s prints %q", verb, text)
		}
	}
}

type secretTransport struct{ key string }

func (secretTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, errBroken }

// If is called after every attempt, successes included.
func TestRetryIfIsCalledAfterSuccess(t *testing.T) {
	for name, stack := range map[string]func(transport.Retry, http.RoundTripper) http.RoundTripper{
		"alone": func(retry transport.Retry, base http.RoundTripper) http.RoundTripper { return retry.Wrap(base) },
		"over Signer": func(retry transport.Retry, base http.RoundTripper) http.RoundTripper {
			return retry.Wrap(signer().Wrap(base))
		},
	} {
		var seen []int
		retry := transport.Retry{MinDelay: -1, If: func(a transport.Attempt) bool {
			seen = append(seen, a.Response.StatusCode)
			return a.Response.StatusCode == 500
		}}
		rt := stack(retry, &script{outcomes: []outcome{respondWith(200, "1"), respondWith(500, ""), respondWith(200, "1")}})
		for range 2 {
			resp, err := rt.RoundTrip(newGet(t, t.Context(), readURL))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if !slices.Equal(seen, []int{200, 500, 200}) {
			t.Errorf("%s: If saw %v, want 200, 500, 200", name, seen)
		}
	}
}

// An If that calls Retryable decides as the stack does: it knows the hosts of
// the Signer, and the verdict that a layer between has hidden.
func TestIfThatCallsRetryable(t *testing.T) {
	hide := func(next http.RoundTripper) http.RoundTripper {
		return transport.Func(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil {
				resp.Body = struct{ io.ReadCloser }{resp.Body}
			}
			return resp, err
		})
	}
	s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", Circuit: transport.Sessionless, Hosts: []string{"gateway.example"}}
	for _, test := range []struct {
		url      string
		outcome  outcome
		attempts int
	}{
		{"https://gateway.example/api/users/getInfo", codeResponse(200, 2), 4},
		{"https://gateway.example/api/users/getInfo", failure(errBroken), 4},
		{"https://gateway.example/api/users/setStatus", codeResponse(200, 2), 1},
		{"https://gateway.example/api/users/setStatus", codeResponse(503, 2, "Retry-After", "0"), 1},
		{"https://gateway.example/api/users/getInfo", codeResponse(500, 104), 1},
		{"https://other.example/api/users/getInfo", codeResponse(200, 2), 1},
		{"https://other.example/api/users/getInfo", codeResponse(500, 2), 1},
		{"https://other.example/api/users/getInfo", codeResponse(429, 104), 4},
		{"https://other.example/api/users/getInfo", failure(opError("dial", errBroken)), 4},
		{"https://api.ok.ru/api/users/getInfo", codeResponse(200, 2), 1}, // not one of Hosts
	} {
		for name, retry := range map[string]transport.Retry{"default": {}, "If": {If: transport.Retryable}} {
			for layer, between := range map[string]transport.Middleware{"none": nil, "hiding": hide, "foreign": foreign} {
				retry.MinDelay = -1
				base := &script{outcomes: []outcome{test.outcome}}
				resp, _ := transport.Chain(base, retry.Wrap, between, s.Wrap).RoundTrip(newGet(t, t.Context(), test.url))
				if resp != nil {
					resp.Body.Close()
				}
				if base.attempts() != test.attempts || base.open != 0 {
					t.Errorf("%s, layer %s: %s: %d attempts, want %d", name, layer, test.url, base.attempts(), test.attempts)
				}
			}
		}
	}
}

func TestRetryNeitherResponseNorError(t *testing.T) {
	rt := transport.Retry{MinDelay: -1}.Wrap(transport.Func(func(*http.Request) (*http.Response, error) { return nil, nil }))
	if resp, err := rt.RoundTrip(newGet(t, t.Context(), readURL)); resp != nil || err == nil {
		t.Errorf("outcome %v, %v; want an error", resp, err)
	}
}

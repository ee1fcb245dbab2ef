package ratelimit_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// Limiters that were declared and not made, and nil pointers in an interface,
// reject calls at once and say what to do.
func TestUnusableLimiters(t *testing.T) {
	for name, limiter := range map[string]ratelimit.Limiter{
		"zero Bucket":      new(ratelimit.Bucket),
		"zero Adaptive":    new(ratelimit.Adaptive),
		"zero Keyed":       new(ratelimit.Keyed),
		"nil Bucket":       (*ratelimit.Bucket)(nil),
		"nil Adaptive":     (*ratelimit.Adaptive)(nil),
		"nil Keyed":        (*ratelimit.Keyed)(nil),
		"nil rate.Limiter": (*rate.Limiter)(nil),
		"Keyed of nil": ratelimit.NewKeyed(0, func(string) ratelimit.Limiter {
			return (*ratelimit.Adaptive)(nil)
		}),
		"Keyed of nil rate.Limiter": ratelimit.NewKeyed(0, func(string) ratelimit.Limiter {
			return (*rate.Limiter)(nil)
		}),
		"Keyed of zero": ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return new(ratelimit.Adaptive) }),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limit := ratelimit.Limit{Limiter: limiter}
				body := &closeCounter{Reader: strings.NewReader("x")}
				r := newRequest(t.Context(), "a.b")
				r.Body = body
				_, err := limit.Wrap(transport.Func(nil)).RoundTrip(r)
				if body.closed != 1 {
					t.Errorf("the body was closed %d times", body.closed)
				}
				errs := []error{err, limit.Charge(newRequest(t.Context(), "a.b"))}
				if !strings.Contains(name, "rate.Limiter") {
					errs = append(errs, limiter.Wait(t.Context()))
				}
				for _, err := range errs {
					if !errors.Is(err, ratelimit.ErrLimited) || !strings.Contains(err.Error(), "make one") {
						t.Errorf("error is %v; want one that says to make a limiter", err)
					}
				}
			})
		})
	}
}

type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

// panicking panics in one of its methods.
type panicking struct {
	recorder
	wait, observe bool
}

func (l *panicking) Wait(ctx context.Context) error {
	if l.wait {
		panic("Wait")
	}
	return l.recorder.Wait(ctx)
}

func (l *panicking) Observe(o ratelimit.Outcome) {
	l.seen = append(l.seen, o)
	if l.observe {
		panic("Observe")
	}
}

// A panic of the program's own code leaves the bodies closed and the set of
// keys usable, and each granted call is reported once.
func TestLimitClosesBodiesWhenAHookPanics(t *testing.T) {
	key := func(*http.Request) string { return "key" }
	below := func(resp *http.Response) transport.Func {
		return func(r *http.Request) (*http.Response, error) {
			r.Body.Close()
			if resp == nil {
				panic("below")
			}
			return resp, nil
		}
	}
	for name, test := range map[string]struct {
		limiter  *panicking
		key      func(*http.Request) string
		below    bool
		outcomes int
	}{
		"Key":     {new(panicking), func(*http.Request) string { panic("Key") }, false, 0},
		"Wait":    {&panicking{wait: true}, key, false, 0},
		"Trace":   {new(panicking), key, false, 1},
		"Observe": {&panicking{observe: true}, key, false, 1},
		"below":   {new(panicking), key, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			k := ratelimit.NewKeyed(1, func(string) ratelimit.Limiter { return test.limiter })
			request, response := &closeCounter{Reader: strings.NewReader("x")}, &closeCounter{Reader: strings.NewReader("{}")}
			resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: response}
			if test.below {
				resp = nil
			}
			ctx := t.Context()
			if name == "Trace" {
				ctx = transport.WithTrace(ctx, &transport.Trace{Limited: func(transport.LimitedInfo) { panic("Limited") }})
			}
			r := newRequest(ctx, "a.b")
			r.Body = request
			func() {
				defer func() { _ = recover() }()
				_, _ = ratelimit.Limit{Limiter: k, Key: test.key}.Wrap(below(resp)).RoundTrip(r)
				t.Error("it did not panic")
			}()
			if request.closed != 1 || name == "Observe" && response.closed != 1 {
				t.Errorf("the request's body was closed %d times, the response's %d times", request.closed, response.closed)
			}
			if len(test.limiter.seen) != test.outcomes {
				t.Errorf("%d outcomes were reported; want %d", len(test.limiter.seen), test.outcomes)
			}
			if test.below || name == "Trace" {
				if err := test.limiter.seen[0].Err; err == nil || err.Error() != "okru: the call panicked" {
					t.Errorf("the outcome is %+v; want an Err", test.limiter.seen[0])
				}
			}
			// No call is in flight: another key finds room.
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if l, ok := k.For("other").(interface{ Wait(context.Context) error }); ok && !test.limiter.wait {
				must(t, l.Wait(ctx))
			}
		})
	}
}

// A response whose body panics is closed, and reported.
func TestLimitClosesABodyThatPanics(t *testing.T) {
	l := new(recorder)
	body := &closeCounter{Reader: readFunc(func([]byte) (int, error) { panic("Read") })}
	rt := ratelimit.Limit{Limiter: l}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, Request: r}, nil
	}))
	func() {
		defer func() {
			if v := recover(); v != "Read" {
				t.Errorf("the panic is %v", v)
			}
		}()
		_, _ = rt.RoundTrip(newRequest(t.Context(), "a.b"))
	}()
	if body.closed != 1 || len(l.seen) != 1 || l.seen[0].Err == nil {
		t.Errorf("the body was closed %d times, and the outcomes are %+v", body.closed, l.seen)
	}
}

// The others do not wait for a probe that panics.
func TestAdaptiveOutlivesAProbeThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := held(t)
		rt := ratelimit.Limit{Limiter: a}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("method") == "a.panic" {
				panic("below")
			}
			return response(r, 200, "{}"), nil
		}))
		func() {
			defer func() { _ = recover() }()
			_, _ = rt.RoundTrip(newRequest(t.Context(), "a.panic"))
		}()
		start := time.Now()
		send(t, rt, newRequest(t.Context(), "a.b"))
		if waited := time.Since(start); waited > time.Second/2 {
			t.Errorf("the next call waited %v", waited)
		}
	})
}

// What a server asks for is capped, and then probed.
func TestAdaptiveCapsRetryAfter(t *testing.T) {
	for _, asked := range []time.Duration{11 * time.Minute, 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			a := ratelimit.NewAdaptive(0, 0)
			must(t, a.Wait(t.Context()))
			start := time.Now()
			a.Observe(ratelimit.Outcome{Sent: start, Throttled: true, RetryAfter: asked})
			must(t, a.Wait(t.Context()))
			if waited := time.Since(start); waited != 10*time.Minute {
				t.Errorf("after a Retry-After of %v the next call waited %v; want 10m", asked, waited)
			}
		})
	}
}

// Key may change with the renewal. The request keeps the entry of its old key,
// so Charge must not wait for room in a full set.
func TestChargeDoesNotWaitForItsOwnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := "old session"
		k := ratelimit.NewKeyed(1, func(string) ratelimit.Limiter { return ratelimit.NewBucket(1, 1) })
		limit := ratelimit.Limit{Limiter: k, Key: func(*http.Request) string { return key }}
		rt := limit.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			key = "new session"
			if err := limit.Charge(r); err != nil {
				return nil, err
			}
			return response(r, 200, "{}"), nil
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		send(t, rt, newRequest(ctx, "a.b"))
		time.Sleep(time.Minute)
		must(t, k.For("third").Wait(t.Context()))
		if k.Len() != 1 {
			t.Errorf("the set has %d keys; want 1 again", k.Len())
		}
	})
}

// The error of a context that ends while a call waits carries the cause.
func TestWaitReturnsTheCause(t *testing.T) {
	shutdown := errors.New("shutting down")
	key := func(r *http.Request) string { return r.URL.Query().Get("method") }
	for name, newLimiter := range map[string]func() ratelimit.Limiter{
		"Bucket":       func() ratelimit.Limiter { return ratelimit.NewBucket(0.001, 1) },
		"Adaptive":     func() ratelimit.Limiter { return ratelimit.NewAdaptive(0.001, 0.001) },
		"quota":        func() ratelimit.Limiter { return ratelimit.NewAdaptive(0, 0) },
		"rate.Limiter": func() ratelimit.Limiter { return rate.NewLimiter(0.001, 1) },
		"Keyed": func() ratelimit.Limiter {
			return ratelimit.NewKeyed(1, func(string) ratelimit.Limiter { return ratelimit.NewBucket(0.001, 1) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := ratelimit.Limit{Limiter: newLimiter(), Key: key}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
					return response(r, 200, map[bool]string{true: `{"error_code":11}`, false: `{}`}[name == "quota"]), nil
				}))
				send(t, rt, newRequest(t.Context(), "a.first"))
				method := "a.first"
				if name == "Keyed" {
					method = "a.second" // waits for room
				}
				for _, ended := range []bool{false, true} {
					ctx, cancel := context.WithCancelCause(t.Context())
					if ended {
						cancel(shutdown)
					} else {
						time.AfterFunc(time.Second/2, func() { cancel(shutdown) })
					}
					_, err := rt.RoundTrip(newRequest(ctx, method))
					if !errors.Is(err, context.Canceled) || !errors.Is(err, shutdown) || errors.Is(err, ratelimit.ErrLimited) {
						t.Errorf("ended before: %t: error is %v; want Canceled and the cause", ended, err)
					}
				}
			})
		})
	}
}

// A source that was collected does not lend its key to another one.
func TestSourcesDoNotInheritKeys(t *testing.T) {
	type byValue struct {
		*renewing
		name string
	}
	for name, fresh := range map[string]func() oauth2.TokenSource{
		"pointers":             func() oauth2.TokenSource { return &renewing{} },
		"structs with pointer": func() oauth2.TokenSource { return byValue{&renewing{}, "x"} },
		"x/oauth2":             func() oauth2.TokenSource { return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a"}) },
	} {
		keys := make(map[string]int)
		k := ratelimit.NewKeyed(-1, func(key string) ratelimit.Limiter { keys[key]++; return nil })
		const n = 20_000
		for i := range n {
			ctx := transport.WithTokenSource(t.Context(), fresh())
			must(t, k.Wait(ctx))
			must(t, k.Wait(ctx))
			if i%2000 == 0 {
				runtime.GC()
			}
		}
		if len(keys) != n {
			t.Errorf("%d %s had %d keys", n, name, len(keys))
		}
	}
}

// named is a source that reports its key.
type named struct {
	renewing
	key string
}

func (s *named) LimitKey() string { return s.key }

var _ okcall.LimitKeyer = (*named)(nil)

func TestSourceReportsItsKey(t *testing.T) {
	var keys []string
	k := ratelimit.NewKeyed(0, func(key string) ratelimit.Limiter { keys = append(keys, key); return nil })
	for _, key := range []string{"user 7f3a", "user 7f3a", ""} {
		must(t, k.Wait(transport.WithTokenSource(t.Context(), &named{key: key})))
	}
	if len(keys) != 2 || keys[0] != "user 7f3a" || !strings.HasPrefix(keys[1], okcall.LocalKey) {
		t.Errorf("keys are %q; want the reported one, and one of this process", keys)
	}
}

func TestKeyOfMethodAndSession(t *testing.T) {
	ctx := transport.WithTokenSource(t.Context(), &named{key: "user 7f3a"})
	for want, ctx := range map[string]context.Context{"users.getInfo ": t.Context(), "users.getInfo user 7f3a": ctx} {
		if got := ratelimit.ByMethodAndSession(newRequest(ctx, "users.getInfo")); got != want {
			t.Errorf("the key is %q, want %q", got, want)
		}
	}
}

// A nil token, set by mistake, has a key like a session.
func TestNilTokenHasAKey(t *testing.T) {
	var keys []string
	k := ratelimit.NewKeyed(0, func(key string) ratelimit.Limiter { keys = append(keys, key); return nil })
	must(t, k.Wait(transport.WithToken(t.Context(), nil)))
	if len(keys) != 1 || keys[0] == "" {
		t.Errorf("keys are %q; want one that is not empty", keys)
	}
}

func TestKeyedWithoutABound(t *testing.T) {
	k := ratelimit.NewKeyed(-1, func(string) ratelimit.Limiter { return ratelimit.NewBucket(1, 1) })
	for i := range 20_000 {
		must(t, k.For(string(rune(i))).Wait(t.Context()))
	}
	if k.Len() < 17_000 { // surrogates are one key
		t.Errorf("an unbounded set has %d keys", k.Len())
	}
}

// Every public method is called from two goroutines. The race detector reports
// a lock that is missing.
func TestEveryMethodConcurrently(t *testing.T) {
	b, a := ratelimit.NewBucket(rate.Inf, 1), ratelimit.NewAdaptive(0, 0)
	k := ratelimit.NewKeyed(2, func(string) ratelimit.Limiter { return ratelimit.NewAdaptive(1e6, 1e6) })
	limit := ratelimit.Limit{Limiter: k, Key: ratelimit.ByMethodAndSession}
	var n int
	var mu sync.Mutex
	rt := limit.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		n++
		return response(r, 200, []string{`{}`, `{"error_code":11}`, `{"error_code":8}`}[n%3]), nil
	}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/4)
	defer cancel()
	var group sync.WaitGroup
	for range 2 {
		for _, call := range []func(){
			func() { _ = b.Wait(ctx) }, func() { b.SetLimit(1e9) }, func() { b.SetBurst(2) }, func() { b.Limit() }, func() { b.Burst() }, func() { b.Tokens() },
			func() { _ = a.Wait(ctx) }, func() { a.Observe(ratelimit.Outcome{Throttled: true, Sent: time.Now()}) }, func() { a.Limit() },
			func() { _ = k.Wait(ctx) }, func() { k.Len() }, func() { _ = k.For("a").Wait(ctx) }, func() { k.For("b").(ratelimit.Observer).Observe(ratelimit.Outcome{}) },
			func() { _ = limit.Charge(newRequest(ctx, "a.b")) }, func() { _, _ = rt.RoundTrip(newRequest(ctx, "a.b")) }, func() { _, _ = rt.RoundTrip(newRequest(ctx, "a.c")) },
		} {
			group.Go(func() {
				for range 100 {
					call()
				}
			})
		}
	}
	group.Wait()
}

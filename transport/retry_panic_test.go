package transport_test

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-okru/okru/transport"
)

// A panicking logger panics at call number n, from 1.
type panicking struct{ left int }

func (p *panicking) count() {
	if p.left--; p.left == 0 {
		panic("hook")
	}
}

func (p *panicking) Printf(string, ...any) { p.count() }

// A panic of whatever the program has given to Retry goes up to the caller. All
// bodies are closed, and a repeat that was not sent costs nothing. The same
// holds for runtime.Goexit, by which t.FailNow ends.
func TestPanicsLeaveNothingBehind(t *testing.T) {
	hooks := map[string]func(*panicking) transport.Retry{
		"If": func(p *panicking) transport.Retry {
			return transport.Retry{If: func(a transport.Attempt) bool { p.count(); return true }}
		},
		"OnRetry": func(p *panicking) transport.Retry {
			return transport.Retry{OnRetry: func(transport.Attempt) { p.count() }}
		},
		"Backoff": func(p *panicking) transport.Retry {
			return transport.Retry{Backoff: func(time.Duration, time.Duration, int, *http.Response) time.Duration { p.count(); return 0 }}
		},
		"CheckRetry": func(p *panicking) transport.Retry {
			return transport.Retry{CheckRetry: func(context.Context, *http.Response, error) (bool, error) { p.count(); return true, nil }}
		},
		"CheckRetry of the client": func(p *panicking) transport.Retry {
			return transport.Retry{Client: configured(func(c *retryablehttp.Client) {
				c.CheckRetry = func(context.Context, *http.Response, error) (bool, error) { p.count(); return true, nil }
			})}
		},
		"Logger": func(p *panicking) transport.Retry {
			return transport.Retry{Client: configured(func(c *retryablehttp.Client) { c.Logger = p })}
		},
		"RequestLogHook": func(p *panicking) transport.Retry {
			return transport.Retry{Client: configured(func(c *retryablehttp.Client) {
				c.RequestLogHook = func(retryablehttp.Logger, *http.Request, int) { p.count() }
			})}
		},
		"ResponseLogHook": func(p *panicking) transport.Retry {
			return transport.Retry{Client: configured(func(c *retryablehttp.Client) {
				c.ResponseLogHook = func(retryablehttp.Logger, *http.Response) { p.count() }
			})}
		},
	}
	for name, hook := range hooks {
		for at := 1; at <= 3; at++ {
			base := &script{outcomes: []outcome{respondWith(500, "page")}}
			p := new(panicking)
			retry := hook(p)
			retry.MinDelay = -1
			rt := retry.Wrap(base)
			var bodies tracked
			panics := 0
			for range 300 { // would spend the budget
				p.left = at
				r := bodies.post(t, t.Context(), "https://api.ok.ru/fb.do", "method=users.getInfo")
				func() {
					defer func() {
						if recover() != nil {
							panics++
						}
					}()
					resp, err := rt.RoundTrip(r)
					if err == nil {
						resp.Body.Close()
					}
				}()
			}
			if panics != 300 && at == 1 {
				t.Errorf("%s: %d panics of 300 came up", name, panics)
			}
			if base.open != 0 {
				t.Errorf("%s, call %d: %d responses left open", name, at, base.open)
			}
			bodies.check(t)
			if at > 1 {
				continue // some repeats were sent, and cost what they cost
			}
			p.left = 0
			base.forms = nil
			resp, err := rt.RoundTrip(newGet(t, t.Context(), readURL))
			if err != nil || base.attempts() < 4 {
				t.Errorf("%s: the next call makes %d attempts: %v", name, base.attempts(), err)
				continue
			}
			resp.Body.Close()
		}
	}
}

func TestGoexitLeavesNothingBehind(t *testing.T) {
	base := &script{outcomes: []outcome{respondWith(500, "page")}}
	rt := transport.Retry{OnRetry: func(transport.Attempt) { runtime.Goexit() }}.Wrap(base)
	var bodies tracked
	var exits sync.WaitGroup
	for range 300 {
		r := bodies.post(t, t.Context(), "https://api.ok.ru/fb.do", "method=users.getInfo")
		exits.Go(func() { _, _ = rt.RoundTrip(r) })
		exits.Wait()
	}
	if base.attempts() != 300 || base.open != 0 {
		t.Errorf("%d attempts, %d responses left open", base.attempts(), base.open)
	}
	bodies.check(t)
}

// A panic of the layer below ends the timeout of its attempt.
func TestPanicBelowEndsAttempt(t *testing.T) {
	var ended context.Context
	rt := transport.Retry{AttemptTimeout: time.Hour}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		ended = r.Context()
		panic("below")
	}))
	func() {
		defer func() { _ = recover() }()
		_, _ = rt.RoundTrip(newGet(t, t.Context(), readURL))
	}()
	if ended == nil || ended.Err() == nil {
		t.Error("the context of the attempt goes on")
	}
}

package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/rttest"
	"github.com/go-okru/okru/transport"
)

func TestLimitContract(t *testing.T) {
	spent := func(edit func(*ratelimit.Bucket)) func(http.RoundTripper) http.RoundTripper {
		return func(next http.RoundTripper) http.RoundTripper {
			b := ratelimit.NewBucket(0.0001, 1)
			if err := b.Wait(context.Background()); err != nil {
				panic(err)
			}
			edit(b)
			return ratelimit.Limit{Limiter: b}.Wrap(next)
		}
	}
	for name, limiter := range map[string]func() ratelimit.Limiter{
		"none":         func() ratelimit.Limiter { return nil },
		"rate.Limiter": func() ratelimit.Limiter { return rate.NewLimiter(1000, 1) },
		"Bucket":       func() ratelimit.Limiter { return ratelimit.NewBucket(1000, 1) },
		"Adaptive":     func() ratelimit.Limiter { return ratelimit.NewAdaptive(1, 1000) },
		"Keyed": func() ratelimit.Limiter {
			return ratelimit.NewKeyed(3, func(string) ratelimit.Limiter { return ratelimit.NewAdaptive(1, 1000) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			rttest.Run(t, rttest.Kit{
				Wrap: func(next http.RoundTripper) http.RoundTripper {
					return ratelimit.Limit{Limiter: limiter()}.Wrap(next)
				},
				Responses: []rttest.Response{{Body: `{"error_code":8,"error_msg":"x"}`}, {Body: `{"error_code":11,"error_msg":"x"}`}},
				Reject:    spent(func(b *ratelimit.Bucket) { b.MaxQueue, b.MaxWait = 1, 1 }),
				Stall:     spent(func(*ratelimit.Bucket) {}),
				Verbatim:  true,
			})
		})
	}
}

func TestLimitTellsTheOutcome(t *testing.T) {
	down := errors.New("down")
	for _, test := range []struct {
		name   string
		status int
		header http.Header
		text   string
		err    error
		want   ratelimit.Outcome
	}{
		{"success", 200, nil, `{}`, nil, ratelimit.Outcome{}},
		{"no response", 0, nil, "", down, ratelimit.Outcome{Err: down}},
		{"429", 429, http.Header{"Retry-After": {"7"}}, "", nil, ratelimit.Outcome{Throttled: true, RetryAfter: 7 * time.Second}},
		{"503", 503, nil, "", nil, ratelimit.Outcome{Throttled: true}},
		{"500", 500, http.Header{"Retry-After": {"7"}}, "", nil, ratelimit.Outcome{}},
		{"flood", 200, nil, `{"error_code":8}`, nil, ratelimit.Outcome{Throttled: true}},
		{"address blocked", 200, nil, `{"error_code":9}`, nil, ratelimit.Outcome{Throttled: true}},
		{"quota", 200, nil, `{"error_code":11}`, nil, ratelimit.Outcome{}},
		{"user blocked", 200, nil, `{"error_code":7}`, nil, ratelimit.Outcome{}},
		{"quota of an object", 200, nil, `{"error_code":26}`, nil, ratelimit.Outcome{}},
		{"spam", 200, nil, `{"error_code":511}`, nil, ratelimit.Outcome{}},
		{"payment", 200, nil, `{"error_code":1004}`, nil, ratelimit.Outcome{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := new(recorder)
				rt := ratelimit.Limit{Limiter: l}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
					if test.err != nil {
						return nil, test.err
					}
					resp := response(r, test.status, test.text)
					if test.header != nil {
						resp.Header = test.header
					}
					return resp, nil
				}))
				test.want.Sent = time.Now()
				rt.RoundTrip(newRequest(t.Context(), "users.getInfo"))
				if l.waits != 1 || len(l.seen) != 1 || l.seen[0] != test.want {
					t.Errorf("%d waits, observed %+v, want %+v", l.waits, l.seen, test.want)
				}
			})
		})
	}
}

// Only responses to API calls count, and only their bodies are read: others may
// be streams that have yet to begin.
func TestLimitLearnsFromCallsOnly(t *testing.T) {
	signer := func(next http.RoundTripper) http.RoundTripper {
		return transport.Signer{ApplicationKey: "KEY", Circuit: transport.Unsigned, Hosts: []string{"gateway.example"}}.Wrap(next)
	}
	bare := func(next http.RoundTripper) http.RoundTripper { return next }
	for _, test := range []struct {
		url   string
		below transport.Middleware
		call  bool
	}{
		{"https://api.ok.ru/fb.do?method=users.getInfo", bare, true},
		{"https://api.ok.ru/api/users/getInfo", bare, true},
		{"https://api.ok.ru/upload", bare, false},
		{"https://other.example/fb.do", bare, false},
		{"https://other.example/api/users/getInfo", bare, false},
		{"https://other.example/api/v1/events/stream", bare, false},
		{"http://127.0.0.1/fb.do", bare, false},
		{"https://gateway.example/fb.do?method=users.getInfo", bare, false},
		{"https://gateway.example/fb.do?method=users.getInfo", signer, true},
		{"https://gateway.example/api/users/getInfo", signer, true},
		{"https://gateway.example/upload", signer, false},
		{"https://api.ok.ru/fb.do?method=users.getInfo", signer, false},
	} {
		for _, status := range []int{200, 429} {
			l := new(recorder)
			read := false
			rt := ratelimit.Limit{Limiter: l}.Wrap(test.below(transport.Func(func(r *http.Request) (*http.Response, error) {
				resp := response(r, status, "")
				resp.Header.Set("Retry-After", "99999999999")
				body := strings.NewReader(`{"error_code":8}`)
				resp.Body = io.NopCloser(readFunc(func(p []byte) (int, error) {
					read = true
					return body.Read(p)
				}))
				return resp, nil
			})))
			r, _ := http.NewRequestWithContext(t.Context(), "GET", test.url, nil)
			send(t, rt, r)
			o := l.seen[0]
			if o.Err != nil && o.Err.Error() != "okru: the request was no call of the API" {
				t.Errorf("%s: Err is %v", test.url, o.Err)
			}
			if len(l.seen) != 1 || read != test.call || o.Throttled != test.call || (o.Err == nil) != test.call || o.RetryAfter > 10*time.Minute {
				t.Errorf("%d of %s: the body was read: %t, the outcome is %+v; want a call: %t", status, test.url, read, l.seen, test.call)
			}
		}
	}
}

// The verdict of a layer below counts, and the verdict of this layer is passed
// on, whatever a layer in between does to the body.
func TestLimitPassesTheVerdictOn(t *testing.T) {
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		return response(r, http.StatusOK, `{"error_code":8,"error_msg":"FLOOD_BLOCKED : x"}`), nil
	})
	inner := ratelimit.Limit{Limiter: new(recorder)}.Wrap(base)
	outer := ratelimit.Limit{Limiter: new(recorder)}.Wrap(inner)
	resp, verdict, err := outer.(roundtrip.Verdicter).RoundTripVerdict(newRequest(t.Context(), "users.getInfo"))
	must(t, err)
	resp.Body.Close()
	if !verdict.Inspected || !errors.Is(verdict.Err, okerrors.CodeFloodBlocked) {
		t.Errorf("the verdict is %+v; want code 8", verdict)
	}
}

// A layer below may send another request: the response has that of the caller.
func TestLimitRestoresTheRequest(t *testing.T) {
	for name, limiter := range map[string]ratelimit.Limiter{"none": nil, "Bucket": ratelimit.NewBucket(1000, 1), "Observer": new(recorder)} {
		rt := ratelimit.Limit{Limiter: limiter}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			return response(r.Clone(r.Context()), http.StatusOK, "{}"), nil
		}))
		r := newRequest(t.Context(), "users.getInfo")
		resp, err := rt.RoundTrip(r)
		if err != nil || resp.Request != r {
			t.Errorf("%s: the response is that of another request (%v)", name, err)
			continue
		}
		resp.Body.Close()
	}
}

func TestLimitPrintsItsTransport(t *testing.T) {
	rt := ratelimit.Limit{Limiter: new(recorder)}.Wrap(transport.Func(nil))
	if got := fmt.Sprintf("%v", rt); got != "ratelimit.Limit(transport.Func)" {
		t.Errorf("it prints as %s", got)
	}
}

// A trace is told of each wait for a limiter, also for room in a Keyed and for the
// slot that Charge takes.
func TestLimitTracesItsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []transport.LimitedInfo
		ctx := transport.WithTrace(t.Context(), &transport.Trace{Limited: func(i transport.LimitedInfo) { waits = append(waits, i) }})
		limit := ratelimit.Limit{Limiter: ratelimit.NewKeyed(1, func(string) ratelimit.Limiter { return ratelimit.NewBucket(1, 1) }), Key: ratelimit.ByMethod}
		rt := limit.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			must(t, limit.Charge(r))
			return response(r, http.StatusOK, "{}"), nil
		}))
		send(t, rt, newRequest(ctx, "a.b"))
		ended, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if _, err := rt.RoundTrip(newRequest(ended, "c.d")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		want := []transport.LimitedInfo{{N: 1}, {N: 1, Wait: time.Second}, {N: 1, Wait: 100 * time.Millisecond, Err: context.DeadlineExceeded}}
		if !slices.Equal(waits, want) {
			t.Errorf("the waits are %+v, want %+v", waits, want)
		}
	})
}

// keyless is a Keyer with no limiter for any key.
type keyless struct{ recorder }

func (*keyless) For(string) ratelimit.Limiter { return nil }

func TestLimitOfAKeyWithoutLimiter(t *testing.T) {
	limit := ratelimit.Limit{Limiter: new(keyless)}
	rt := limit.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		must(t, limit.Charge(r))
		return response(r, http.StatusOK, `{}`), nil
	}))
	send(t, rt, newRequest(t.Context(), "users.getInfo"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rt.RoundTrip(newRequest(ctx, "users.getInfo")); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v; want that of the context", err)
	}
}

func TestLimitRefusalIsFinal(t *testing.T) {
	keyed := ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewBucket(1, 0) })
	for name, limiter := range map[string]ratelimit.Limiter{
		"Bucket": ratelimit.NewBucket(1, 0), "rate.Limiter": rate.NewLimiter(1, 0), "Keyed": keyed, "foreign": &recorder{err: errors.New("no")},
	} {
		limit := ratelimit.Limit{Limiter: limiter, Key: func(*http.Request) string { return "alice" }}
		r := newRequest(t.Context(), "users.getInfo")
		_, err := limit.Wrap(nil).RoundTrip(r)
		for _, err := range []error{err, limit.Charge(r)} {
			limited, ok := errors.AsType[*ratelimit.LimitedError](err)
			if !ok || !errors.Is(err, ratelimit.ErrLimited) || !limited.Terminal() {
				t.Errorf("%s: error is %v", name, err)
			} else if name == "Keyed" && limited.Key != "alice" {
				t.Errorf("the error does not name the key: %v", err)
			}
		}
	}
}

func TestLimitSaysIfTheDeadlineIsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, limiter := range map[string]ratelimit.Limiter{"Bucket": ratelimit.NewBucket(0.1, 1), "rate.Limiter": rate.NewLimiter(0.1, 1)} {
			limit := ratelimit.Limit{Limiter: limiter}
			must(t, limit.Charge(newRequest(t.Context(), "a.b")))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			err := limit.Charge(newRequest(ctx, "a.b"))
			cancel()
			if !errors.Is(err, ratelimit.ErrLimited) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: error is %v", name, err)
			}
		}
	})
}

// By default there is one limit for each session, and keys show no token.
func TestLimitPerSession(t *testing.T) {
	const secret = "canary-token-1a2b3c"
	var keys []string
	keyed := ratelimit.NewKeyed(0, func(key string) ratelimit.Limiter {
		keys = append(keys, key)
		return ratelimit.NewBucket(1, 0)
	})
	rt := ratelimit.Limit{Limiter: keyed}.Wrap(nil)
	one := &renewing{}
	for _, ctx := range []context.Context{
		t.Context(),
		transport.WithToken(t.Context(), &oauth2.Token{AccessToken: secret}),
		transport.WithToken(t.Context(), &oauth2.Token{AccessToken: secret}),
		transport.WithToken(t.Context(), &oauth2.Token{AccessToken: "another"}),
		transport.WithTokenSource(t.Context(), one),
		transport.WithTokenSource(t.Context(), one),
		transport.WithTokenSource(t.Context(), &renewing{}),
	} {
		_, err := rt.RoundTrip(newRequest(ctx, "a.b"))
		canary.Check(t, err, secret)
	}
	if len(keys) != 5 || keys[0] != "" {
		t.Errorf("keys are %q, want five, the first empty", keys)
	}
	canary.Check(t, keys, secret)
	canary.Check(t, keyed, secret)
	canary.Check(t, rt, secret)
}

type renewing struct{ n int }

func (s *renewing) Token() (*oauth2.Token, error) { s.n++; return nil, nil }

func BenchmarkLimit(b *testing.B) {
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}
	base := transport.Func(func(*http.Request) (*http.Response, error) { return resp, nil })
	for name, limiter := range map[string]ratelimit.Limiter{
		"bare": nil, "rate.Limiter": rate.NewLimiter(rate.Inf, 1), "Bucket": ratelimit.NewBucket(rate.Inf, 1),
		"Adaptive": ratelimit.NewAdaptive(1e9, 1e9),
		"Keyed":    ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewBucket(rate.Inf, 1) }),
	} {
		b.Run(name, func(b *testing.B) {
			rt := ratelimit.Limit{Limiter: limiter}.Wrap(base)
			r := newRequest(transport.WithToken(b.Context(), &oauth2.Token{AccessToken: "token"}), "users.getInfo")
			b.ReportAllocs()
			for b.Loop() {
				_, _ = rt.RoundTrip(r)
			}
		})
	}
}

// A Key, Limiter or Observer that panics leaves no body open.
func TestLimitContractWhenHooksPanic(t *testing.T) {
	clean := ratelimit.Limit{Limiter: ratelimit.NewBucket(1000, 1)}.Wrap
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{
		"Wait":    ratelimit.Limit{Limiter: panicsInWait{}}.Wrap,
		"Observe": ratelimit.Limit{Limiter: panicsInObserve{}}.Wrap,
		"Key": ratelimit.Limit{
			Limiter: ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewBucket(1000, 1) }),
			Key:     func(*http.Request) string { panic("hook") },
		}.Wrap,
	} {
		t.Run(name, func(t *testing.T) { rttest.Run(t, rttest.Kit{Wrap: clean, Panic: wrap}) })
	}
}

type panicsInWait struct{}

func (panicsInWait) Wait(context.Context) error { panic("hook") }

type panicsInObserve struct{}

func (panicsInObserve) Wait(context.Context) error { return nil }
func (panicsInObserve) Observe(ratelimit.Outcome)  { panic("hook") }

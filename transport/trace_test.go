package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// events are what the hooks of a Trace report, as text, in order.
type events []string

func (e *events) add(format string, args ...any) { *e = append(*e, fmt.Sprintf(format, args...)) }

func (e *events) trace() *transport.Trace {
	return &transport.Trace{
		Limited: func(i transport.LimitedInfo) { e.add("limited %d %v %v", i.N, i.Wait, i.Err) },
		Attempt: func(i transport.AttemptInfo) {
			e.add("attempt %d %s %s %v %s", i.N, i.Verb, i.Method, i.Circuit, i.URL)
		},
		Renewed: func(i transport.RenewedInfo) {
			e.add("renewed %d %d %d %v %v %t", i.N, i.Status, i.Code, i.Took, i.Err, i.Repeated)
		},
		Done: func(i transport.DoneInfo) {
			renewed := ""
			if i.Renewed {
				renewed = "renewed "
			}
			e.add("done %d %s %v %s%d %d %v", i.N, i.Method, i.Circuit, renewed, i.Status, i.Code, i.Err)
		},
	}
}

func (e events) check(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(e, want) {
		t.Errorf("events are\n\t%s\nwant\n\t%s", strings.Join(e, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// patient is a limiter and a source that makes everything wait.
type patient struct {
	renewable
	wait time.Duration
	deny int // the number of the Wait that fails; 0: none
	n    int
}

var errDenied = errors.New("denied")

func (s *patient) Wait(ctx context.Context) error {
	time.Sleep(s.wait)
	if s.n++; s.n == s.deny {
		return errDenied
	}
	return nil
}

func (s *patient) Token() (*oauth2.Token, error) {
	if s.n > 1 {
		time.Sleep(s.wait)
	}
	return s.renewable.Token()
}

// traced sends r through a whole stack, and returns what a Trace of it saw.
func traced(t *testing.T, base http.RoundTripper, s *patient, r *http.Request) (events, error) {
	t.Helper()
	limit := ratelimit.Limit{Limiter: s}
	signer := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: s, BeforeRepeat: limit.Charge}
	rt := transport.Chain(base, transport.Retry{MinDelay: -1}.Wrap, limit.Wrap, signer.Wrap)
	var e events
	resp, err := rt.RoundTrip(r.WithContext(transport.WithTrace(r.Context(), e.trace())))
	if err == nil {
		resp.Body.Close()
	}
	return e, err
}

func TestTraceReportsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &script{outcomes: []outcome{respondWith(200, apiError(2, "SERVICE : x")), failure(errBroken), respondWith(503, "page"), respondWith(200, `{}`)}}
		e, err := traced(t, base, &patient{wait: time.Second}, get("uids=1&fields=uid,name&method=users.getInfo"))
		const url = "https://api.ok.ru/fb.do?uids=REDACTED&fields=uid,name&method=users.getInfo"
		e.check(t,
			"limited 1 1s <nil>",
			"attempt 1 GET users.getInfo ServerServer "+url,
			"done 1 users.getInfo ServerServer 200 2 okru: users.getInfo: SERVICE (2): x",
			"limited 2 1s <nil>",
			"attempt 2 GET users.getInfo ServerServer "+url,
			"done 2 users.getInfo ServerServer 0 0 connection broken",
			"limited 3 1s <nil>",
			"attempt 3 GET users.getInfo ServerServer "+url,
			"done 3 users.getInfo ServerServer 503 0 <nil>",
			"limited 4 1s <nil>",
			"attempt 4 GET users.getInfo ServerServer "+url,
			"done 4 users.getInfo ServerServer 200 0 <nil>",
		)
		if err != nil {
			t.Error(err)
		}
	})
}

// The repeat after a renewal belongs to its attempt.
func TestTraceReportsRenewals(t *testing.T) {
	const limited, attempt = "limited 1 1s <nil>", "attempt 1 GET users.getInfo ServerServer https://api.ok.ru/fb.do?method=users.getInfo"
	const done102 = "done 1 users.getInfo ServerServer 200 102 okru: users.getInfo: PARAM_SESSION_EXPIRED (102): Session expired"
	for _, test := range []struct {
		name   string
		source *patient
		want   []string
	}{
		{"renewed", &patient{}, []string{limited, "renewed 1 200 102 1s <nil> true", "done 1 users.getInfo ServerServer renewed 200 0 <nil>"}},
		{"nothing newer", &patient{renewable: renewable{stuck: true}}, []string{"renewed 1 200 102 1s <nil> false", done102}},
		{"renewal fails", &patient{renewable: renewable{err: errors.New("down")}}, []string{"renewed 1 200 102 1s okru: no session: down false", done102}},
		{"limiter rejects", &patient{deny: 2}, []string{"limited 1 1s denied", "renewed 1 200 102 1s <nil> false", "done 1 users.getInfo ServerServer 0 0 okru: not sent, because of the local rate limit: denied"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &script{outcomes: []outcome{respondWith(200, apiError(102, "PARAM_SESSION_EXPIRED : Session expired")), respondWith(200, `{}`)}}
				source := test.source
				source.wait = time.Second
				source.n = 1 // a Token that waits, from the first call on
				if source.deny > 0 {
					source.deny++
				}
				e, _ := traced(t, base, source, get("method=users.getInfo"))
				e.check(t, append([]string{limited, attempt}, test.want...)...)
			})
		})
	}
}

// The session of one call cannot be renewed.
func TestTraceReportsNoRenewalOfFixedSession(t *testing.T) {
	base := &script{outcomes: []outcome{respondWith(200, apiError(102, "PARAM_SESSION_EXPIRED : Session expired"))}}
	r := get("method=users.getInfo")
	ctx := transport.WithToken(r.Context(), &oauth2.Token{AccessToken: "of this call"})
	e, _ := traced(t, base, new(patient), r.WithContext(ctx))
	if text := strings.Join(e, "\n"); strings.Contains(text, "renewed") || !strings.Contains(text, "done 1") {
		t.Error(text)
	}
}

func TestTraceReportsNoAttemptThatWasNotSent(t *testing.T) {
	base := &script{outcomes: []outcome{respondWith(200, `{}`)}}
	e, err := traced(t, base, &patient{deny: 1}, get("method=users.getInfo"))
	e.check(t, fmt.Sprintf("limited 1 %s denied", strings.Fields(e[0])[2]))
	if !errors.Is(err, errDenied) {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, rt := range map[string]http.RoundTripper{"Signer": signer().Wrap(base), "Retry": transport.Retry{}.Wrap(base)} {
		var e events
		if _, err := rt.RoundTrip(get("method=users.getInfo").WithContext(transport.WithTrace(ended, e.trace()))); err == nil || len(e) > 0 {
			t.Errorf("%s, after the end of the context: %v, events %v", name, err, e)
		}
	}
	var none events
	r := get("method=users.getInfo&method=again")
	_, err = signer().Wrap(base).RoundTrip(r.WithContext(transport.WithTrace(r.Context(), none.trace())))
	if none.check(t); err == nil {
		t.Error("no error")
	}
}

// Without a Signer, and for what is no call, Retry reports the attempts.
func TestTraceOfOtherStacks(t *testing.T) {
	upload, _ := http.NewRequest("PUT", "https://user:password@up.example/path/secret?apiToken=secret", strings.NewReader("photo"))
	path, _ := http.NewRequest("", "https://api.ok.ru/api/users/getInfo?uid=1&count=2&secret&&%41=1&anchor=a%20b", nil)
	for _, test := range []struct {
		name string
		rt   func(http.RoundTripper) http.RoundTripper
		r    *http.Request
		want string
	}{
		{"Retry", transport.Retry{}.Wrap, post("uid=1", "method=users.getInfo&sig=x"),
			"attempt 1 POST users.getInfo Auto https://api.ok.ru/fb.do?uid=REDACTED, done 1 users.getInfo Auto 200 0 <nil>"},
		{"Signer", signer().Wrap, path,
			"attempt 1 GET users.getInfo ServerServer https://api.ok.ru/api/users/getInfo?uid=REDACTED&count=2&anchor=a%20b, done 1 users.getInfo ServerServer 200 0 <nil>"},
		{"upload, Retry", transport.Retry{}.Wrap, upload, "attempt 1 PUT  Auto https://up.example/, done 1  Auto 200 0 <nil>"},
		{"upload, stack", func(next http.RoundTripper) http.RoundTripper {
			return transport.Chain(next, transport.Retry{}.Wrap, signer().Wrap)
		}, upload, "attempt 1 PUT  Auto https://up.example/, done 1  Auto 200 0 <nil>"},
		{"upload, Signer", signer().Wrap, upload, ""},
	} {
		var e events
		resp, err := test.rt(&script{outcomes: []outcome{respondWith(200, `{}`)}}).RoundTrip(test.r.WithContext(transport.WithTrace(t.Context(), e.trace())))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := strings.Join(e, ", "); got != test.want {
			t.Errorf("%s: events are %s; want %s", test.name, got, test.want)
		}
	}
}

func TestTraceReportsEachCircuit(t *testing.T) {
	s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: oauth.Static("token", "session-secret")}
	for _, c := range []transport.Circuit{transport.ServerServer, transport.ClientServer, transport.Sessionless, transport.Unsigned} {
		var got transport.Circuit
		ctx := transport.WithTrace(transport.WithCircuit(t.Context(), c), &transport.Trace{Attempt: func(i transport.AttemptInfo) { got = i.Circuit }})
		if _, err := s.Wrap(&script{outcomes: []outcome{respondWith(200, `{}`)}}).RoundTrip(get("method=users.getInfo").WithContext(ctx)); err != nil || got != c {
			t.Errorf("%v is reported as %v: %v", c, got, err)
		}
	}
}

// Hooks of nested Traces are called from the inside out; nil hooks are skipped.
func TestTracesCompose(t *testing.T) {
	var got []string
	hook := func(name string) func(transport.DoneInfo) {
		return func(transport.DoneInfo) { got = append(got, name) }
	}
	attempts := 0
	ctx := transport.WithTrace(t.Context(), &transport.Trace{Done: hook("outer"), Attempt: func(transport.AttemptInfo) { attempts++ }})
	ctx = transport.WithTrace(ctx, nil)
	ctx = transport.WithTrace(ctx, new(transport.Trace))
	ctx = transport.WithTrace(ctx, &transport.Trace{Done: hook("middle")})
	ctx = transport.WithTrace(ctx, &transport.Trace{Done: hook("inner")})
	ctx = transport.WithTrace(ctx, &transport.Trace{Limited: func(transport.LimitedInfo) { t.Error("there is no limiter") }})
	resp, err := signer().Wrap(&script{outcomes: []outcome{respondWith(200, `{}`)}}).RoundTrip(get("method=users.getInfo").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if want := []string{"inner", "middle", "outer"}; !slices.Equal(got, want) || attempts != 1 {
		t.Errorf("called %v, want %v; %d attempts", got, want, attempts)
	}
}

// Many calls may share the context of a Trace.
func TestTraceIsShared(t *testing.T) {
	var limited, attempts, done atomic.Int32
	ctx := transport.WithTrace(t.Context(), &transport.Trace{
		Limited: func(transport.LimitedInfo) { limited.Add(1) },
		Attempt: func(transport.AttemptInfo) { attempts.Add(1) },
		Done:    func(transport.DoneInfo) { done.Add(1) },
	})
	rt := transport.Chain(&script{outcomes: []outcome{respondWith(200, `{}`)}}, transport.Retry{}.Wrap,
		ratelimit.Limit{Limiter: ratelimit.NewBucket(1e6, 100)}.Wrap, signer().Wrap)
	var calls sync.WaitGroup
	for range 100 {
		calls.Go(func() {
			if resp, err := rt.RoundTrip(get("method=users.getInfo").WithContext(ctx)); err == nil {
				resp.Body.Close()
			}
		})
	}
	calls.Wait()
	if limited.Load() != 100 || attempts.Load() != 100 || done.Load() != 100 {
		t.Errorf("%d limited, %d attempts, %d done; want 100 each", limited.Load(), attempts.Load(), done.Load())
	}
}

// A panic of a hook leaves no body open, and neither queue nor budget changed.
func TestTraceHookPanics(t *testing.T) {
	for _, hook := range []string{"limited", "limited again", "attempt", "attempt again", "renewed", "done", "done again"} {
		for _, kind := range []string{"query", "form", "multipart", "upload"} {
			if kind == "upload" && hook == "renewed" {
				continue
			}
			t.Run(hook+"/"+kind, func(t *testing.T) { testHookPanics(t, hook, kind) })
		}
	}
}

func testHookPanics(t *testing.T, hook, kind string) {
	limiter := ratelimit.NewAdaptive(1e6, 1e6)
	keyed := ratelimit.NewKeyed(1, func(string) ratelimit.Limiter { return limiter })
	limit := ratelimit.Limit{Limiter: keyed}
	s := signer()
	s.BeforeRepeat = limit.Charge
	var base *script
	rt := transport.Chain(transport.Func(func(r *http.Request) (*http.Response, error) { return base.RoundTrip(r) }),
		transport.Retry{MinDelay: -1}.Wrap, limit.Wrap, s.Wrap)
	var bodies tracked
	newRequest := func(ctx context.Context) *http.Request {
		switch kind {
		case "query":
			return newGet(t, ctx, readURL)
		case "form":
			return bodies.post(t, ctx, "https://api.ok.ru/fb.do", "method=users.getInfo")
		case "upload":
			return bodies.post(t, transport.WithIdempotent(ctx, true), "https://up.example/", "photo")
		}
		r := bodies.post(t, ctx, readURL, "photo")
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		return r
	}
	left := map[string]int{strings.Fields(hook)[0]: 1 + strings.Count(hook, " ")}
	panicAt := func(event string) {
		if left[event]--; left[event] == 0 {
			panic("hook")
		}
	}
	ctx := transport.WithTrace(t.Context(), &transport.Trace{
		Limited: func(transport.LimitedInfo) { panicAt("limited") },
		Attempt: func(transport.AttemptInfo) { panicAt("attempt") },
		Renewed: func(transport.RenewedInfo) { panicAt("renewed") },
		Done:    func(transport.DoneInfo) { panicAt("done") },
	})
	panics := 0
	for range 250 { // more than the budget has
		s.TokenSource = new(renewable)
		base = &script{outcomes: []outcome{respondWith(500, "page"), respondWith(200, apiError(102, "PARAM_SESSION_EXPIRED : x")), respondWith(200, `{}`)}}
		stack := rt
		if kind != "upload" { // a new session each time
			stack = transport.Chain(base, transport.Retry{MinDelay: -1}.Wrap, limit.Wrap, s.Wrap)
		}
		left = map[string]int{strings.Fields(hook)[0]: 1 + strings.Count(hook, " ")}
		func() {
			defer func() {
				if recover() != nil {
					panics++
				}
			}()
			if resp, err := stack.RoundTrip(newRequest(ctx)); err == nil {
				resp.Body.Close()
			}
		}()
		if base.open != 0 {
			t.Fatalf("%d responses were left open", base.open)
		}
		bodies.check(t)
		bodies.bodies = nil
	}
	if panics != 250 {
		t.Errorf("%d panics of 250 came up", panics)
	}
	base = &script{outcomes: []outcome{respondWith(500, "page"), respondWith(200, `{}`)}}
	resp, err := rt.RoundTrip(newRequest(t.Context()))
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("the next call has no repeat or no slot: %v, %v", resp, err)
	}
	resp.Body.Close()
}

func TestTracePrintsNoSecret(t *testing.T) {
	expired := func(n int) string {
		return apiError(102, fmt.Sprint("PARAM_SESSION_EXPIRED : Session expired: ", canaryToken, n))
	}
	for name, r := range map[string]*http.Request{
		"GET":  get("method=users.getInfo&uids=canary-parameter&sig=canary-parameter&canary-parameter"),
		"POST": post("", "method=users.getInfo&uids=canary-parameter"),
	} {
		for _, end := range []outcome{failure(errors.New("broken " + canaryToken + "2")), respondWith(200, expired(2)), respondWith(200, `{}`)} {
			base := &script{outcomes: []outcome{respondWith(200, expired(1)), end}}
			s := canarySigner()
			s.TokenSource = new(canarySessions)
			var seen []any
			ctx := transport.WithTrace(t.Context(), &transport.Trace{
				Limited: func(i transport.LimitedInfo) { seen = append(seen, i) },
				Attempt: func(i transport.AttemptInfo) { seen = append(seen, i) },
				Renewed: func(i transport.RenewedInfo) { seen = append(seen, i) },
				Done:    func(i transport.DoneInfo) { seen = append(seen, i) },
			})
			resp, err := transport.Retry{Max: -1}.Wrap(s.Wrap(base)).RoundTrip(r.Clone(ctx))
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			if len(seen) < 3 {
				t.Errorf("%s: only %d events", name, len(seen))
			}
			for _, info := range append(seen, ctx) {
				canary.Check(t, info, append(canaries, "canary-parameter")...)
			}
		}
	}
}

// canarySessions has another session each time.
type canarySessions struct{ n int }

func (s *canarySessions) Token() (*oauth2.Token, error) {
	s.n++ // 1: signed; 2: the one after the rejection, which is sent
	return oauth.Static(fmt.Sprint(canaryToken, s.n), canarySession).Token()
}

// What a Trace costs, of which a call without one pays nothing.
func BenchmarkTrace(b *testing.B) {
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}
	rt := transport.Chain(transport.Func(func(*http.Request) (*http.Response, error) { return resp, nil }),
		transport.Retry{}.Wrap, ratelimit.Limit{Limiter: ratelimit.NewBucket(1e9, 1e9)}.Wrap, signer().Wrap)
	all := &transport.Trace{
		Limited: func(transport.LimitedInfo) {}, Attempt: func(transport.AttemptInfo) {},
		Renewed: func(transport.RenewedInfo) {}, Done: func(transport.DoneInfo) {},
	}
	for _, bench := range []struct {
		name  string
		trace *transport.Trace
	}{{"none", nil}, {"no hooks", new(transport.Trace)}, {"all hooks", all}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			r := get("method=users.getInfo&uids=1")
			r = r.WithContext(transport.WithTrace(r.Context(), bench.trace))
			for b.Loop() {
				if _, err := rt.RoundTrip(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestMethodFindsTheMethod(t *testing.T) {
	path, _ := http.NewRequest("GET", "https://elsewhere.example/api/users/getInfo", nil)
	other, _ := http.NewRequest("GET", "https://api.ok.ru/other?method=users.getInfo", nil)
	for want, list := range map[string][]*http.Request{
		"users.getInfo": {get("method=users.getInfo"), post("", "a=b&method=users.getInfo"), path},
		"":              {nil, other, get("")},
	} {
		for i, r := range list {
			if got := transport.Method(r); got != want {
				t.Errorf("%d: method is %q, want %q", i, got, want)
			}
		}
	}
}

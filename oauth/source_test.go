package oauth_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

func TestSourceCaches(t *testing.T) {
	g := numbered(0)
	s := oauth.NewSource(g, oauth.Options{})
	wantCalls(t, g, 0)
	for range 3 {
		want(t, s, "T1")
	}
	wantCalls(t, g, 1)
}

func TestSourceCopiesPointedGrant(t *testing.T) {
	g := &oauth.Refresh{}
	s := oauth.NewSource(g, oauth.Options{})
	g.ClientID = "changed later"
	if err := wantErr(t, s, nil); !strings.Contains(err.Error(), "ClientID") {
		t.Errorf("error is %v, want one about the empty ClientID", err)
	}
}

// The Signer asks for the session of every call: it must cost nothing.
func TestTokenContextDoesNotAllocate(t *testing.T) {
	sources := map[string]interface {
		TokenContext(context.Context) (*oauth2.Token, error)
	}{
		"unclocked": oauth.NewSource(unclocked(), oauth.Options{}),
		"clocked":   oauth.NewSource(numbered(time.Hour), oauth.Options{}),
		"static": oauth.Static("T1", "secret").(interface {
			TokenContext(context.Context) (*oauth2.Token, error)
		}),
	}
	for name, s := range sources {
		if _, err := s.TokenContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = s.TokenContext(t.Context()) }); n != 0 {
			t.Errorf("%s: TokenContext makes %v allocations, want 0", name, n)
		}
	}
}

func TestOneRenewalForThousandCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(time.Hour)
		g.delay = 50 * time.Millisecond
		s := oauth.NewSource(renewing{g}, oauth.Options{})
		old := want(t, s, "T1")
		s.Invalidate(old)
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				want(t, s, "T2")
				s.Invalidate(old) // a late refusal of the old session
			})
		}
		callers.Wait()
		want(t, s, "T2")
		wantCalls(t, g, 2)
		if g.calls[1] != "renew T1 R1" {
			t.Errorf("the grant was asked to %q, want it to renew T1 by R1", g.calls[1])
		}
	})
}

func TestInvalidateIgnoresOldNews(t *testing.T) {
	g := &script{answer: func(int) (*oauth2.Token, error) {
		return token("T", "", 0).WithExtra(map[string]any{"session_secret_key": "S"}), nil
	}}
	s := oauth.NewSource(g, oauth.Options{})
	s.Invalidate(token("T", "", 0)) // before the first use
	current := want(t, s, "T")
	for name, other := range map[string]*oauth2.Token{
		"no token":           nil,
		"other access token": token("U", "", 0).WithExtra(map[string]any{"session_secret_key": "S"}),
		"other secret":       token("T", "", 0).WithExtra(map[string]any{"session_secret_key": "X"}),
		"no secret":          token("T", "", 0),
	} {
		s.Invalidate(other)
		if want(t, s, "T"); g.count() != 1 {
			t.Fatalf("%s: Invalidate caused a renewal", name)
		}
	}
	s.Invalidate(current)
	want(t, s, "T")
	wantCalls(t, g, 2)
}

// OK's long and eternal sessions outlive their stated expiry.
func TestClockDecidesNothingWithoutRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := unclocked()
		s := oauth.NewSource(g, oauth.Options{})
		old := want(t, s, "T1")
		time.Sleep(10 * 365 * 24 * time.Hour)
		want(t, s, "T1")
		synctest.Wait()
		wantCalls(t, g, 1)
		s.Invalidate(old)
		want(t, s, "T2")
	})
}

func TestEarlyRenewal(t *testing.T) {
	const life = 30 * time.Minute
	tests := map[string]struct {
		early time.Duration
		after time.Duration // of the second use
		now   string        // what the second use gets
		waits bool
		asked int // how often the grant was, in the end
	}{
		"before":             {0, life - time.Minute - 1, "T1", false, 1},
		"in the last minute": {0, life - time.Minute, "T1", false, 2},
		"just not expired":   {0, life - 1, "T1", false, 2},
		"expired":            {0, life, "T2", true, 2},
		"long expired":       {0, 24 * time.Hour, "T2", true, 2},
		"as configured":      {10 * time.Minute, life - 10*time.Minute, "T1", false, 2},
		"off":                {-1, life - 1, "T1", false, 1},
		"off and expired":    {-1, life, "T2", true, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := numbered(life)
				s := oauth.NewSource(renewing{g}, oauth.Options{Early: test.early})
				want(t, s, "T1")
				time.Sleep(test.after)
				g.delay = time.Second
				start := time.Now()
				want(t, s, test.now)
				if waited := time.Since(start) > 0; waited != test.waits {
					t.Errorf("the caller waited: %v, want %v", waited, test.waits)
				}
				time.Sleep(2 * time.Second)
				wantCalls(t, g, test.asked)
				if test.asked == 2 {
					want(t, s, "T2")
				}
			})
		})
	}
}

func TestEarlyRenewalHappensOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(30 * time.Minute)
		g.delay = time.Second
		s := oauth.NewSource(g, oauth.Options{})
		want(t, s, "T1")
		time.Sleep(29*time.Minute + 30*time.Second)
		for range 100 {
			want(t, s, "T1")
		}
		time.Sleep(2 * time.Second)
		want(t, s, "T2")
		wantCalls(t, g, 2)
	})
}

// A session that lives shorter than Early would be renewed by each use.
func TestShortSessionsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(20 * time.Second)
		s := oauth.NewSource(g, oauth.Options{})
		for range 100 {
			if _, err := s.Token(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := g.count(); n > 12 {
			t.Errorf("%d renewals in 100 s of sessions that live 20 s, want one per 10 s", n)
		}
	})
}

func TestOldSessionServesWhileEarlyRenewalFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hooks
		g := numbered(30 * time.Minute)
		first := g.answer
		g.answer = func(n int) (*oauth2.Token, error) {
			if n > 1 {
				return nil, errNetwork
			}
			return first(n)
		}
		s := oauth.NewSource(renewing{g}, h.options(nil))
		want(t, s, "T1")
		time.Sleep(29 * time.Minute)
		for range 59 {
			want(t, s, "T1")
			time.Sleep(time.Second)
		}
		if n := g.count() - 1; n != 12 {
			t.Errorf("%d renewals were tried within a minute, want one per 5 s", n)
		}
		time.Sleep(time.Second)
		wantErr(t, s, errNetwork)
		if len(h.errs) != g.count()-1 {
			t.Errorf("OnError heard of %d failures of %d", len(h.errs), g.count()-1)
		}
	})
}

func TestCoolDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := failing(errNetwork)
		g.delay = 30 * time.Millisecond
		s := oauth.NewSource(g, oauth.Options{})
		storm := func() {
			var callers sync.WaitGroup
			for range 20 {
				callers.Go(func() { wantErr(t, s, errNetwork) })
			}
			callers.Wait()
			for range 20 {
				wantErr(t, s, errNetwork)
			}
		}
		storm()
		wantCalls(t, g, 1)
		time.Sleep(4 * time.Second)
		if err := wantErr(t, s, errNetwork); !strings.Contains(err.Error(), "next attempt in 1s") {
			t.Errorf("error %q does not say that 1 s is left", err)
		}
		time.Sleep(time.Second)
		storm()
		wantCalls(t, g, 2)
		g.answer = numbered(0).answer
		time.Sleep(5 * time.Second)
		want(t, s, "T3")
	})
}

func TestCoolDownOff(t *testing.T) {
	g := failing(errNetwork)
	s := oauth.NewSource(g, oauth.Options{CoolDown: -1})
	for range 3 {
		if err := wantErr(t, s, errNetwork); strings.Contains(err.Error(), "next attempt") {
			t.Errorf("error %q promises a pause", err)
		}
	}
	wantCalls(t, g, 3)
}

func TestCallerWaitsNoLongerThanHisContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(0)
		g.delay = 10 * time.Second
		s := oauth.NewSource(g, oauth.Options{})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := s.TokenContext(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 50*time.Millisecond {
			t.Errorf("after %v: %v; want the deadline, after 50ms", time.Since(start), err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := s.TokenContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled caller gets %v", err)
		}
		// The renewal goes on without the caller who began it.
		want(t, s, "T1")
		if time.Since(start) != 10*time.Second {
			t.Errorf("the session came after %v, want 10s", time.Since(start))
		}
		wantCalls(t, g, 1)
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := s.TokenContext(ctx); err != nil {
			t.Errorf("a session at hand is refused to a cancelled caller: %v", err)
		}
	})
}

func TestCancelledCallerBeginsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(0)
		s := oauth.NewSource(g, oauth.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.TokenContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		synctest.Wait()
		wantCalls(t, g, 0)
	})
}

func TestTimeout(t *testing.T) {
	tests := map[string]struct{ timeout, want time.Duration }{
		"default":    {0, 30 * time.Second},
		"configured": {time.Second, time.Second},
		"off":        {-1, time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := numbered(0)
				g.delay = time.Hour
				s := oauth.NewSource(g, oauth.Options{Timeout: test.timeout})
				start := time.Now()
				if _, err := s.Token(); (err == nil) != (test.timeout < 0) {
					t.Error(err)
				}
				if time.Since(start) != test.want {
					t.Errorf("returned after %v, want %v", time.Since(start), test.want)
				}
			})
		})
	}
}

func TestGrantsOfOtherPeople(t *testing.T) {
	panicky := &script{answer: func(int) (*oauth2.Token, error) {
		runtime.Goexit() // as t.FailNow in a grant does
		return nil, nil
	}}
	for name, g := range map[string]oauth.Grant{
		"nil":             nil,
		"nil, nil":        failing(nil),
		"no access token": &script{answer: func(int) (*oauth2.Token, error) { return &oauth2.Token{}, nil }},
		"ends goroutine":  panicky,
	} {
		t.Run(name, func(t *testing.T) { wantErr(t, oauth.NewSource(g, oauth.Options{}), nil) })
	}
}

// A grant whose HTTP client uses the source would wait for itself.
func TestSourceInsideItsGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *oauth.Source
		var inner error
		s = oauth.NewSource(grantFunc(func(ctx context.Context) (*oauth2.Token, error) {
			_, inner = s.TokenContext(ctx)
			return token("T", "", 0), nil
		}), oauth.Options{})
		start := time.Now()
		want(t, s, "T")
		if inner == nil || time.Since(start) > 0 {
			t.Errorf("the grant got %v after %v, want an error at once", inner, time.Since(start))
		}
	})
}

type grantFunc func(context.Context) (*oauth2.Token, error)

func (f grantFunc) Token(ctx context.Context) (*oauth2.Token, error) { return f(ctx) }

func TestHooksMayUseTheSource(t *testing.T) {
	g := unclocked()
	var s *oauth.Source
	var seen []string
	s = oauth.NewSource(g, oauth.Options{
		CoolDown: -1,
		OnToken: func(token *oauth2.Token) {
			seen = append(seen, token.AccessToken)
			if token.AccessToken == "T1" {
				s.Invalidate(token)
				want(t, s, "T2")
			}
			token.AccessToken = "hooks own what they get"
		},
	})
	if _, err := s.Token(); err != nil {
		t.Fatal(err)
	}
	want(t, s, "T2")
	if len(seen) != 2 {
		t.Errorf("OnToken saw %v, want T1 and T2", seen)
	}
}

// x/oauth2 writes into the tokens it is handed.
func TestUnderReuseTokenSource(t *testing.T) {
	sources := map[string]oauth2.TokenSource{
		"source": oauth.NewSource(numbered(time.Hour), oauth.Options{}),
		"static": oauth.Static("T1", "secret"),
	}
	for name, s := range sources {
		t.Run(name, func(t *testing.T) {
			var users sync.WaitGroup
			for range 8 {
				users.Go(func() {
					want(t, oauth2.ReuseTokenSource(nil, s), "T1")
					want(t, oauth2.ReuseTokenSourceWithExpiry(nil, s, time.Minute), "T1")
					own, err := s.Token()
					if err != nil {
						t.Error(err)
						return
					}
					want(t, oauth2.ReuseTokenSourceWithExpiry(own, s, time.Hour), "T1")
				})
			}
			users.Wait()
		})
	}
}

func TestRenewalKeepsTheValuesOfTheContext(t *testing.T) {
	type key struct{}
	var got any
	s := oauth.NewSource(grantFunc(func(ctx context.Context) (*oauth2.Token, error) {
		got = ctx.Value(key{})
		return token("T", "", 0), nil
	}), oauth.Options{})
	if _, err := s.TokenContext(context.WithValue(t.Context(), key{}, "trace")); err != nil || got != "trace" {
		t.Errorf("the renewal has the value %v (%v), want the trace of its cause", got, err)
	}
}

func BenchmarkTokenContext(b *testing.B) {
	s := oauth.NewSource(numbered(time.Hour), oauth.Options{})
	var failed atomic.Bool
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.TokenContext(context.Background()); err != nil {
				failed.Store(true)
			}
		}
	})
	if failed.Load() {
		b.Error("TokenContext failed")
	}
}

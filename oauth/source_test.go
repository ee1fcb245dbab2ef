package oauth_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
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
	sources := map[string]contextSource{
		"unclocked": oauth.NewSource(unclocked(), oauth.Options{}),
		"clocked":   oauth.NewSource(numbered(time.Hour), oauth.Options{}),
		"static":    oauth.Static("T1", "secret").(contextSource),
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
				s.Invalidate(old) // a late rejection of the old session
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
	g := &script{respond: func(int) (*oauth2.Token, error) {
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

func TestGrantsOfOtherPeople(t *testing.T) {
	panicky := &script{respond: func(int) (*oauth2.Token, error) {
		runtime.Goexit() // as t.FailNow in a grant does
		return nil, nil
	}}
	for name, g := range map[string]oauth.Grant{
		"nil":             nil,
		"nil, nil":        failing(nil),
		"no access token": &script{respond: func(int) (*oauth2.Token, error) { return &oauth2.Token{}, nil }},
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

// The session that an API call sets is not that of the requests of a renewal.
func TestRenewalDropsTheOptionsOfTheCall(t *testing.T) {
	s := oauth.NewSource(grantFunc(func(ctx context.Context) (*oauth2.Token, error) {
		if o := okcall.FromContext(ctx); o != nil && (o.HasToken || o.Token != nil || o.Source != nil) {
			t.Errorf("the options of the renewal are %+v", o)
		}
		return token("T", "", 0), nil
	}), oauth.Options{})
	if _, err := s.TokenContext(transport.WithToken(t.Context(), token("of the call", "", 0))); err != nil {
		t.Error(err)
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

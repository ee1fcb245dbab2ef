package oauth_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

func TestCodeIsExchangedOnce(t *testing.T) {
	t.Run("rejected", func(t *testing.T) {
		e := &endpoint{status: 400, body: `{"error":"invalid_grant"}`}
		s := oauth.NewSource(e.code(), oauth.Options{CoolDown: -1})
		for range 3 {
			wantErr(t, s, oauth.ErrSignIn)
		}
		wantExchanges(t, e, 1)
	})
	t.Run("response lost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{status: 502}
			s := oauth.NewSource(e.code(), oauth.Options{})
			if err := wantErr(t, s, nil); errors.Is(err, oauth.ErrSignIn) {
				t.Errorf("the first error is %v: it should say what happened", err)
			}
			e.set(200, goodResponse)
			time.Sleep(time.Minute)
			wantErr(t, s, oauth.ErrSignIn)
			wantExchanges(t, e, 1)
		})
	})
	t.Run("never sent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{err: errNetwork, body: goodResponse}
			s := oauth.NewSource(e.code(), oauth.Options{})
			wantErr(t, s, errNetwork)
			e.err = nil
			time.Sleep(time.Minute)
			want(t, s, "A")
			wantExchanges(t, e, 1)
		})
	})
	t.Run("session rejected, refresh token too", func(t *testing.T) {
		e := &endpoint{body: goodResponse}
		s := oauth.NewSource(e.code(), oauth.Options{Store: newMemory(nil)})
		s.Invalidate(want(t, s, "A"))
		e.set(400, `{"error":"invalid_grant"}`)
		for range 3 {
			wantErr(t, s, oauth.ErrSignIn)
		}
		wantExchanges(t, e, 1)
		if n := e.count("refresh_token"); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	})
	t.Run("session without refresh token rejected", func(t *testing.T) {
		e := &endpoint{body: `{"access_token":"A"}`}
		s := oauth.NewSource(e.code(), oauth.Options{})
		s.Invalidate(want(t, s, "A"))
		wantErr(t, s, oauth.ErrSignIn)
		wantExchanges(t, e, 1)
	})
}

func TestCodeIsExchangedOnceAcrossRestarts(t *testing.T) {
	e := &endpoint{body: goodResponse}
	m := newMemory(nil)
	start := func() *oauth.Source { return oauth.NewSource(e.code(), oauth.Options{Store: m, CoolDown: -1}) }
	want(t, start(), "A")

	s := start()
	first := want(t, s, "A")
	wantExchanges(t, e, 1)
	e.set(200, `{"access_token":"B"}`)
	s.Invalidate(first)
	want(t, s, "B")

	s = start()
	e.set(400, `{"error":"invalid_grant"}`)
	s.Invalidate(want(t, s, "B"))
	wantErr(t, s, oauth.ErrSignIn)
	wantExchanges(t, e, 1)

	// The user has signed in again: the store has the old session, the program
	// a new code. The new code counts as newer than the store.
	g := e.code()
	g.Code = "CANARY-code-2"
	wantErr(t, oauth.NewSource(g, oauth.Options{Store: m}), oauth.ErrSignIn) // the endpoint still rejects
	wantExchanges(t, e, 2)
	if m.access() != "B" {
		t.Errorf("the store has %q after a failed sign-in, want B", m.access())
	}
}

// New keys from the API come from no code, but replace a session
// that did.
func TestCodeIsExchangedOnceAfterReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{body: goodResponse}
		m := newMemory(nil)
		s := oauth.NewSource(e.code(), oauth.Options{Store: m})
		s.Replace(want(t, s, "A"), token("N", "", 0))
		e.set(400, `{"error":"invalid_grant"}`)
		s = oauth.NewSource(e.code(), oauth.Options{Store: m})
		s.Invalidate(want(t, s, "N"))
		wantErr(t, s, oauth.ErrSignIn)
		wantExchanges(t, e, 1)
	})
}

// The store has a session from elsewhere, of which nothing is left.
func TestFallbackToAFreshCode(t *testing.T) {
	e := &endpoint{body: goodResponse}
	m := newMemory(token("S", "RS", -time.Hour))
	g := e.code()
	rejected := false
	client := e.client()
	client.Transport = rejectFirst(e, &rejected)
	g.HTTPClient = client
	want(t, oauth.NewSource(g, oauth.Options{Store: m}), "A")
	if !rejected {
		t.Error("the refresh token of the store was not tried")
	}
	wantExchanges(t, e, 1)
}

func TestFallbackToTheConfiguredRefreshToken(t *testing.T) {
	for name, test := range map[string]struct {
		stored string
		want   string
		asked  int
	}{
		"another one": {"RS", "A", 1},
		"the same":    {"CANARY-refresh", "", 0},
		"none":        {"", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := &endpoint{body: goodResponse}
			rejected := false
			g := e.refresh()
			g.HTTPClient.Transport = rejectFirst(e, &rejected)
			s := oauth.NewSource(g, oauth.Options{Store: newMemory(token("S", test.stored, -time.Hour))})
			if test.want == "" {
				wantErr(t, s, oauth.ErrSignIn)
			} else {
				want(t, s, test.want)
			}
			if n := e.count("refresh_token"); n != test.asked {
				t.Errorf("%d more refreshes after the first, want %d", n, test.asked)
			}
		})
	}
}

// A stored session without a refresh token is renewed by the configured one,
// so the clock counts.
func TestConfiguredRefreshTokenMakesTheClockCount(t *testing.T) {
	e := &endpoint{body: goodResponse}
	s := oauth.NewSource(e.refresh(), oauth.Options{Store: newMemory(token("S", "", -time.Hour))})
	want(t, s, "A")
}

// If there is none, the clock does not count.
func TestWithoutARefreshTokenTheClockDoesNotCount(t *testing.T) {
	e := &endpoint{body: goodResponse}
	g := e.refresh()
	g.RefreshToken = ""
	s := oauth.NewSource(g, oauth.Options{Store: newMemory(token("S", "", -time.Hour))})
	want(t, s, "S")
	if len(e.requests) != 0 {
		t.Errorf("%d requests were sent", len(e.requests))
	}
}

func wantExchanges(t *testing.T, e *endpoint, n int) {
	t.Helper()
	if got := e.count("authorization_code"); got != n {
		t.Errorf("the code was sent %d times, want %d", got, n)
	}
}

// rejectFirst rejects the first request as token.do rejects a refresh token.
func rejectFirst(e *endpoint, rejected *bool) http.RoundTripper {
	no := &endpoint{status: 400, body: `{"error":"invalid_grant"}`}
	return transport.Func(func(r *http.Request) (*http.Response, error) {
		if !*rejected {
			*rejected = true
			return no.RoundTrip(r)
		}
		return e.RoundTrip(r)
	})
}

var _ oauth2.TokenSource = (*oauth.Source)(nil)

package oauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// reasons are errors of a grant after which only the user can help.
var reasons = map[string]error{
	"ErrSignIn":     fmt.Errorf("captcha: %w", oauth.ErrSignIn),
	"invalid_grant": &oauth2.RetrieveError{ErrorCode: "invalid_grant"},
	"invalid_token": fmt.Errorf("wrapped: %w", &oauth2.RetrieveError{ErrorCode: "invalid_token"}),
	"access_denied": &oauth2.RetrieveError{ErrorCode: "access_denied"},
}

func TestErrSignInStands(t *testing.T) {
	for name, reason := range reasons {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := failing(reason)
				s := oauth.NewSource(g, oauth.Options{})
				for range 10 {
					err := wantErr(t, s, oauth.ErrSignIn)
					if !errors.Is(err, reason) {
						t.Errorf("%v hides its reason %v", err, reason)
					}
					time.Sleep(time.Hour)
				}
				wantCalls(t, g, 1)
				s.Replace(nil, token("by the user", "", 0))
				want(t, s, "by the user")
			})
		})
	}
}

// A refresh token that is a word must not hide that it is of no use.
func TestDeadRefreshTokenIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{status: 400, body: `{"error":"invalid_grant"}`}
		g := e.refresh()
		g.RefreshToken = "invalid"
		s := oauth.NewSource(g, oauth.Options{})
		for range 10 {
			wantErr(t, s, oauth.ErrSignIn)
			time.Sleep(time.Minute)
		}
		if n := len(e.requests); n != 1 {
			t.Errorf("a dead refresh token was sent %d times", n)
		}
	})
}

func TestPassingErrorsPass(t *testing.T) {
	for name, reason := range map[string]error{
		"network":     errNetwork,
		"bad gateway": &oauth2.RetrieveError{Response: &http.Response{StatusCode: 502, Status: "502"}},
		"application": &oauth2.RetrieveError{ErrorCode: "invalid_client"},
		"state":       oauth.ErrState,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := failing(reason)
				s := oauth.NewSource(g, oauth.Options{})
				if err := wantErr(t, s, reason); errors.Is(err, oauth.ErrSignIn) {
					t.Errorf("%v asks for the user", err)
				}
				time.Sleep(5 * time.Second)
				g.respond = unclocked().respond
				want(t, s, "T2")
			})
		})
	}
}

// x/oauth2 prints the whole body of a response without an error code.
func TestForeignErrorIsShortened(t *testing.T) {
	body := []byte("refresh_token=CANARY&x=" + strings.Repeat("x", 1<<20))
	g := failing(&oauth2.RetrieveError{Response: &http.Response{Status: "500"}, Body: body})
	err := wantErr(t, oauth.NewSource(g, oauth.Options{}), nil)
	if text := err.Error(); len(text) > 1000 || strings.Contains(text, "CANARY") {
		t.Errorf("the text has %d bytes: %.200s", len(text), text)
	}
}

// Of a long error, 500 bytes are shown.
func TestLongErrorIsShortened(t *testing.T) {
	x := strings.Repeat("x", 500)
	for text, want := range map[string]string{x: x, x + "y": x + "…"} {
		err := wantErr(t, oauth.NewSource(failing(errors.New(text)), oauth.Options{CoolDown: -1}), nil)
		if want = "okru: sign-in failed: " + want; err.Error() != want {
			t.Errorf("%d bytes: the error is %q, want %q", len(text), err, want)
		}
	}
}

func TestErrSignInEndsWithNewsInTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := failing(oauth.ErrSignIn)
		m := newMemory(nil)
		var h hooks
		s := oauth.NewSource(g, h.options(m))
		wantErr(t, s, oauth.ErrSignIn)
		m.ops()
		for range 20 {
			wantErr(t, s, oauth.ErrSignIn)
		}
		wantOps(t, m) // not even the store is asked within the cool-down
		time.Sleep(5 * time.Second)
		wantErr(t, s, oauth.ErrSignIn)
		wantOps(t, m, "load")
		m.fault(errNetwork, nil, nil)
		time.Sleep(5 * time.Second)
		wantErr(t, s, oauth.ErrSignIn)
		m.put(token("signed in elsewhere", "", 0))
		time.Sleep(5 * time.Second)
		want(t, s, "signed in elsewhere")
		wantCalls(t, g, 1)
		if len(h.errs) != 2 || !errors.Is(h.errs[0], oauth.ErrSignIn) || !errors.Is(h.errs[1], errNetwork) {
			t.Errorf("OnError heard of %v, want ErrSignIn once, and of the store", h.errs)
		}
	})
}

// What the store had all along is no news, and what is there anew but expired
// is something to renew.
func TestErrSignInAndOldContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := failing(oauth.ErrSignIn)
		m := newMemory(token("S1", "R1", -time.Hour))
		s := oauth.NewSource(renewing{g}, oauth.Options{Store: m, CoolDown: time.Second})
		wantErr(t, s, oauth.ErrSignIn)
		n := g.count()
		time.Sleep(time.Minute)
		wantErr(t, s, oauth.ErrSignIn)
		wantCalls(t, g, n)
		g.respond = unclocked().respond
		m.put(token("S2", "R2", -time.Minute))
		time.Sleep(time.Minute)
		want(t, s, fmt.Sprintf("T%d", n+1))
		if last := g.calls[n]; last != "renew S2 R2" {
			t.Errorf("the grant was asked to %q, want it to renew S2", last)
		}
	})
}

func TestSessionServesUntilExpiryWhenAHumanIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(30 * time.Minute)
		s := oauth.NewSource(renewing{g}, oauth.Options{})
		want(t, s, "T1")
		g.respond = failing(&oauth2.RetrieveError{ErrorCode: "invalid_grant"}).respond
		time.Sleep(29 * time.Minute)
		for range 59 {
			want(t, s, "T1")
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		wantErr(t, s, oauth.ErrSignIn)
		wantCalls(t, g, 2)
	})
}

func TestFreshSessionsRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := unclocked()
		s := oauth.NewSource(g, oauth.Options{})
		s.Invalidate(want(t, s, "T1"))
		second := want(t, s, "T2")
		time.Sleep(2 * time.Second)
		s.Invalidate(second)
		for range 20 {
			if err := wantErr(t, s, oauth.ErrRefused); !strings.Contains(err.Error(), "next attempt in 3s") {
				t.Errorf("%v does not say that 3 s are left", err)
			}
		}
		wantCalls(t, g, 2)
		time.Sleep(3 * time.Second)
		third := want(t, s, "T3")
		time.Sleep(5 * time.Second) // rejected, but not at once
		s.Invalidate(third)
		want(t, s, "T4")
	})
}

func TestFirstSessionRejectedIsRenewed(t *testing.T) {
	g := unclocked()
	s := oauth.NewSource(g, oauth.Options{})
	s.Invalidate(want(t, s, "T1"))
	want(t, s, "T2")
	s = oauth.NewSource(unclocked(), oauth.Options{CoolDown: -1})
	for _, access := range []string{"T1", "T2", "T3", "T4"} {
		s.Invalidate(want(t, s, access))
	}
}

// A session that another process has put into the store may be as old as ours.
func TestAdoptedSessionRejectedIsRenewed(t *testing.T) {
	g := unclocked()
	m := newMemory(token("S1", "", 0))
	s := oauth.NewSource(g, oauth.Options{Store: m})
	first := want(t, s, "S1")
	m.put(token("S2", "", 0))
	s.Invalidate(first)
	s.Invalidate(want(t, s, "S2"))
	want(t, s, "T1")
}

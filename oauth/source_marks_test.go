package oauth_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// A stored session belongs to one application and to the code, token or login
// that its chain began with. Another grant is newer than the store.
func TestStoredSessionOfAnotherGrant(t *testing.T) {
	type grants = func(e *endpoint) (anna, boris oauth.Grant)
	for name, grants := range map[string]grants{
		"code": func(e *endpoint) (oauth.Grant, oauth.Grant) {
			g := e.code()
			g.Code = "CODE-boris"
			return e.code(), g
		},
		"refresh token": func(e *endpoint) (oauth.Grant, oauth.Grant) {
			g := e.refresh()
			g.RefreshToken = "RT-boris"
			return e.refresh(), g
		},
		"application of a refresh token": func(e *endpoint) (oauth.Grant, oauth.Grant) {
			g := e.refresh()
			g.ClientID = "513"
			return e.refresh(), g
		},
		"application of a code": func(e *endpoint) (oauth.Grant, oauth.Grant) {
			g := e.code()
			g.ClientID = "513"
			return e.code(), g
		},
		"code instead of a refresh token": func(e *endpoint) (oauth.Grant, oauth.Grant) { return e.refresh(), e.code() },
		"pointers": func(e *endpoint) (oauth.Grant, oauth.Grant) {
			a, b := e.refresh(), e.refresh()
			b.RefreshToken = "RT-boris"
			return &a, &b
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := &endpoint{body: `{"access_token":"anna","refresh_token":"R","expires_in":1800}`}
			anna, boris := grants(e)
			m := newMemory(nil)
			want(t, oauth.NewSource(anna, oauth.Options{Store: m}), "anna")
			e.set(200, `{"access_token":"boris","refresh_token":"R2","expires_in":1800}`)
			want(t, oauth.NewSource(boris, oauth.Options{Store: m}), "boris")
			if m.access() != "boris" {
				t.Errorf("the store has %q, want the session of boris", m.access())
			}
			// A program that starts again with the same grant goes on with it.
			n := len(e.requests)
			want(t, oauth.NewSource(boris, oauth.Options{Store: m}), "boris")
			if len(e.requests) != n {
				t.Error("a restart sends a request")
			}
		})
	}
}

// If the new grant cannot sign in, the user of the stored session must not act
// in its place, and the stored session stays.
func TestStoredSessionOfAnotherUserIsNotUsedInstead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{body: goodResponse}
		m := newMemory(nil)
		want(t, oauth.NewSource(e.refresh(), oauth.Options{Store: m}), "A")
		e.set(400, `{"error":"invalid_grant"}`)
		g := e.refresh()
		g.RefreshToken = "RT-boris"
		s := oauth.NewSource(g, oauth.Options{Store: m})
		for range 5 {
			wantErr(t, s, oauth.ErrSignIn)
			time.Sleep(time.Minute)
		}
		if m.access() != "A" {
			t.Errorf("the store has %q", m.access())
		}
	})
}

func TestLoginsAreTheirOwnChains(t *testing.T) {
	e := &endpoint{body: `{"session_key":"anna"}`}
	m := newMemory(nil)
	g := e.password()
	want(t, oauth.NewSource(g, oauth.Options{Store: m}), "anna")
	e.set(200, `{"session_key":"boris"}`)
	g.Password = "changed" // does not make another user
	want(t, oauth.NewSource(g, oauth.Options{Store: m}), "anna")
	g.Login = "boris"
	want(t, oauth.NewSource(g, oauth.Options{Store: m}), "boris")
	g.ApplicationKey = "OTHER"
	e.set(200, `{"session_key":"other"}`)
	want(t, oauth.NewSource(g, oauth.Options{Store: m}), "other")

	s := newSite(blank + goodFragment)
	m = newMemory(nil)
	implicit := s.grant()
	want(t, oauth.NewSource(implicit, oauth.Options{Store: m}), "AT")
	n := len(s.seen)
	want(t, oauth.NewSource(implicit, oauth.Options{Store: m}), "AT")
	if len(s.seen) != n {
		t.Error("the same login signs in again")
	}
	implicit.Login = "boris"
	want(t, oauth.NewSource(implicit, oauth.Options{Store: m}), "AT")
	if len(s.seen) == n {
		t.Error("another login does not sign in")
	}
}

// Marks are hashes. They survive renewals, new keys and the store.
func TestMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{body: goodResponse}
		m := newMemory(nil)
		o := oauth.Options{Store: m, CoolDown: -1}
		s := oauth.NewSource(e.refresh(), o)
		marks := func() string {
			data, err := oauth.MarshalToken(m.content)
			if err != nil {
				t.Fatal(err)
			}
			_, text, _ := strings.Cut(string(data), `"extra":`)
			return text
		}
		s.Invalidate(want(t, s, "A"))
		first := marks()
		if strings.Count(first, "okru_") != 2 || strings.Contains(first, "CANARY") || strings.Contains(first, `"512"`) {
			t.Errorf("marks are %s", first)
		}
		e.set(200, `{"access_token":"B"}`)
		got := want(t, s, "B")
		if marks() != first {
			t.Errorf("after a renewal, marks are %s, want %s", marks(), first)
		}
		s.Replace(got, token("N", "", 0))
		synctest.Wait()
		if m.access() != "N" || marks() != first {
			t.Errorf("after Replace, %s has marks %s, want %s", m.access(), marks(), first)
		}
		s.Replace(nil, token("H", "", 0))
		synctest.Wait()
		if m.access() != "H" || marks() != first {
			t.Errorf("after a sign-in, %s has marks %s, want %s", m.access(), marks(), first)
		}
	})
}

// Marks stay the same from version to version: they are in the stores of users.
func TestMarksOfEachGrant(t *testing.T) {
	e, p := &endpoint{body: goodResponse}, &endpoint{body: `{"session_key":"SK","session_secret_key":"S"}`}
	loopback := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "127.0.0.1", "/back")}
	loopback.Open = func(authURL string) error {
		h := newBrowserUser(t, authURL)
		h.wantStatus(http.StatusOK, "POST", h.redirect(), "access_token=AT&state="+h.auth.Get("state"), "Origin", strings.TrimSuffix(h.redirect(), "/back"))
		return nil
	}
	for name, test := range map[string]struct {
		grant              oauth.Grant
		application, chain string // what the marks are hashes of
	}{
		"Code":     {e.code(), "application 512", "code CANARY-code"},
		"Refresh":  {e.refresh(), "application 512", "refresh token CANARY-refresh"},
		"Implicit": {newSite(blank + goodFragment).grant(), "application 512", "implicit 512 anna"},
		"Password": {p.password(), "application KEY", "password KEY anna"},
		"Loopback": {loopback, "application 512", "loopback 512"},
	} {
		m := newMemory(nil)
		if _, err := oauth.NewSource(test.grant, oauth.Options{Store: m}).Token(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if application, chain := m.content.Extra("okru_application"), m.content.Extra("okru_chain"); application != sha256Hex(test.application) || chain != sha256Hex(test.chain) {
			t.Errorf("%s: the marks are %v and %v, want those of %q and %q", name, application, chain, test.application, test.chain)
		}
	}
}

// A session without marks, of an older version or saved by hand, belongs to
// every grant; its renewals stay without.
func TestSessionWithoutMarks(t *testing.T) {
	e := &endpoint{body: `{"access_token":"B"}`}
	m := newMemory(token("S", "R", 0))
	s := oauth.NewSource(e.refresh(), oauth.Options{Store: m})
	s.Invalidate(want(t, s, "S"))
	want(t, s, "B")
	g := e.refresh()
	g.RefreshToken = "another"
	want(t, oauth.NewSource(g, oauth.Options{Store: m}), "B")
}

// A file of version 7ff1e39 notes the code of its session: it is not sent again.
func TestLegacyMarkOfACode(t *testing.T) {
	const file = `{"version":1,"access_token":"S","token_type":"session","refresh_token":"R",` +
		`"extra":{"code_sha256":"62fff4c04ced6ee5cc5ffe9baf6dcb7b9e60bf6ee5c3fb7cc2d6bf0eac4eb2ac"}}`
	stored, err := oauth.UnmarshalToken([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256Hex("CANARY-code")
	stored = stored.WithExtra(map[string]any{"code_sha256": sum})
	e := &endpoint{status: 400, body: `{"error":"invalid_grant"}`}
	s := oauth.NewSource(e.code(), oauth.Options{Store: newMemory(stored)})
	s.Invalidate(want(t, s, "S"))
	wantErr(t, s, oauth.ErrSignIn)
	wantExchanges(t, e, 0)
}

// The API's rejection counts more than any timestamp: a session that another
// process saved is used when the own one cannot be renewed.
func TestRejectedSessionGivesWayToTheStore(t *testing.T) {
	dead := failing(&oauth2.RetrieveError{ErrorCode: "invalid_grant"})
	long := token("S", "RS", 30*time.Minute)
	for name, stored := range map[string]*oauth2.Token{
		"older by an hour":        token("S", "RS", time.Minute),
		"expires first":           long,
		"of another code":         long.WithExtra(map[string]any{"okru_chain": "another"}),
		"without a refresh token": token("S", "", time.Minute),
	} {
		for _, early := range []bool{true, false} { // saved before the rejection, or found out later
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newMemory(nil)
					s := oauth.NewSource(renewing{dead}, oauth.Options{Store: m})
					mine := token("M", "R", 30*24*time.Hour)
					s.Replace(nil, mine)
					synctest.Wait()
					if early {
						m.put(stored)
					}
					s.Invalidate(mine)
					if !early {
						wantErr(t, s, oauth.ErrSignIn)
						m.put(stored)
						time.Sleep(6 * time.Second)
					}
					want(t, s, "S")
				})
			})
		}
	}
}

// An expired one is renewed instead, and one of another application is not used.
func TestRejectedSessionAndUselessContent(t *testing.T) {
	t.Run("expired", func(t *testing.T) {
		g := &script{respond: func(n int) (*oauth2.Token, error) {
			if n == 1 {
				return nil, oauth.ErrSignIn
			}
			return token("T", "", 0), nil
		}}
		m := newMemory(nil)
		s := oauth.NewSource(renewing{g}, oauth.Options{Store: m})
		mine := token("M", "R", time.Hour)
		s.Replace(nil, mine)
		m.put(token("S", "RS", -time.Hour))
		s.Invalidate(mine)
		want(t, s, "T")
		if g.calls[1] != "renew S RS" {
			t.Errorf("the grant was asked to %v", g.calls)
		}
	})
	t.Run("other application", func(t *testing.T) {
		e := &endpoint{body: goodResponse}
		m := newMemory(nil)
		s := oauth.NewSource(e.refresh(), oauth.Options{Store: m})
		mine := want(t, s, "A")
		m.put(token("S", "RS", 0).WithExtra(map[string]any{"okru_application": "another"}))
		e.set(400, `{"error":"invalid_grant"}`)
		s.Invalidate(mine)
		wantErr(t, s, oauth.ErrSignIn)
	})
	t.Run("transient failure first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := failing(errNetwork)
			m := newMemory(nil)
			s := oauth.NewSource(renewing{g}, oauth.Options{Store: m})
			mine := token("M", "R", time.Hour)
			s.Replace(nil, mine)
			synctest.Wait()
			m.put(token("S", "RS", time.Minute)) // older
			s.Invalidate(mine)
			wantErr(t, s, errNetwork)
			g.respond = failing(oauth.ErrSignIn).respond
			time.Sleep(5 * time.Second)
			want(t, s, "S")
		})
	})
}

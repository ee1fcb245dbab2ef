package oauth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

func withSecret(t *oauth2.Token, secret string) *oauth2.Token {
	return t.WithExtra(map[string]any{"session_secret_key": secret})
}

func TestReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hooks
		m := newMemory(nil)
		s := oauth.NewSource(numbered(0), h.options(m))
		old := want(t, s, "T1")
		m.ops()

		s.Replace(withSecret(token("T1", "", 0), "other"), token("X", "", 0))
		s.Replace(token("other", "", 0), token("X", "", 0))
		s.Replace(old, nil)
		s.Replace(old, &oauth2.Token{})
		want(t, s, "T1")
		wantOps(t, m)

		s.Replace(old, withSecret(token("N1", "", 0), "secret"))
		got := want(t, s, "N1")
		if got.RefreshToken != "R1" || oauth.SessionSecret(got) != "secret" {
			t.Errorf("the session has refresh token %q and secret %q, want R1 and secret", got.RefreshToken, oauth.SessionSecret(got))
		}
		wantOps(t, m, "lock", "load", "save N1", "unlock")
		if !slices.Equal(h.tokens, []string{"T1", "N1"}) || h.errs != nil {
			t.Errorf("OnToken heard of %v, OnError of %v", h.tokens, h.errs)
		}

		s.Replace(nil, token("N2", "R2", 0))
		if got := want(t, s, "N2"); got.RefreshToken != "R2" {
			t.Errorf("refresh token is %q, want the new one", got.RefreshToken)
		}

		s.Replace(nil, token("N3", "", 0))
		if got := want(t, s, "N3"); got.RefreshToken != "" {
			t.Errorf("a session by hand has refresh token %q of the one before, who may be another user", got.RefreshToken)
		}
	})
}

func TestReplaceBeforeFirstUse(t *testing.T) {
	g := numbered(0)
	s := oauth.NewSource(g, oauth.Options{})
	s.Replace(token("whatever", "", 0), token("N", "", 0))
	want(t, s, "N")
	wantCalls(t, g, 0)
}

func TestReplaceOfARejectedSession(t *testing.T) {
	g := numbered(0)
	s := oauth.NewSource(g, oauth.Options{})
	old := want(t, s, "T1")
	s.Invalidate(old) // by one call
	s.Replace(old, token("N", "", 0))
	want(t, s, "N")
	wantCalls(t, g, 1)
}

func TestReplaceDuringARenewal(t *testing.T) {
	for name, fails := range map[string]bool{"that succeeds": false, "that fails": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := unclocked()
				m := newMemory(nil)
				s := oauth.NewSource(g, oauth.Options{Store: m})
				old := want(t, s, "T1")
				s.Invalidate(old)
				g.delay = time.Second
				after := "T2"
				if fails {
					after, g.respond = "N", failing(errNetwork).respond
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					want(t, s, after)
				}()
				synctest.Wait()
				s.Replace(old, token("N", "", 0))
				want(t, s, "N")
				<-done
				want(t, s, after)
				synctest.Wait()
				if m.access() != after {
					t.Errorf("the store has %s, memory %s", m.access(), after)
				}
			})
		})
	}
}

// A user who signs in during a renewal may be a different one than before.
func TestSignInDuringARenewal(t *testing.T) {
	slowLoads := func(m *memory) oauth.Store { return slowLoader{m} }
	slowSaves := func(m *memory) oauth.Store { return slowSaver{m} }
	locked := func(m *memory) oauth.Store { // by another process, for 10 s
		m.lock <- struct{}{}
		time.AfterFunc(10*time.Second, func() { <-m.lock })
		return m
	}
	tests := map[string]struct {
		store func(*memory) oauth.Store // nil: none
		first bool                      // there was no session
		fails bool
		after time.Duration // since it began, when the user does
		asked int           // how often the renewal asked the grant
		saved int           // how often the store was given a session, in all
	}{
		"that succeeds":            {nil, false, false, time.Second / 2, 1, 0},
		"that fails":               {nil, false, true, time.Second / 2, 1, 0},
		"of no session":            {nil, true, false, time.Second / 2, 1, 0},
		"that holds the store":     {func(m *memory) oauth.Store { return m }, false, false, time.Second / 2, 1, 2},
		"that saves":               {slowSaves, false, false, 15 * time.Second, 1, 3},
		"that reads":               {slowLoads, false, false, time.Second / 2, 0, 2},
		"that reads for the first": {slowLoads, true, false, time.Second / 2, 0, 1},
		"that waits for the store": {locked, true, false, time.Second / 2, 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hooks
				g, m, tokens := unclocked(), newMemory(nil), []string{"H"}
				o := h.options(nil)
				if test.store != nil {
					o.Store = test.store(m)
				}
				s := oauth.NewSource(g, o)
				if !test.first {
					tokens = []string{"T1", "H"}
					s.Invalidate(want(t, s, "T1"))
				}
				asked := g.count()
				g.delay = time.Second
				if test.fails {
					g.respond = failing(errNetwork).respond
				}
				var waiting sync.WaitGroup
				waiting.Go(func() { want(t, s, "H") })
				time.Sleep(test.after)
				s.Replace(nil, token("H", "", 0))
				want(t, s, "H")
				waiting.Wait()
				time.Sleep(time.Minute)
				want(t, s, "H")
				wantCalls(t, g, asked+test.asked)
				if !slices.Equal(h.tokens, tokens) || test.fails == (h.errs == nil) {
					t.Errorf("OnToken heard of %v, want %v; OnError of %v", h.tokens, tokens, h.errs)
				}
				if saved := m.saves(); saved != test.saved || saved > 0 && m.access() != "H" {
					t.Errorf("the store has %q after %d of %d saves", m.access(), saved, test.saved)
				}
			})
		})
	}
}

func TestReplaceWaitsOnlyAMomentForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(nil)
		s := oauth.NewSource(numbered(0), oauth.Options{Store: m})
		old := want(t, s, "T1")
		unlock, err := m.Lock(context.Background()) // another process
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s.Replace(old, token("N", "", 0))
		if waited := time.Since(start); waited != 20*time.Millisecond {
			t.Errorf("Replace took %v with a store that is locked, want 20ms", waited)
		}
		want(t, s, "N")
		time.Sleep(time.Second)
		unlock()
		time.Sleep(time.Second)
		if m.access() != "N" {
			t.Errorf("the store has %s, want N", m.access())
		}
		start = time.Now()
		s.Replace(nil, token("M", "", 0)) // the store is free
		if waited := time.Since(start); waited != 0 || m.access() != "M" {
			t.Errorf("Replace took %v with a store that is free, and the store has %s", waited, m.access())
		}
	})
}

// A user who was signed out elsewhere and has signed in again is signed in, although
// the store is empty.
func TestSignInAfterASignOutElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(0)
		m := newMemory(token("S", "RS", 0))
		s := oauth.NewSource(renewing{g}, oauth.Options{Store: m})
		want(t, s, "S")
		m.put(nil)
		m.fault(nil, errNetwork, nil)
		s.Replace(nil, token("N", "RN", 0)) // cannot be saved
		s.Invalidate(token("N", "", 0))
		want(t, s, "T1")
		if g.calls[0] != "renew N RN" {
			t.Errorf("the grant was asked to %q", g.calls[0])
		}
	})
}

func TestReplaceThatCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hooks
		m := newMemory(nil)
		s := oauth.NewSource(numbered(0), h.options(m))
		old := want(t, s, "T1")
		m.fault(nil, errNetwork, nil)
		s.Replace(old, token("N", "", 0))
		want(t, s, "N")
		if len(h.errs) != 1 {
			t.Errorf("OnError heard of %v, want one error", h.errs)
		}
	})
}

// A session is not saved over content that cannot be read, until it can.
func TestReplaceOverWhatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hooks
		m := newMemory(nil)
		s := oauth.NewSource(numbered(0), h.options(m))
		old := want(t, s, "T1")
		m.fault(errNetwork, nil, nil)
		m.ops()
		s.Replace(old, token("N", "", 0))
		wantOps(t, m, "lock", "load", "unlock")
		if len(h.errs) != 1 || !errors.Is(h.errs[0], errNetwork) || !strings.HasPrefix(h.errs[0].Error(), "okru: the session store cannot be read: ") {
			t.Errorf("OnError heard of %v, want one error", h.errs)
		}
		m.fault(nil, nil, nil)
		time.Sleep(time.Minute)
		want(t, s, "N")
		synctest.Wait()
		if m.access() != "N" {
			t.Errorf("the store has %s, want N", m.access())
		}
	})
}

// lockless is a store whose Lock returns nothing.
type lockless struct{ *memory }

func (lockless) Lock(context.Context) (func(), error) { return nil, nil }

func TestStoreWithoutAnUnlock(t *testing.T) {
	m := newMemory(nil)
	var h hooks
	s := oauth.NewSource(numbered(0), h.options(lockless{m}))
	s.Invalidate(want(t, s, "T1"))
	want(t, s, "T2")
	if len(h.errs) != 0 {
		t.Errorf("OnError heard of %v", h.errs)
	}
	if m.access() != "T2" {
		t.Errorf("the store has %s, want T2", m.access())
	}
}

// A pointer to a grant is the grant that it pointed to when the Source was made.
func TestPointerToAGrant(t *testing.T) {
	stored := func(make func(*endpoint) (oauth.Grant, func())) string {
		m := newMemory(nil)
		g, change := make(&endpoint{body: `{"access_token":"A","session_key":"A"}`})
		s := oauth.NewSource(g, oauth.Options{Store: m})
		change()
		want(t, s, "A")
		own := *m.content
		own.Expiry = time.Time{}
		data, err := oauth.MarshalToken(&own)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	none := func() {}
	for name, make := range map[string][2]func(*endpoint) (oauth.Grant, func()){
		"Code": {
			func(e *endpoint) (oauth.Grant, func()) { return e.code(), none },
			func(e *endpoint) (oauth.Grant, func()) { g := e.code(); return &g, func() { g = oauth.Code{} } },
		},
		"Refresh": {
			func(e *endpoint) (oauth.Grant, func()) { return e.refresh(), none },
			func(e *endpoint) (oauth.Grant, func()) { g := e.refresh(); return &g, func() { g = oauth.Refresh{} } },
		},
		"Password": {
			func(e *endpoint) (oauth.Grant, func()) { return e.password(), none },
			func(e *endpoint) (oauth.Grant, func()) { g := e.password(); return &g, func() { g = oauth.Password{} } },
		},
	} {
		if value, pointer := stored(make[0]), stored(make[1]); value != pointer || !strings.Contains(value, "okru_application") {
			t.Errorf("%s: the session is %s, and that of a pointer %s", name, value, pointer)
		}
	}
}

func TestStatic(t *testing.T) {
	s := oauth.Static("A", "secret")
	got := want(t, s, "A")
	if oauth.SessionSecret(got) != "secret" || got.TokenType != "session" || !got.Expiry.IsZero() {
		t.Errorf("session is %+v", got)
	}
	got.AccessToken = "the caller's own"
	replacer := s.(interface {
		Replace(old, fresh *oauth2.Token)
	})
	replacer.Replace(withSecret(token("A", "", 0), "other"), token("X", "", 0))
	replacer.Replace(token("A", "", 0), token("X", "", 0))
	replacer.Replace(nil, token("X", "", 0))
	replacer.Replace(want(t, s, "A"), nil)
	replacer.Replace(want(t, s, "A"), new(oauth2.Token))
	want(t, s, "A")
	fresh := withSecret(token("B", "", 0), "secret 2")
	replacer.Replace(want(t, s, "A"), fresh)
	fresh.AccessToken = "the caller's own"
	if got := want(t, s, "B"); oauth.SessionSecret(got) != "secret 2" {
		t.Errorf("secret is %q after Replace", oauth.SessionSecret(got))
	}
	wantErr(t, oauth.Static("", "secret"), nil)
	if got := want(t, oauth.Static("A", ""), "A"); oauth.SessionSecret(got) != "" || got.Extra("session_secret_key") != nil {
		t.Errorf("session without secret has %q", oauth.SessionSecret(got))
	}
}

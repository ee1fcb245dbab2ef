package oauth_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

func TestStoreProtocol(t *testing.T) {
	g := numbered(time.Hour)
	m := newMemory(nil)
	var h hooks
	o := h.options(m)
	o.CoolDown = -1 // ErrRefused has its own test
	s := oauth.NewSource(renewing{g}, o)
	old := want(t, s, "T1")
	wantOps(t, m, "load", "lock", "load", "save T1", "unlock")
	s.Invalidate(old)
	want(t, s, "T2")
	wantOps(t, m, "lock", "load", "save T2", "unlock")

	m.put(token("S", "RS", 2*time.Hour)) // another process
	want(t, s, "T2")
	wantOps(t, m)
	s.Invalidate(want(t, s, "T2"))
	want(t, s, "S")
	wantOps(t, m, "lock", "load", "unlock")
	wantCalls(t, g, 2)
	if fmt.Sprint(h.tokens) != "[T1 T2]" || h.errs != nil {
		t.Errorf("OnToken heard of %v, OnError of %v; want [T1 T2] and nothing", h.tokens, h.errs)
	}
}

func TestStoredSessionIsUsedWithoutARequest(t *testing.T) {
	for name, stored := range map[string]*oauth2.Token{
		"unexpired":                      token("S", "R", time.Hour),
		"expired, without refresh token": token("S", "", -time.Hour),
		"eternal":                        token("S", "", 0),
	} {
		t.Run(name, func(t *testing.T) {
			g := numbered(0)
			m := newMemory(stored)
			m.lockErr = errNetwork // no lock is needed
			want(t, oauth.NewSource(g, oauth.Options{Store: m}), "S")
			wantCalls(t, g, 0)
			wantOps(t, m, "load")
		})
	}
}

func TestStoredSessionThatHasExpiredIsRenewed(t *testing.T) {
	g := numbered(time.Hour)
	m := newMemory(token("S", "RS", -time.Minute))
	want(t, oauth.NewSource(renewing{g}, oauth.Options{Store: m}), "T1")
	if g.calls[0] != "renew S RS" || m.access() != "T1" {
		t.Errorf("asked to %q; the store has %s", g.calls[0], m.access())
	}
}

// A first attempt that fails must not make the second forget what to renew.
func TestStoredSessionIsRenewedAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := failing(errNetwork)
		m := newMemory(token("S", "RS", -time.Minute))
		s := oauth.NewSource(renewing{g}, oauth.Options{Store: m})
		wantErr(t, s, errNetwork)
		time.Sleep(5 * time.Second)
		g.respond = numbered(time.Hour).respond
		want(t, s, "T2")
		if g.calls[1] != "renew S RS" {
			t.Errorf("asked to %q, want it to renew S", g.calls[1])
		}
	})
}

func TestStoreThatCannotSave(t *testing.T) {
	for name, life := range map[string]time.Duration{"with expiry": time.Hour, "without": 0} {
		t.Run(name, func(t *testing.T) {
			var h hooks
			g := numbered(life)
			m := newMemory(token("S", "RS", life/2))
			m.saveErr = errNetwork
			o := h.options(m)
			o.CoolDown = -1 // ErrRefused has its own test
			s := oauth.NewSource(renewing{g}, o)
			s.Invalidate(want(t, s, "S"))
			first := want(t, s, "T1")
			if len(h.errs) != 1 {
				t.Errorf("OnError heard of %v, want one error", h.errs)
			}
			// The store still has S, older than T1: it is not to come back.
			s.Invalidate(first)
			want(t, s, "T2")
		})
	}
}

// As above, with a store that could save once.
func TestStoreThatCannotSaveAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(nil)
		s := oauth.NewSource(numbered(0), oauth.Options{Store: m})
		old := want(t, s, "T1")
		m.fault(nil, errNetwork, nil)
		s.Replace(old, token("N", "", 0))
		s.Invalidate(want(t, s, "N"))
		want(t, s, "T2") // not T1, which the store still has
	})
}

func TestTornContentIsOverwritten(t *testing.T) {
	var h hooks
	g := numbered(0)
	m := newMemory(nil)
	m.loadErr = fmt.Errorf("half a file: %w", oauth.ErrCorrupt)
	s := oauth.NewSource(g, h.options(m))
	want(t, s, "T1")
	if m.access() != "T1" {
		t.Errorf("the store has %q, want T1", m.access())
	}
	if len(h.errs) != 1 {
		t.Errorf("OnError heard of %v, want the torn content once", h.errs)
	}
}

// Without a session, a grant that cannot sign in does not lock the store.
func TestNothingToSignInWith(t *testing.T) {
	for name, g := range map[string]oauth.Grant{
		"no grant": nil, "Code": oauth.Code{ClientID: "1", ClientSecret: "S"}, "Refresh": oauth.Refresh{ClientID: "1", ClientSecret: "S"},
	} {
		m := newMemory(nil)
		if err := wantErr(t, oauth.NewSource(g, oauth.Options{Store: m}), oauth.ErrSignIn); m.access() != "" {
			t.Errorf("%s: %v, and the store has %q", name, err, m.access())
		}
		wantOps(t, m, "load")
	}
}

// What a store returns with ErrCorrupt is not used.
func TestCorruptSessionIsNotUsed(t *testing.T) {
	m := newMemory(token("torn", "R", 0))
	m.fault(oauth.ErrCorrupt, nil, nil)
	want(t, oauth.NewSource(numbered(0), oauth.Options{Store: m}), "T1")
}

// vanishing is a memory whose session is deleted by another process before it is
// locked.
type vanishing struct{ *memory }

func (m vanishing) Lock(ctx context.Context) (func(), error) {
	m.put(nil)
	return m.memory.Lock(ctx)
}

// A session that is no longer in the store is not renewed, wherever it came from.
func TestSignedOutElsewhere(t *testing.T) {
	for name, use := range map[string]func(g *script) *oauth.Source{
		"from the grant": func(g *script) *oauth.Source {
			m := newMemory(nil)
			s := oauth.NewSource(renewing{g}, oauth.Options{Store: m})
			got := want(t, s, "T1")
			m.put(nil)
			s.Invalidate(got)
			return s
		},
		"from the store": func(g *script) *oauth.Source {
			m := newMemory(token("T1", "R1", 0))
			s := oauth.NewSource(renewing{g}, oauth.Options{Store: m})
			got := want(t, s, "T1")
			m.put(nil)
			s.Invalidate(got)
			return s
		},
		"from the store, expired": func(g *script) *oauth.Source {
			return oauth.NewSource(renewing{g}, oauth.Options{Store: vanishing{newMemory(token("T1", "R1", -time.Hour))}})
		},
	} {
		g := numbered(0)
		s := use(g)
		n := g.count()
		err := wantErr(t, s, oauth.ErrSignIn)
		if !strings.Contains(err.Error(), "no longer in the store") || g.count() != n {
			t.Errorf("%s: %v after %d more calls of the grant", name, err, g.count()-n)
		}
	}
}

// New keys are not saved if the session that they replace was signed out elsewhere.
func TestNewKeysOfASignedOutSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(token("S", "RS", -time.Minute))
		s := oauth.NewSource(renewing{failing(errNetwork)}, oauth.Options{Store: m})
		wantErr(t, s, errNetwork) // it had expired, and could not be renewed
		m.put(nil)
		s.Replace(token("S", "", 0), token("N", "", 0))
		synctest.Wait()
		if m.access() != "" {
			t.Errorf("the store has %q", m.access())
		}
		wantErr(t, s, oauth.ErrSignIn)
	})
}

func TestTornContentDoesNotLoseTheRefreshToken(t *testing.T) {
	g := numbered(time.Hour)
	m := newMemory(nil)
	s := oauth.NewSource(renewing{g}, oauth.Options{Store: m})
	s.Invalidate(want(t, s, "T1"))
	m.fault(oauth.ErrCorrupt, nil, nil)
	want(t, s, "T2")
	if g.calls[1] != "renew T1 R1" {
		t.Errorf("asked to %q, want it to renew T1 by R1", g.calls[1])
	}
}

func TestStoreThatFailsMeansNoRenewal(t *testing.T) {
	for name, test := range map[string]struct{ load, lock error }{
		"load": {load: errNetwork},
		"lock": {lock: errNetwork},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hooks
				g := numbered(time.Hour)
				m := newMemory(nil)
				m.fault(test.load, nil, test.lock)
				s := oauth.NewSource(renewing{g}, h.options(m))
				for range 3 {
					wantErr(t, s, errNetwork)
				}
				wantCalls(t, g, 0)
				if len(h.errs) != 1 {
					t.Errorf("OnError heard of %v, want one error per cool-down", h.errs)
				}
				time.Sleep(5 * time.Second)
				m.fault(nil, nil, nil)
				old := want(t, s, "T1")

				m.fault(test.load, nil, test.lock)
				s.Invalidate(old)
				wantErr(t, s, errNetwork)
				wantCalls(t, g, 1)
				time.Sleep(5 * time.Second)
				m.fault(nil, nil, nil)
				want(t, s, "T2")
			})
		})
	}
}

func TestSaveHasATimeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(0)
		g.delay = 29 * time.Second
		m := newMemory(nil)
		s := oauth.NewSource(g, oauth.Options{Store: slowSaver{m}})
		want(t, s, "T1")
		if m.access() == "" {
			t.Error("a session that took long to get was not saved")
		}
	})
}

func TestHeldLockEndsInATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(0)
		m := newMemory(nil)
		unlock, err := m.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		start := time.Now()
		wantErr(t, oauth.NewSource(g, oauth.Options{Store: m}), nil)
		if time.Since(start) != 30*time.Second {
			t.Errorf("waited %v for the lock, want 30s", time.Since(start))
		}
		wantCalls(t, g, 0)
	})
}

package oauth_test

import (
	"fmt"
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
		g.answer = numbered(time.Hour).answer
		want(t, s, "T2")
		if g.calls[1] != "renew S RS" {
			t.Errorf("asked to %q, want it to renew S", g.calls[1])
		}
	})
}

func TestEarlyRenewalAdoptsFromTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(30 * time.Minute)
		m := newMemory(nil)
		s := oauth.NewSource(renewing{g}, oauth.Options{Store: m})
		want(t, s, "T1")
		time.Sleep(29 * time.Minute)
		m.put(token("S", "RS", 30*time.Minute))
		want(t, s, "T1")
		synctest.Wait()
		want(t, s, "S")
		wantCalls(t, g, 1)
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
	m := newMemory(nil)
	s := oauth.NewSource(numbered(0), oauth.Options{Store: m, CoolDown: -1})
	s.Invalidate(want(t, s, "T1"))
	second := want(t, s, "T2")
	m.fault(nil, errNetwork, nil)
	s.Invalidate(second)
	s.Invalidate(want(t, s, "T3"))
	want(t, s, "T4")
}

func TestReplaceWhileTheStoreIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(nil)
		s := oauth.NewSource(numbered(0), oauth.Options{Store: slowLoader{m}})
		old := want(t, s, "T1")
		m.put(token("S", "", 0))
		s.Invalidate(old)
		go func() { _, _ = s.Token() }()
		synctest.Wait()
		s.Replace(old, token("N", "", 0))
		time.Sleep(time.Minute)
		want(t, s, "N") // newer than what the store had
	})
}

func TestOlderSessionsAreNotAdopted(t *testing.T) {
	lived := func(access string, issued, life time.Duration) *oauth2.Token {
		t := token(access, "R", issued+life)
		t.ExpiresIn = int64(life / time.Second)
		return t
	}
	tests := map[string]struct {
		mine, stored *oauth2.Token
		adopt        bool
	}{
		"expires earlier":             {token("M", "R", 2*time.Hour), token("S", "R", time.Hour), false},
		"expires later":               {token("M", "R", time.Hour), token("S", "R", 2*time.Hour), true},
		"shorter, but newer":          {lived("M", -time.Hour, 720*time.Hour), lived("S", 0, 30*time.Minute), true},
		"longer, but older":           {lived("M", 0, 30*time.Minute), lived("S", -time.Hour, 720*time.Hour), false},
		"who knows":                   {token("M", "", 0), token("S", "", 0), true},
		"same":                        {token("M", "R", time.Hour), token("M", "R", time.Hour), false},
		"same token, other secret":    {withSecret(token("M", "", 0), "1"), withSecret(token("M", "", 0), "2"), true},
		"has an expiry, mine has not": {token("M", "", 0), token("S", "R", time.Hour), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := numbered(0)
			m := newMemory(nil)
			s := oauth.NewSource(g, oauth.Options{Store: m})
			s.Replace(nil, test.mine)
			m.put(test.stored)
			s.Invalidate(test.mine)
			access := "T1"
			if test.adopt {
				access = test.stored.AccessToken
			}
			want(t, s, access)
		})
	}
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

func TestFallback(t *testing.T) {
	invalid := &oauth2.RetrieveError{ErrorCode: "invalid_grant"}
	t.Run("from the store", func(t *testing.T) {
		g := &script{answer: func(n int) (*oauth2.Token, error) {
			if n == 1 {
				return nil, invalid
			}
			return token("T", "R", time.Hour), nil
		}}
		m := newMemory(token("S", "RS", -time.Minute))
		want(t, oauth.NewSource(renewing{g}, oauth.Options{Store: m}), "T")
		if fmt.Sprint(g.calls) != "[renew S RS token]" {
			t.Errorf("asked to %v", g.calls)
		}
	})
	t.Run("once", func(t *testing.T) {
		g := failing(invalid)
		m := newMemory(token("S", "RS", -time.Minute))
		s := oauth.NewSource(renewing{g}, oauth.Options{Store: m})
		for range 5 {
			wantErr(t, s, oauth.ErrSignIn)
		}
		wantCalls(t, g, 2)
	})
	t.Run("not from memory", func(t *testing.T) {
		g := numbered(time.Hour)
		s := oauth.NewSource(renewing{g}, oauth.Options{Store: newMemory(nil)})
		s.Invalidate(want(t, s, "T1"))
		g.answer = failing(invalid).answer
		wantErr(t, s, oauth.ErrSignIn)
		wantCalls(t, g, 2)
	})
	t.Run("not after a passing error", func(t *testing.T) {
		g := failing(errNetwork)
		m := newMemory(token("S", "RS", -time.Minute))
		wantErr(t, oauth.NewSource(renewing{g}, oauth.Options{Store: m}), errNetwork)
		wantCalls(t, g, 1)
	})
}

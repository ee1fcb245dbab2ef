package oauth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

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
// A session that is shorter than Early is renewed early after half of its life, unless
// it is the first: that may have been issued long before.
func TestShortSessionsAreRenewedHalfway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(20 * time.Second)
		s := oauth.NewSource(g, oauth.Options{})
		want(t, s, "T1")
		want(t, s, "T1") // begins an early renewal
		synctest.Wait()
		wantCalls(t, g, 2)
		time.Sleep(10*time.Second - 1)
		want(t, s, "T2")
		synctest.Wait()
		wantCalls(t, g, 2)
		time.Sleep(time.Nanosecond)
		want(t, s, "T2")
		synctest.Wait()
		wantCalls(t, g, 3)
	})
}

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
		first := g.respond
		g.respond = func(n int) (*oauth2.Token, error) {
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

package oauth_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

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

// Which of two sessions is older is known if both state when they expire. If both
// state how long they live as well, it is when they were issued.
func TestIsOlder(t *testing.T) {
	now := time.Now()
	stated := func(expiry time.Duration, expiresIn int64) *oauth2.Token {
		return &oauth2.Token{Expiry: now.Add(expiry), ExpiresIn: expiresIn}
	}
	unknown := new(oauth2.Token)
	for _, test := range []struct {
		name string
		a, b *oauth2.Token
		want bool
	}{
		{"a is unknown", unknown, stated(time.Hour, 1), false},
		{"b is unknown", stated(time.Hour, 1), unknown, false},
		{"a expires first", stated(1*time.Hour, 0), stated(2*time.Hour, 0), true},
		{"b expires first", stated(2*time.Hour, 0), stated(1*time.Hour, 0), false},
		{"both expire at once", stated(time.Hour, 0), stated(time.Hour, 0), false},
		{"a was issued first", stated(2*time.Hour, 2*60*60), stated(1*time.Hour, 1), true},
		{"b was issued first", stated(1*time.Hour, 1), stated(2*time.Hour, 2*60*60), false},
		{"only a says how long it lives", stated(2*time.Hour, 2*60*60), stated(1*time.Hour, 0), false},
		{"only b says how long it lives", stated(1*time.Hour, 0), stated(2*time.Hour, 2*60*60), true},
	} {
		if got := oauth.IsOlder(test.a, test.b); got != test.want {
			t.Errorf("%s: a is older: %t, want %t", test.name, got, test.want)
		}
	}
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
		"lifetime without expiry":     {lived("M", 0, 0), &oauth2.Token{AccessToken: "S", ExpiresIn: 5}, true},
		"who knows":                   {token("M", "", 0), token("S", "", 0), true},
		"same":                        {token("M", "R", time.Hour), token("M", "R", time.Hour), false},
		"same token, other secret":    {withSecret(token("M", "", 0), "1"), withSecret(token("M", "", 0), "2"), true},
		"has an expiry, mine has not": {token("M", "", 0), token("S", "R", time.Hour), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
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
		})
	}
}

func TestFallback(t *testing.T) {
	invalid := &oauth2.RetrieveError{ErrorCode: "invalid_grant"}
	t.Run("from the store", func(t *testing.T) {
		g := &script{respond: func(n int) (*oauth2.Token, error) {
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
		g.respond = failing(invalid).respond
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

// A stored session that was not adopted, because it is older or of another
// chain, is used only if the API has rejected the own one: not if the own one
// has expired and cannot be renewed.
func TestOtherSessionInTheStoreNeedsARejection(t *testing.T) {
	for name, reject := range map[string]bool{"expired": false, "rejected": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(nil)
				e := &endpoint{body: goodResponse} // A, for 30 minutes
				s := oauth.NewSource(e.refresh(), oauth.Options{Store: m, Early: -1})
				mine := want(t, s, "A")
				m.put(token("S", "RS", 24*time.Hour).WithExtra(map[string]any{"okru_chain": "another"}))
				e.set(400, `{"error":"invalid_grant"}`)
				if reject {
					s.Invalidate(mine)
					want(t, s, "S")
					return
				}
				time.Sleep(31 * time.Minute)
				wantErr(t, s, oauth.ErrSignIn)
			})
		})
	}
}

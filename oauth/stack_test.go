package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// stack returns a fake OK in process and a client with a session from it.
func stack(t *testing.T, o oauth.Options) (*oktest.Server, *oktest.User, *oauth.Source, *http.Client) {
	t.Helper()
	ok := oktest.NewServer(oktest.App{})
	t.Cleanup(ok.Close)
	user := ok.NewUser("anna", "password")
	source := oauth.NewSource(oauth.Refresh{
		ClientID: ok.App().ID, ClientSecret: ok.App().Secret, RefreshToken: user.Token().RefreshToken,
		HTTPClient: &http.Client{Transport: ok.InProcess()},
	}, o)
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: ok.App().Key, ApplicationSecret: ok.App().Secret, TokenSource: source, Base: ok.InProcess(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := okru.Call[string](t.Context(), client, "users.getLoggedInUser", nil); err != nil || id != user.ID() {
		t.Fatal(id, err)
	}
	return ok, user, source, client
}

func TestThousandCallsOnARevokedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ok, user, source, client := stack(t, oauth.Options{})
		ok.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Delay: 100 * time.Millisecond})
		ok.Inject(oktest.Fault{Delay: 10 * time.Millisecond})
		ok.Revoke(current(source))
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				id, err := okru.Call[string](t.Context(), client, "users.getLoggedInUser", nil)
				if err != nil || id != user.ID() {
					t.Error(id, err)
				}
			})
		}
		callers.Wait()
		if n := len(ok.Exchanges()); n != 2 {
			t.Errorf("%d token requests, want one to sign in and one to renew", n)
		}
	})
}

func current(s *oauth.Source) string {
	session, _ := s.Token()
	return session.AccessToken
}

func TestCallReturnsInTimeWhileRenewalHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ok, _, source, client := stack(t, oauth.Options{})
		ok.Revoke(current(source))
		ok.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := okru.Call[string](ctx, client, "users.getLoggedInUser", nil)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 50*time.Millisecond {
			t.Errorf("after %v: %v; want the deadline after 50ms", time.Since(start), err)
		}
		time.Sleep(time.Minute) // the renewal ends by its own timeout
	})
}

func TestFailingTokenEndpointIsSpared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ok, _, source, client := stack(t, oauth.Options{})
		ok.Revoke(current(source))
		ok.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Status: 500})
		before := len(ok.Exchanges())
		var calls atomic.Int32
		call := func() {
			if _, err := okru.Call[string](t.Context(), client, "users.getLoggedInUser", nil); err != nil {
				calls.Add(1)
			}
		}
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(call)
		}
		callers.Wait()
		for range 20 {
			call()
		}
		if n := len(ok.Exchanges()) - before; n > 2 || calls.Load() != 40 {
			t.Errorf("%d token requests for %d failed calls, want at most 2 for 40", n, calls.Load())
		}
	})
}

// The Signer hands over the keys that come with code 107.
func TestNewKeysAreAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(nil)
		ok, user, source, client := stack(t, oauth.Options{Store: store})
		fresh := ok.Replace(current(source))
		id, err := okru.Call[string](t.Context(), client, "users.getLoggedInUser", nil)
		if err != nil || id != user.ID() {
			t.Fatal(id, err)
		}
		synctest.Wait()
		if current(source) != fresh || store.access() != fresh || len(ok.Exchanges()) != 1 {
			t.Errorf("after %d token requests the session is %s, the stored one %s; want %s after one",
				len(ok.Exchanges()), current(source), store.access(), fresh)
		}
	})
}

// A multi-user server: the session of one call, renewed like any other.
func TestSourceOfOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ok, _, _, client := stack(t, oauth.Options{})
		boris := ok.NewUser("boris", "password")
		source := oauth.NewSource(oauth.Password{
			ApplicationKey: ok.App().Key, Login: "boris", Password: "password", HTTPClient: &http.Client{Transport: ok.InProcess()},
		}, oauth.Options{})
		ctx := transport.WithTokenSource(t.Context(), source)
		for range 3 {
			id, err := okru.Call[string](ctx, client, "users.getLoggedInUser", nil)
			if err != nil || id != boris.ID() {
				t.Fatal(id, err)
			}
			ok.Expire(current(source))
			time.Sleep(10 * time.Second)
		}
		boris.SetPassword("changed")
		// There is no other session. One check shows that, at the first call and at
		// every later one.
		for i := range 3 {
			_, err := okru.Call[string](ctx, client, "users.getLoggedInUser", nil)
			if !errors.Is(err, oauth.ErrSignIn) || !errors.Is(err, okerrors.CodeAuthLogin) || !errors.Is(err, okerrors.ErrSession) {
				t.Errorf("call %d: error is %v, want ErrSignIn", i, err)
			}
		}
	})
}

// A revoked user is ErrSignIn and ErrSession at every call, whichever grant
// renews. The first error also is the rejection of the API. The same holds if
// there is nothing to sign in with, without a rejection.
func TestOneCheckForSignIn(t *testing.T) {
	for name, test := range map[string]struct {
		grant    func(ok *oktest.Server, session *oauth2.Token) oauth.Grant
		session  bool // there is a session, which the API rejects
		rejected bool // so that the first error is a rejection
	}{
		"refresh token revoked": {func(ok *oktest.Server, s *oauth2.Token) oauth.Grant {
			return oauth.Refresh{ClientID: ok.App().ID, ClientSecret: ok.App().Secret, RefreshToken: s.RefreshToken, HTTPClient: &http.Client{Transport: ok.InProcess()}}
		}, true, true},
		"no refresh token": {func(ok *oktest.Server, _ *oauth2.Token) oauth.Grant {
			return oauth.Refresh{ClientID: ok.App().ID, ClientSecret: ok.App().Secret, HTTPClient: &http.Client{Transport: ok.InProcess()}}
		}, true, true},
		"no grant": {func(*oktest.Server, *oauth2.Token) oauth.Grant { return nil }, true, true},
		"empty store, no refresh token": {func(ok *oktest.Server, _ *oauth2.Token) oauth.Grant {
			return oauth.Refresh{ClientID: ok.App().ID, ClientSecret: ok.App().Secret}
		}, false, false},
		"empty store, no code": {func(ok *oktest.Server, _ *oauth2.Token) oauth.Grant {
			return oauth.Code{ClientID: ok.App().ID, ClientSecret: ok.App().Secret}
		}, false, false},
		"empty store, no login": {func(ok *oktest.Server, _ *oauth2.Token) oauth.Grant {
			return oauth.Implicit{ClientID: ok.App().ID}
		}, false, false},
		"empty store, no grant": {func(*oktest.Server, *oauth2.Token) oauth.Grant { return nil }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ok := oktest.NewServer(oktest.App{})
				defer ok.Close()
				anna := ok.NewUser("anna", "password")
				session := anna.Token()
				store := newMemory(nil)
				if test.session {
					store.put(session)
				}
				client, err := okru.NewClient(okru.Config{
					ApplicationKey: ok.App().Key, ApplicationSecret: ok.App().Secret, Base: ok.InProcess(),
					TokenSource: oauth.NewSource(test.grant(ok, session), oauth.Options{Store: store}),
				})
				if err != nil {
					t.Fatal(err)
				}
				anna.Revoke()
				for i := range 4 {
					_, err := okru.Call[string](t.Context(), client, "users.getLoggedInUser", nil)
					_, isRejection := errors.AsType[*okerrors.Error](err)
					if !errors.Is(err, oauth.ErrSignIn) || !errors.Is(err, okerrors.ErrSession) || isRejection != (test.rejected && i == 0) {
						t.Errorf("call %d: error is %v, want ErrSignIn", i, err)
					}
					time.Sleep(time.Duration(i) * 3 * time.Second)
				}
			})
		})
	}
}

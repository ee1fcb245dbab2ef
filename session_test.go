package okru_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// newSessionOf returns a source that renews a session of a new user of fake.
func newSessionOf(t *testing.T, fake *oktest.Server) *oauth.Source {
	t.Helper()
	carol := fake.NewUser("carol", "password")
	carol.Grant("SET_STATUS")
	return oauth.NewSource(oauth.Refresh{
		ClientID: app.ID, ClientSecret: app.Secret,
		RefreshToken: carol.Token().RefreshToken,
		HTTPClient:   &http.Client{Transport: fake.InProcess()},
	}, oauth.Options{})
}

// However many calls meet a session that is gone, it is renewed once, and all
// of them succeed.
func TestRevokedSessionIsRenewedOnce(t *testing.T) {
	for name, end := range map[string]func(*oktest.Server, string){
		"revoked": (*oktest.Server).Revoke, "expired": (*oktest.Server).Expire,
	} {
		t.Run(name, func(t *testing.T) {
			fake, cfg := newFake(t)
			source := newSessionOf(t, fake)
			cfg.TokenSource = source
			client := newClient(t, cfg)
			first, err := source.Token()
			if err != nil {
				t.Fatal(err)
			}
			end(fake, first.AccessToken)
			before := len(fake.Exchanges())

			errs := make(chan error, 1000)
			var start, wg sync.WaitGroup
			start.Add(1)
			for i := range cap(errs) {
				wg.Go(func() {
					start.Wait()
					method := []string{"users.getCurrentUser", "users.setStatus"}[i%2]
					_, err := okru.Call[any](t.Context(), client, method, url.Values{"status": {fmt.Sprint(i)}})
					errs <- err
				})
			}
			start.Done()
			wg.Wait()
			close(errs)
			for err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
			if n := len(fake.Exchanges()) - before; n != 1 {
				t.Errorf("%d token requests", n)
			}
			if n := fake.Duplicates("status"); n != 0 {
				t.Errorf("%d writes ran twice", n)
			}
		})
	}
}

// A renewal that hangs holds no caller beyond its own deadline, and goes on.
func TestHangingRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, cfg := newFake(t)
		source := newSessionOf(t, fake)
		cfg.TokenSource = source
		client := newClient(t, cfg)
		first, err := source.Token()
		if err != nil {
			t.Fatal(err)
		}
		fake.Revoke(first.AccessToken)
		fake.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Delay: 10 * time.Second})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := okru.Call[any](ctx, client, "users.getCurrentUser", nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 50*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if _, err := okru.Call[any](t.Context(), client, "users.getCurrentUser", nil); err != nil || len(fake.Exchanges()) != 2 {
			t.Errorf("the next caller: %v, after %d token requests", err, len(fake.Exchanges()))
		}
	})
}

// What the API says of a parameter that the caller forgot is not about the
// session, and new keys are used from then on.
func TestOtherRefusals(t *testing.T) {
	fake, cfg := newFake(t)
	source := newSessionOf(t, fake)
	cfg.TokenSource = source
	client := newClient(t, cfg)
	fake.Inject(oktest.Fault{Times: 1, Error: &okerrors.Error{Code: okerrors.CodeParam, Message: "PARAM : Either session_key or uid must be specified"}})
	_, err := okru.Call[any](t.Context(), client, "users.getCurrentUser", nil)
	if !errors.Is(err, okerrors.CodeParam) || len(fake.Exchanges()) != 1 {
		t.Errorf("%v, after %d token requests", err, len(fake.Exchanges()))
	}
	old, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	replaced := fake.Replace(old.AccessToken)
	_, err = okru.Call[any](t.Context(), client, "users.getCurrentUser", nil)
	now, _ := source.Token()
	if err != nil || now.AccessToken != replaced || len(fake.Exchanges()) != 1 {
		t.Errorf("code 107: %v, the new session is in use: %t, %d token requests", err, now.AccessToken == replaced, len(fake.Exchanges()))
	}
	if now.RefreshToken != old.RefreshToken {
		t.Error("the refresh token is lost with the old keys")
	}
}

// A server of many users renews the session of one call.
func TestSourceOfOneCall(t *testing.T) {
	fake, cfg := newFake(t)
	client := newClient(t, cfg)
	source := newSessionOf(t, fake)
	token, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	fake.Expire(token.AccessToken)
	ctx := transport.WithTokenSource(t.Context(), source)
	if _, err := okru.Call[any](ctx, client, "users.getCurrentUser", nil); err != nil || len(fake.Exchanges()) != 2 {
		t.Errorf("%v, after %d token requests", err, len(fake.Exchanges()))
	}
	ctx = transport.WithToken(t.Context(), token)
	if _, err := okru.Call[any](ctx, client, "users.getCurrentUser", nil); !errors.Is(err, okerrors.ErrSession) {
		t.Errorf("an expired session without a source: %v", err)
	}
}

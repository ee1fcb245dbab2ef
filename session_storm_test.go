package okru_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// The session is revoked again and again under many calls, with few connections
// for calls and renewals together and bodies that come slowly. Each revocation
// costs one renewal, every call succeeds, and no write runs twice.
func TestStormOfRevocations(t *testing.T) {
	for name, network := range map[string]func(*oktest.Server) http.RoundTripper{"HTTP/1.1": (*oktest.Server).Transport, "HTTP/2": (*oktest.Server).HTTP2} {
		for _, connections := range []int{1, 3} {
			t.Run(fmt.Sprint(name, ", ", connections), func(t *testing.T) {
				fake, cfg := newFake(t)
				base := network(fake).(*http.Transport).Clone()
				base.MaxConnsPerHost = connections
				defer base.CloseIdleConnections()
				carol := fake.NewUser("carol", "password")
				carol.Grant("SET_STATUS")
				source := oauth.NewSource(oauth.Refresh{
					ClientID: app.ID, ClientSecret: app.Secret, RefreshToken: carol.Token().RefreshToken,
					HTTPClient: &http.Client{Transport: base},
				}, oauth.Options{CoolDown: -1})
				cfg.Base, cfg.TokenSource = base, source
				client := newClient(t, cfg)
				fake.Inject(oktest.Fault{Pause: 3 * time.Millisecond, Chunked: true})
				const storms, callers = 5, 16
				for storm := range storms {
					session, err := source.Token()
					if err != nil {
						t.Fatal(err)
					}
					fake.Revoke(session.AccessToken)
					callAtOnce(t, callers, func(ctx context.Context, i int) error {
						_, err := okru.Call[any](ctx, client, "users.setStatus", url.Values{"status": {fmt.Sprint(storm, ".", i)}})
						return err
					})
				}
				if n := len(fake.Exchanges()); n != storms+1 {
					t.Errorf("%d token requests", n)
				}
				if n := fake.Duplicates("status"); n != 0 {
					t.Errorf("%d writes ran twice", n)
				}
			})
		}
	}
}

// callAtOnce calls f from n goroutines, and reports their errors.
func callAtOnce(t *testing.T, n int, f func(ctx context.Context, i int) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := f(ctx, i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

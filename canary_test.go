package okru_test

import (
	"net/http"
	"testing"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/internal/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

func TestPrintsNoSecret(t *testing.T) {
	const token, session, secret = "canary-token-1a2b3c", "canary-session-secret-4d5e", "canary-application-secret-6f"
	cfg := okru.Config{
		ApplicationKey: "KEY", ApplicationSecret: secret, TokenSource: oauth.Static(token, session),
		Limiter: rate.NewLimiter(1, 1), Base: memory{},
	}
	client, err := okru.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := okru.Wrap(&http.Client{}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	bad := cfg
	bad.Circuit, bad.ApplicationSecret = 9, secret+" "
	_, fault := okru.NewClient(bad)
	for _, v := range []any{cfg, &cfg, client, *client, client.Transport, wrapped, wrapped.Transport, fault} {
		canary.Check(t, v, token, session, secret, transport.SessionSecret(token, secret))
	}
}

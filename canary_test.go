package okru_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// A page that echoes what it was sent does not get it past Call, whatever the
// secrets look like.
func TestAnswerErrorShowsNoSecret(t *testing.T) {
	const token, session, secret = "CANARY-ACCESS-TOKEN", "CANARY-SESSION-SECRET", "CANARY-APPLICATION-SECRET"
	for _, circuit := range []transport.Circuit{transport.ServerServer, transport.ClientServer, transport.Sessionless} {
		for name, echo := range map[string]string{
			"page":     "<html>bad token " + token + " of " + secret + ", not " + session,
			"cut page": "<html>" + strings.Repeat(secret+" ", 8) + strings.Repeat("no token ", 33) + token,
			"JSON":     `["` + token + `","` + secret + `","` + session + `"]`,
		} {
			cfg := okru.Config{
				ApplicationKey: "KEY", ApplicationSecret: secret, TokenSource: oauth.Static(token, session), Circuit: circuit,
				Base: respond(http.StatusOK, "text/html", echo),
			}
			_, err := okru.Call[int](t.Context(), newClient(t, cfg), "users.getInfo", nil)
			if _, ok := errors.AsType[*okru.AnswerError](err); !ok {
				t.Fatalf("%s: error is %v", name, err)
			}
			secrets := []string{secret, "CANARY-APP"}
			if circuit != transport.Sessionless { // which does not know the session
				secrets = append(secrets, token, session)
			}
			canary.Check(t, err, secrets...)
		}
	}
}

func TestPrintsNoSecret(t *testing.T) {
	const token, session, secret = "canary-token-1a2b3c", "canary-session-secret-4d5e", "canary-application-secret-6f"
	const group = "tkncanary7a8b:9c0d"
	cfg := okru.Config{
		ApplicationKey: "KEY", ApplicationSecret: secret, TokenSource: oauth.Static(token, session),
		GroupToken: group, Limiter: rate.NewLimiter(1, 1), Base: memory{},
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
	bad.Circuit, bad.ApplicationSecret, bad.GroupToken = 9, secret+" ", group+" "
	_, fault := okru.NewClient(bad)
	for _, v := range []any{cfg, &cfg, client, *client, client.Transport, wrapped, wrapped.Transport, fault} {
		canary.Check(t, v, token, session, secret, group, transport.DeriveSecret(token, secret))
	}
}

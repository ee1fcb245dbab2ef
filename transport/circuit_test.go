package transport_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

func TestCircuits(t *testing.T) {
	both := oauth.Static("token-1", "session-secret")
	bare := oauth.Static("token-1", "")
	digits := (&oauth2.Token{AccessToken: "token-1"}).WithExtra(url.Values{"session_secret_key": {"1234567890"}})
	derived := transport.DeriveSecret("token-1", "app-secret")
	for _, test := range []struct {
		name    string
		circuit transport.Circuit
		secret  string
		source  oauth2.TokenSource
		signed  string // the secret that signs; "none": not signed
		token   string
		fails   string
	}{
		{"auto, both secrets: the server circuit", transport.Auto, "app-secret", both, derived, "token-1", ""},
		{"auto, application secret", transport.Auto, "app-secret", bare, derived, "token-1", ""},
		{"auto, session secret", transport.Auto, "", both, "session-secret", "token-1", ""},
		{"auto, a session secret of digits", transport.Auto, "", oauth2.StaticTokenSource(digits), "1234567890", "token-1", ""},
		{"auto, no secret", transport.Auto, "", bare, "", "", "session_secret_key"},
		{"auto, no session", transport.Auto, "app-secret", nil, "app-secret", "", ""},
		{"auto, nothing", transport.Auto, "", nil, "", "", "TokenSource"},
		{"server", transport.ServerServer, "app-secret", both, derived, "token-1", ""},
		{"server without secret", transport.ServerServer, "", both, "", "", "ApplicationSecret"},
		{"server without session", transport.ServerServer, "app-secret", nil, "", "", "TokenSource"},
		{"client", transport.ClientServer, "app-secret", both, "session-secret", "token-1", ""},
		{"client without session secret", transport.ClientServer, "app-secret", bare, "", "", "session_secret_key"},
		{"client without session", transport.ClientServer, "app-secret", nil, "", "", "TokenSource"},
		{"sessionless", transport.Sessionless, "app-secret", both, "app-secret", "", ""},
		{"sessionless without secret", transport.Sessionless, "", both, "", "", "signs with the application secret: set ApplicationSecret"},
		{"unsigned", transport.Unsigned, "app-secret", both, "none", "", ""},
		{"empty token", transport.Auto, "app-secret", oauth2.StaticTokenSource(&oauth2.Token{}), "", "", "access token is empty"},
		{"no token", transport.Auto, "app-secret", sourceFunc(func() (*oauth2.Token, error) { return nil, nil }), "", "", "neither"},
	} {
		for _, perCall := range []bool{false, true} {
			s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: test.secret, TokenSource: test.source, Circuit: test.circuit}
			r := get("method=users.getInfo&sig=theirs")
			if perCall { // a circuit of the call wins over that of the Signer
				s.Circuit = transport.Unsigned
				r = r.WithContext(transport.WithCircuit(r.Context(), test.circuit))
			}
			if test.fails != "" {
				resp, err := s.Wrap(&recorder{}).RoundTrip(r)
				if resp != nil || err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("%s: error %v, want one about %s", test.name, err, test.fails)
				}
				continue
			}
			_, query, _ := sent(t, s, r)
			want := naive(query, test.signed)
			if test.signed == "none" {
				want = ""
			}
			if query.Get("sig") != want || query.Get("access_token") != test.token {
				t.Errorf("%s: sent %v, want sig %s and token %q", test.name, query, want, test.token)
			}
		}
	}
}

type sourceFunc func() (*oauth2.Token, error)

func (f sourceFunc) Token() (*oauth2.Token, error) { return f() }

func TestSessionOfOneCall(t *testing.T) {
	ctx := t.Context()
	mine := oauth2.Token{AccessToken: "mine"}
	for _, test := range []struct {
		name  string
		ctx   context.Context
		token string
	}{
		{"none", ctx, "token-1"},
		{"token", transport.WithToken(ctx, &mine), "mine"},
		{"source", transport.WithTokenSource(ctx, oauth.Static("source", "")), "source"},
		{"the last one counts", transport.WithTokenSource(transport.WithToken(ctx, &mine), oauth.Static("source", "")), "source"},
		{"and the other way round", transport.WithToken(transport.WithTokenSource(ctx, oauth.Static("source", "")), &mine), "mine"},
		{"sessionless", transport.WithCircuit(transport.WithToken(ctx, &mine), transport.Sessionless), ""},
		{"with a mark", transport.WithIdempotent(transport.WithToken(ctx, &mine), true), "mine"},
	} {
		_, query, _ := sent(t, signer(), get("method=users.getInfo").WithContext(test.ctx))
		if query.Get("access_token") != test.token {
			t.Errorf("%s: token %q, want %q", test.name, query.Get("access_token"), test.token)
		}
	}
	// A nil session must never become a call of another user.
	for given, ctx := range map[string]context.Context{"WithToken was given": transport.WithToken(ctx, nil), "WithTokenSource was given": transport.WithTokenSource(ctx, nil)} {
		base := &recorder{}
		if _, err := signer().Wrap(base).RoundTrip(get("method=a.b").WithContext(ctx)); err == nil || !strings.Contains(err.Error(), given) || base.got != nil {
			t.Errorf("a nil session: %v", err)
		}
		if _, err := signer().Wrap(base).RoundTrip(get("method=a.b").WithContext(transport.WithCircuit(ctx, transport.Sessionless))); err != nil {
			t.Errorf("a nil session, and a circuit that has none: %v", err)
		}
	}
}

// Many sessions through one Signer get their own secrets, also when they
// share a slot of its cache.
func TestManySessions(t *testing.T) {
	s := signer()
	for range 3 {
		for i := range 300 {
			token := oauth2.Token{AccessToken: "user-" + strings.Repeat("x", i)}
			r := get("method=users.getInfo")
			_, query, _ := sent(t, s, r.WithContext(transport.WithToken(r.Context(), &token)))
			if want := naive(query, transport.DeriveSecret(token.AccessToken, "app-secret")); query.Get("sig") != want {
				t.Fatalf("session %d is signed with another's secret", i)
			}
		}
	}
}

// A source that knows no context, such as those of x/oauth2, must not delay a
// caller beyond the end of its context.
func TestSlowSourceEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signer()
		s.TokenSource = sourceFunc(func() (*oauth2.Token, error) {
			time.Sleep(time.Minute)
			return &oauth2.Token{AccessToken: "late"}, nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := s.Wrap(&recorder{}).RoundTrip(get("method=a.b").WithContext(ctx))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 20*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		time.Sleep(time.Minute) // the renewal ends by itself
	})
}

func TestCircuitString(t *testing.T) {
	for c, want := range map[transport.Circuit]string{
		transport.Auto: "Auto", transport.ServerServer: "ServerServer", transport.ClientServer: "ClientServer",
		transport.Sessionless: "Sessionless", transport.Unsigned: "Unsigned", 5: "Circuit(5)", -1: "Circuit(-1)",
	} {
		if c.String() != want || c.Valid() != !strings.Contains(want, "(") {
			t.Errorf("the name of circuit %d is %s, valid: %t; want %s", int(c), c, c.Valid(), want)
		}
	}
}

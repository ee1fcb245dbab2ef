package transport_test

import (
	"testing"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// Secrets that are words of OK's messages are left there: Message is as sent,
// and is not read as that of another error.
func TestWordsAreNotTakenForSecrets(t *testing.T) {
	for _, test := range []struct{ token, session, app, message string }{
		{"expired", "", "app-secret", "PARAM_SESSION_EXPIRED : Session expired"},
		{"token-0", "", "secret", "PARAM_SIGNATURE : Invalid signature for this secret"},
		{"token-0", "invalid", "", "PARAM : invalid signature"},
		{"session_key", "", "app-secret", "PARAM : Wrong session_key"},
	} {
		a := &api{answers: []string{apiError(4, test.message, `,"error_field":"session_key"`)}}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: test.app, TokenSource: oauth.Static(test.token, test.session)}
		resp, err := s.Wrap(a).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := okerrors.FromResponse(resp); e == nil || e.Message != test.message || e.Field != "session_key" {
			t.Errorf("%q with token %q: error is %+v", test.message, test.token, e)
		}
	}
}

// Whether a session was refused is judged by what the API said, before what
// it quotes is taken out.
func TestRefusalThatQuotesItsTokenIsRenewed(t *testing.T) {
	for _, token := range []string{"invalid", "access_token", "parameter access_token"} {
		a := &api{answers: []string{apiError(100, "PARAM : Invalid parameter access_token"), `true`}}
		tokens := []string{token, "fresh"}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: sourceFunc(func() (*oauth2.Token, error) {
			return &oauth2.Token{AccessToken: tokens[min(len(a.tokens), 1)]}, nil
		})}
		if _, err := s.Wrap(a).RoundTrip(get("method=users.getInfo")); err != nil || len(a.tokens) != 2 {
			t.Errorf("token %q: sent %q, error %v", token, a.tokens, err)
		}
	}
}

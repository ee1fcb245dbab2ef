package transport_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
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

// However a server spells what it quotes, the error does not show it.
func TestQuotedSecretsInAnySpelling(t *testing.T) {
	const token = `CANARY/TOK+EN=:<1&x`
	for name, quoted := range map[string]string{
		"plain": token, "query": url.QueryEscape(token), "path": url.PathEscape(token), "HTML": html.EscapeString(token),
		"small letters": strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d", "%3A", "%3a", "%3C", "%3c").Replace(url.QueryEscape(token)),
		"twice":         url.QueryEscape(url.QueryEscape(token)), "HTML twice": html.EscapeString(html.EscapeString(token)),
	} {
		a := &api{answers: []string{apiError(4, "REQUEST : you sent ["+quoted+"]")}}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: oauth.Static(token, "")}
		resp, err := s.Wrap(a).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := okerrors.FromResponse(resp); e == nil || e.Message != "REQUEST : you sent [[redacted]]" {
			t.Errorf("%s: message %q of %q", name, e.Message, quoted)
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

// A cleaned error is to Retry what it was before: the cancellation by a layer
// below is final, and its deadline, or the timeout of a connection, is not.
func TestCleanedErrorsKeepTheirFate(t *testing.T) {
	for _, test := range []struct {
		cause    error
		attempts int
	}{
		{context.DeadlineExceeded, 4},
		{fmt.Errorf("below: %w", context.DeadlineExceeded), 4},
		{errors.Join(errBroken, context.DeadlineExceeded), 4},
		{context.Canceled, 1},
		{headerTimeout{}, 4},
		{errBroken, 4},
	} {
		for _, shown := range []string{"https://api.ok.ru/fb.do", ""} {
			sent := 0
			base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
				sent++
				address := shown
				if address == "" {
					address = r.URL.String() // signed
				}
				return nil, &url.Error{Op: "Get", URL: address, Err: test.cause}
			})
			rt := transport.Chain(base, transport.Retry{MinDelay: -1}.Wrap, signer().Wrap)
			_, err := rt.RoundTrip(get("method=users.getInfo"))
			if sent != test.attempts || !errors.Is(err, test.cause) {
				t.Errorf("%v, shown %q: sent %d times, want %d; %v", test.cause, shown, sent, test.attempts, err)
			}
		}
	}
}

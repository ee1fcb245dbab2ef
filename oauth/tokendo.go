package oauth

import (
	"context"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
)

// A tokenEndpoint is token.do as one application uses it.
type tokenEndpoint struct {
	clientID, clientSecret string
	client                 *http.Client
}

var errNoRefreshToken = &failure{
	text: "okru: the session has no refresh token; a human must sign in again",
	is:   []error{ErrSignIn},
}

// refresh gets a session by a refresh token and keeps that, unless the answer
// brings another.
func (e tokenEndpoint) refresh(ctx context.Context, refreshToken string) (*oauth2.Token, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}
	t, _, err := e.ask(ctx, form, refreshToken)
	if err != nil {
		return nil, err
	}
	if t.RefreshToken == "" {
		t.RefreshToken = refreshToken
	}
	return t, nil
}

// ask sends form with the keys of the application. It reports whether OK may
// have seen the form.
func (e tokenEndpoint) ask(ctx context.Context, form url.Values, secret string) (*oauth2.Token, bool, error) {
	form.Set("client_id", e.clientID)
	form.Set("client_secret", e.clientSecret)
	x := &exchange{client: e.client, url: tokenURL, form: form, secrets: secrets{e.clientSecret, secret}}
	a, err := x.do(ctx)
	if err != nil {
		return nil, x.sent.Load(), err
	}
	t, err := a.token(param.AccessToken, "token.do", x.secrets)
	return t, true, err
}

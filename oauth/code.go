package oauth

// This file has the grant of web servers.

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
)

// Code is the authorization code grant. The user consents in a browser at
// [Code.AuthURL], OK redirects the browser to RedirectURL with a code, and
// Token exchanges the code for a session, once. It is for programs that keep an
// application secret, such as web servers.
//
// The session has a refresh token, which Renew uses. Calls are signed on the
// circuit transport.ServerServer.
//
// Token sends a form POST to https://api.ok.ru/oauth/token.do with
// grant_type, code, client_id, client_secret and, unless empty, redirect_uri.
// A code is valid for two minutes. A [Source] never sends it twice.
//
// A key, secret or code with white space around it is rejected before anything
// is sent, and so is a ClientID that is not a number.
//
// See https://apiok.ru/en/ext/oauth/server and RFC 6749, section 4.1.
type Code struct {
	// ClientID is the application id, a number. It is not the application key.
	// Required.
	ClientID string

	// ClientSecret is the application secret key. Required.
	ClientSecret string

	// RedirectURL is the registered URL that the user was redirected to,
	// character by character. If empty, it is not sent.
	RedirectURL string

	// Code is the code of the redirect; see [ParseRedirect]. If it is empty,
	// Token fails with [ErrSignIn].
	Code string

	// HTTPClient sends the request. No redirect is followed, and its cookie jar
	// is not used. If nil, the client that the context has under
	// [oauth2.HTTPClient] is used, and if there is none, a client like
	// [http.DefaultClient] with a timeout of 30 s.
	HTTPClient *http.Client
}

// AuthURL returns the URL of the consent page for the user's browser. OK
// returns state unchanged. It binds the redirect to this browser and must be
// hard to guess. See [ParseRedirect].
func (g Code) AuthURL(state string, scopes ...string) string {
	return authorizeURL("code", g.ClientID, g.RedirectURL, state, scopes)
}

// Token exchanges the code for a session. If the code is wrong, expired or
// used, the error is [ErrSignIn].
func (g Code) Token(ctx context.Context) (*oauth2.Token, error) {
	t, _, err := g.exchange(ctx)
	return t, err
}

// exchange is Token. It also reports whether OK may have received the code. If
// so, the code must not be sent again.
func (g Code) exchange(ctx context.Context) (t *oauth2.Token, sent bool, err error) {
	err = checkFields("Code", field{"ClientID", g.ClientID, clientID}, field{"ClientSecret", g.ClientSecret, setting},
		field{"Code", g.Code, credential})
	if err != nil {
		return nil, false, err
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {g.Code}}
	if g.RedirectURL != "" {
		form.Set("redirect_uri", g.RedirectURL)
	}
	return g.endpoint().post(ctx, form, g.Code)
}

// Renew obtains a new session with the refresh token of old. The new session
// keeps the refresh token unless OK sends another one. Without a refresh token
// the error is [ErrSignIn].
func (g Code) Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	if old == nil || old.RefreshToken == "" {
		return nil, errNoRefreshToken
	}
	err := checkFields("Code", field{"ClientID", g.ClientID, clientID}, field{"ClientSecret", g.ClientSecret, setting},
		field{"the refresh token", old.RefreshToken, credential})
	if err != nil {
		return nil, err
	}
	return g.endpoint().refresh(ctx, old.RefreshToken)
}

var errNoRefreshToken = &failure{
	text:   "okru: the session has no refresh token; the user must sign in again",
	causes: []error{ErrSignIn},
}

// endpoint returns token.do with the credentials of the application.
func (g Code) endpoint() tokenEndpoint {
	return tokenEndpoint{g.ClientID, g.ClientSecret, g.HTTPClient}
}

// authorizeURL returns the URL of the consent page. Empty parameters are left
// out.
func authorizeURL(responseType, clientID, redirectURL, state string, scopes []string) string {
	query := url.Values{"response_type": {responseType}, "client_id": {clientID}}
	for name, value := range map[string]string{"redirect_uri": redirectURL, "state": state, "scope": joinScopes(scopes)} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return authURL + "?" + query.Encode()
}

// view shows the fields without secrets.
func (g Code) view() redact.View {
	return redact.Show("oauth.Code",
		slog.String("ClientID", g.ClientID),
		redact.Secret("ClientSecret", g.ClientSecret),
		slog.String("RedirectURL", g.RedirectURL),
		redact.Secret("Code", g.Code),
		slog.Bool("HTTPClient", g.HTTPClient != nil),
	)
}

// Format implements [fmt.Formatter]: every verb prints the fields, and no
// secret.
func (g Code) Format(f fmt.State, verb rune) { g.view().Format(f, verb) }

// LogValue implements [slog.LogValuer]. It contains no secret.
func (g Code) LogValue() slog.Value { return g.view().LogValue() }

// MarshalJSON returns the fields as a JSON object. It contains no secret.
func (g Code) MarshalJSON() ([]byte, error) { return g.view().MarshalJSON() }

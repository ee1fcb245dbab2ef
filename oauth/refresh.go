package oauth

// This file has the grant that renews a session without the user.

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
)

// Refresh is the refresh token grant. It exchanges a refresh token of an
// earlier sign-in for a session. Calls are signed on the circuit
// transport.ServerServer.
//
// Token sends a form POST to https://api.ok.ru/oauth/token.do with
// grant_type, refresh_token, client_id and client_secret. OK's refresh tokens
// are valid for 30 days and remain valid after use. If OK sends another one,
// the session has that one.
//
// A key, secret or token with white space around it is rejected before
// anything is sent, and so is a ClientID that is not a number.
//
// See https://apiok.ru/en/ext/oauth/server and RFC 6749, section 6.
type Refresh struct {
	// ClientID is the application id, a number. It is not the application key.
	// Required.
	ClientID string

	// ClientSecret is the application secret key. Required.
	ClientSecret string

	// RefreshToken is the token that Token uses, and that Renew uses if a
	// session has none. If it is empty, Token fails with [ErrSignIn]: this is
	// the grant of programs whose sessions come from a store or from
	// [Sessions.Admit].
	RefreshToken string

	// HTTPClient is as for [Code].
	HTTPClient *http.Client
}

// Token obtains a session with RefreshToken. If that is empty, wrong or
// expired, the error is [ErrSignIn].
func (g Refresh) Token(ctx context.Context) (*oauth2.Token, error) {
	return g.Renew(ctx, nil)
}

// Renew obtains a new session with the refresh token of old or, if old has
// none, with RefreshToken.
func (g Refresh) Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	refreshToken := g.RefreshToken
	if old != nil && old.RefreshToken != "" {
		refreshToken = old.RefreshToken
	}
	err := checkFields("Refresh", field{"ClientID", g.ClientID, clientID}, field{"ClientSecret", g.ClientSecret, setting},
		field{"RefreshToken", refreshToken, credential})
	if err != nil {
		return nil, err
	}
	return tokenEndpoint{g.ClientID, g.ClientSecret, g.HTTPClient}.refresh(ctx, refreshToken)
}

// view shows the fields without secrets.
func (g Refresh) view() redact.View {
	return redact.Show("oauth.Refresh",
		slog.String("ClientID", g.ClientID),
		redact.Secret("ClientSecret", g.ClientSecret),
		redact.Secret("RefreshToken", g.RefreshToken),
		slog.Bool("HTTPClient", g.HTTPClient != nil),
	)
}

// Format implements [fmt.Formatter]: every verb prints the fields, and no
// secret.
func (g Refresh) Format(f fmt.State, verb rune) { g.view().Format(f, verb) }

// LogValue implements [slog.LogValuer]. It contains no secret.
func (g Refresh) LogValue() slog.Value { return g.view().LogValue() }

// MarshalJSON returns the fields as a JSON object. It contains no secret.
func (g Refresh) MarshalJSON() ([]byte, error) { return g.view().MarshalJSON() }

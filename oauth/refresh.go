package oauth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
)

// Refresh is the refresh token grant: it turns a refresh token, kept from an
// earlier sign-in, into a session. Calls are signed on the circuit
// transport.ServerServer.
//
// Token sends, in the form of a POST to https://api.ok.ru/oauth/token.do,
// grant_type, refresh_token, client_id and client_secret. OK's refresh tokens
// live 30 days and stay valid when used; should OK send another one, the
// session has that.
//
// See https://apiok.ru/en/ext/oauth/server and RFC 6749, section 6.
type Refresh struct {
	// ClientID is the application id, which is not the application key.
	ClientID string

	// ClientSecret is the application secret key.
	ClientSecret string

	// RefreshToken is what Token uses, and Renew if a session has none.
	RefreshToken string

	// HTTPClient is as for [Code].
	HTTPClient *http.Client
}

// Token gets a session by RefreshToken. One that is wrong or too old is
// [ErrSignIn].
func (g Refresh) Token(ctx context.Context) (*oauth2.Token, error) {
	return g.Renew(ctx, nil)
}

// Renew gets a new session by the refresh token of old or, if that has none,
// by RefreshToken.
func (g Refresh) Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	refreshToken := g.RefreshToken
	if old != nil && old.RefreshToken != "" {
		refreshToken = old.RefreshToken
	}
	err := require("Refresh", field{"ClientID", g.ClientID}, field{"ClientSecret", g.ClientSecret}, field{"RefreshToken", refreshToken})
	if err != nil {
		return nil, err
	}
	return tokenEndpoint{g.ClientID, g.ClientSecret, g.HTTPClient}.refresh(ctx, refreshToken)
}

func (g Refresh) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("ClientID", g.ClientID),
		redact.Secret("ClientSecret", g.ClientSecret),
		redact.Secret("RefreshToken", g.RefreshToken),
		redact.Set("HTTPClient", g.HTTPClient != nil),
	}
}

// String tells the settings, without secrets, as all that prints does.
func (g Refresh) String() string { return redact.String("oauth.Refresh", g.attrs()) }

// Format implements [fmt.Formatter] with the text of String for every verb.
func (g Refresh) Format(f fmt.State, _ rune) { redact.Format(f, g.String()) }

// LogValue implements [slog.LogValuer].
func (g Refresh) LogValue() slog.Value { return slog.GroupValue(g.attrs()...) }

// MarshalJSON returns what String tells as a JSON object.
func (g Refresh) MarshalJSON() ([]byte, error) { return redact.JSON(g.attrs()) }

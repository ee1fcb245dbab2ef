package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// Code is the authorization code grant: the user consents in a browser at
// [Code.AuthURL], OK redirects him to RedirectURL with a code, and Token turns
// that into a session, once. For programs that keep an application secret,
// web servers above all.
//
// The session has a refresh token, by which Renew gets further ones. Calls are
// signed on the circuit transport.ServerServer.
//
// Token sends, in the form of a POST to https://api.ok.ru/oauth/token.do,
// grant_type, code, client_id, client_secret and, unless empty, redirect_uri.
// A code lives two minutes. A [Source] never sends it a second time.
//
// See https://apiok.ru/en/ext/oauth/server and RFC 6749, section 4.1.
type Code struct {
	// ClientID is the application id, which is not the application key.
	ClientID string

	// ClientSecret is the application secret key.
	ClientSecret string

	// RedirectURL is the registered URL that the user came back to, character
	// by character.
	RedirectURL string

	// Code is what came back there; see [ParseRedirect].
	Code string

	// HTTPClient sends the request; no redirect is followed and its cookie jar
	// is not used. If nil, a client like [http.DefaultClient] with a timeout of
	// 30 s.
	HTTPClient *http.Client
}

// AuthURL returns the URL of the consent page for the user's browser. OK
// returns state unchanged: it ties the redirect to this very browser and must
// be hard to guess. See [ParseRedirect].
func (g Code) AuthURL(state string, scopes ...string) string {
	return authorizeURL("code", g.ClientID, g.RedirectURL, state, scopes)
}

// Token exchanges the code for a session. A code that is wrong, too old or
// used is [ErrSignIn].
func (g Code) Token(ctx context.Context) (*oauth2.Token, error) {
	t, _, err := g.exchange(ctx)
	return t, err
}

// exchange is Token. It reports whether OK may have seen the code, after which
// it must not be sent again.
func (g Code) exchange(ctx context.Context) (t *oauth2.Token, sent bool, err error) {
	if err := g.check(field{"Code", g.Code}); err != nil {
		return nil, false, err
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {g.Code}}
	if g.RedirectURL != "" {
		form.Set("redirect_uri", g.RedirectURL)
	}
	t, sent, err = g.endpoint().ask(ctx, form, g.Code)
	if err != nil {
		return nil, sent, err
	}
	return withExtra(t, codeExtra, g.fingerprint()), true, nil
}

// Renew gets a new session by the refresh token of old, which it keeps if OK
// sends no other. Without a refresh token it fails with [ErrSignIn].
func (g Code) Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	if old == nil || old.RefreshToken == "" {
		return nil, errNoRefreshToken
	}
	t, err := g.endpoint().refresh(ctx, old.RefreshToken)
	if err != nil {
		return nil, err
	}
	if origin := old.Extra(codeExtra); origin != nil {
		t = withExtra(t, codeExtra, origin)
	}
	return t, nil
}

// codeExtra is the extra by which a session tells which code it came from. It
// goes into the store with the session, so that a program that is started
// again with the same code does not use it again.
const codeExtra = "code_sha256"

func (g Code) fingerprint() string {
	sum := sha256.Sum256([]byte(g.Code))
	return hex.EncodeToString(sum[:])
}

// spentBy reports whether t came from this very code.
func (g Code) spentBy(t *oauth2.Token) bool {
	return t != nil && t.Extra(codeExtra) == any(g.fingerprint())
}

func (g Code) check(more ...field) error {
	return require("Code", append([]field{{"ClientID", g.ClientID}, {"ClientSecret", g.ClientSecret}}, more...)...)
}

func (g Code) endpoint() tokenEndpoint {
	return tokenEndpoint{g.ClientID, g.ClientSecret, g.HTTPClient}
}

func (g Code) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("ClientID", g.ClientID),
		redact.Secret("ClientSecret", g.ClientSecret),
		slog.String("RedirectURL", g.RedirectURL),
		redact.Secret("Code", g.Code),
		redact.Set("HTTPClient", g.HTTPClient != nil),
	}
}

// String tells the settings, without secrets, as all that prints does.
func (g Code) String() string { return redact.String("oauth.Code", g.attrs()) }

// Format implements [fmt.Formatter] with the text of String for every verb.
func (g Code) Format(f fmt.State, _ rune) { redact.Format(f, g.String()) }

// LogValue implements [slog.LogValuer].
func (g Code) LogValue() slog.Value { return slog.GroupValue(g.attrs()...) }

// MarshalJSON returns what String tells as a JSON object.
func (g Code) MarshalJSON() ([]byte, error) { return redact.JSON(g.attrs()) }

// authorizeURL returns the URL of the consent page. What is empty stays out.
func authorizeURL(responseType, clientID, redirectURL, state string, scopes []string) string {
	query := url.Values{"response_type": {responseType}, "client_id": {clientID}}
	for name, value := range map[string]string{"redirect_uri": redirectURL, "state": state, "scope": joinScopes(scopes)} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return authURL + "?" + query.Encode()
}

// withExtra returns t with one more extra.
func withExtra(t *oauth2.Token, name string, value any) *oauth2.Token {
	extras := token.Extras(t)
	if extras == nil {
		extras = make(map[string]any)
	}
	extras[name] = value
	return t.WithExtra(extras)
}

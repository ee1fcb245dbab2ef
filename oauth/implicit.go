package oauth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
)

// Implicit is the implicit grant, which OK calls the client flow: no
// application secret takes part. Token signs in with login and password, on
// the pages that a browser would show; to let the user do so himself, see
// [Implicit.AuthURL] and [Loopback]. The flow must be enabled in the settings
// of the application.
//
// The session has a secret of its own; its calls are signed on the circuit
// transport.ClientServer. It has no refresh token: it is renewed by signing in
// again. The scopes granted are its extra permissions_granted.
//
// Token talks to https://connect.ok.ru and nothing else, with a cookie jar of
// its own, and gives up on any page it does not know. RedirectURL is not
// fetched, so that it may have a scheme of its own, as okauth://ok123 has.
//
// See https://apiok.ru/en/ext/oauth/client and RFC 6749, section 4.2.
type Implicit struct {
	// ClientID is the application id, which is not the application key.
	ClientID string

	// Login is the user's name, e-mail address or phone number. AuthURL does
	// without.
	Login string

	// Password is the user's password. AuthURL does without.
	Password string

	// Scopes are what the application asks for, such as [ScopeValuableAccess].
	Scopes []string

	// RedirectURL is a redirect URI registered for the application. If empty,
	// https://api.ok.ru/blank.html.
	RedirectURL string

	// State comes back unchanged, or Token fails with [ErrState]. It may be
	// empty for Token, which signs in within one call; for AuthURL it must be
	// hard to guess.
	State string

	// HTTPClient sends the requests; its cookie jar and redirect policy are not
	// used. If nil, a client like [http.DefaultClient] with a timeout of 30 s
	// per page.
	HTTPClient *http.Client
}

// AuthURL returns the URL of the consent page for the user's browser. After
// consent the browser goes to RedirectURL; see [ParseRedirect].
func (g Implicit) AuthURL() string {
	return authorizeURL("token", g.ClientID, g.redirectURL(), g.State, g.Scopes)
}

// Token signs in and consents. If it fails, the error tells why:
//
//   - [ErrCredentials]: login or password are wrong;
//   - [*PageError]: a human must act at a page, a captcha for instance;
//   - [ErrDenied]: OK says that access is denied;
//   - [*oauth2.RetrieveError] with status 401: OK refuses the application;
//   - ErrState: the session that came back is not an answer to this request.
//
// The first three are [ErrSignIn].
func (g Implicit) Token(ctx context.Context) (*oauth2.Token, error) {
	err := require("Implicit", field{"ClientID", g.ClientID}, field{"Login", g.Login}, field{"Password", g.Password})
	if err != nil {
		return nil, err
	}
	b, err := newBrowser(g)
	if err != nil {
		return nil, err
	}
	redirect, err := b.signIn(ctx)
	if err != nil {
		return nil, err
	}
	_, t, err := ParseRedirect(redirect, g.State)
	if err == nil && t == nil {
		err = errNothing
	}
	return t, err
}

func (g Implicit) redirectURL() string {
	if g.RedirectURL == "" {
		return blankPage
	}
	return g.RedirectURL
}

func (g Implicit) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("ClientID", g.ClientID),
		slog.String("Login", g.Login),
		redact.Secret("Password", g.Password),
		slog.Any("Scopes", g.Scopes),
		slog.String("RedirectURL", g.RedirectURL),
		redact.Secret("State", g.State),
		redact.Set("HTTPClient", g.HTTPClient != nil),
	}
}

// String tells the settings, without secrets, as all that prints does.
func (g Implicit) String() string { return redact.String("oauth.Implicit", g.attrs()) }

// Format implements [fmt.Formatter] with the text of String for every verb.
func (g Implicit) Format(f fmt.State, _ rune) { redact.Format(f, g.String()) }

// LogValue implements [slog.LogValuer].
func (g Implicit) LogValue() slog.Value { return slog.GroupValue(g.attrs()...) }

// MarshalJSON returns what String tells as a JSON object.
func (g Implicit) MarshalJSON() ([]byte, error) { return redact.JSON(g.attrs()) }

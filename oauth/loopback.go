package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
)

// Loopback signs a human in by his own browser, for command-line and desktop
// programs: Token listens at RedirectURL, opens OK's page in the browser and
// waits until that comes back. With a [Source] and a [FileStore] the human has
// to sign in once:
//
//	oauth.NewSource(oauth.Loopback{…}, oauth.Options{
//		Store:   oauth.FileStore(path),
//		Timeout: 5 * time.Minute, // for the human
//	})
//
// With a ClientSecret it is the flow of [Code], which yields a refresh token;
// without, as in programs handed to users, it is that of [Implicit].
//
// The listener is on loopback addresses only, answers requests for RedirectURL
// only, takes only the answer that has the state it sent, and closes with the
// first one. In the implicit flow the session comes in the fragment of the
// URL, which browsers keep to themselves: a small page hands it over, to the
// listener and nobody else.
//
// See RFC 8252, section 7.3.
type Loopback struct {
	// ClientID is the application id, which is not the application key.
	ClientID string

	// ClientSecret is the application secret key; empty for the implicit flow.
	ClientSecret string

	// RedirectURL is a redirect URI registered for the application, as in
	// http://localhost:8910/signed-in. Its host must be localhost, 127.0.0.1
	// or [::1], its scheme http.
	RedirectURL string

	// Scopes are what the program asks for, such as [ScopeValuableAccess].
	Scopes []string

	// Open shows url to the human, as by opening a browser. It runs in a
	// goroutine of its own; its error ends the sign-in. If nil, the default
	// browser of the system is started.
	Open func(url string) error

	// HTTPClient exchanges the code and refreshes, as for [Code].
	HTTPClient *http.Client
}

// Token lets the human sign in. It waits for him until ctx ends, so give that
// a deadline: he may have closed the page. A human who says no is
// [ErrDenied].
func (g Loopback) Token(ctx context.Context) (*oauth2.Token, error) {
	if err := require("Loopback", field{"ClientID", g.ClientID}, field{"RedirectURL", g.RedirectURL}); err != nil {
		return nil, err
	}
	state := rand.Text()
	l, err := listen(ctx, g.RedirectURL, state)
	if err != nil {
		return nil, err
	}
	code, t, err := l.wait(ctx, func() error { return g.open(g.authURL(state)) })
	switch {
	case err != nil:
		return nil, err
	case g.ClientSecret == "" && t != nil:
		return t, nil
	case g.ClientSecret != "" && code != "":
		return g.code(code).Token(ctx)
	}
	return nil, errOtherFlow
}

var errOtherFlow = &failure{text: "okru: oauth.Loopback: the redirect answers another flow than the one begun"}

// Renew gets a new session by the refresh token of old. If there is none, or
// it is of no use any more, the human signs in again: under a [Source] the
// browser may open whenever the session is used.
func (g Loopback) Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	if g.ClientSecret == "" {
		return g.Token(ctx)
	}
	t, err := g.code("").Renew(ctx, old)
	if errors.Is(err, ErrSignIn) {
		return g.Token(ctx)
	}
	return t, err
}

func (g Loopback) code(code string) Code {
	return Code{ClientID: g.ClientID, ClientSecret: g.ClientSecret, RedirectURL: g.RedirectURL, Code: code, HTTPClient: g.HTTPClient}
}

func (g Loopback) authURL(state string) string {
	if g.ClientSecret != "" {
		return g.code("").AuthURL(state, g.Scopes...)
	}
	return Implicit{ClientID: g.ClientID, RedirectURL: g.RedirectURL, Scopes: g.Scopes, State: state}.AuthURL()
}

func (g Loopback) open(url string) error {
	open := g.Open
	if open == nil {
		open = openBrowser
	}
	if err := open(url); err != nil {
		return fmt.Errorf("okru: oauth.Loopback: the browser cannot be opened: %w", err)
	}
	return nil
}

func (g Loopback) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("ClientID", g.ClientID),
		redact.Secret("ClientSecret", g.ClientSecret),
		slog.String("RedirectURL", g.RedirectURL),
		slog.Any("Scopes", g.Scopes),
		redact.Set("Open", g.Open != nil),
		redact.Set("HTTPClient", g.HTTPClient != nil),
	}
}

// String tells the settings, without secrets, as all that prints does.
func (g Loopback) String() string { return redact.String("oauth.Loopback", g.attrs()) }

// Format implements [fmt.Formatter] with the text of String for every verb.
func (g Loopback) Format(f fmt.State, _ rune) { redact.Format(f, g.String()) }

// LogValue implements [slog.LogValuer].
func (g Loopback) LogValue() slog.Value { return slog.GroupValue(g.attrs()...) }

// MarshalJSON returns what String tells as a JSON object.
func (g Loopback) MarshalJSON() ([]byte, error) { return redact.JSON(g.attrs()) }

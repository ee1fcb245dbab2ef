package oauth

// This file has the grant of programs on the user's own machine: it opens a
// browser, and loopback_server.go receives the redirect.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
)

// Loopback signs the user in with the user's own browser, for command-line and
// desktop programs. Token listens at RedirectURL, opens OK's page in the browser
// and waits for the redirect. With a [Source] and a [FileStore] the user signs
// in once:
//
//	oauth.NewSource(oauth.Loopback{…}, oauth.Options{
//		Store:   oauth.FileStore(path),
//		Timeout: 5 * time.Minute, // for the user to sign in
//	})
//
// With a ClientSecret it uses the flow of [Code], which provides a refresh
// token. Without one, as in programs distributed to users, it uses the flow of
// [Implicit].
//
// The listener uses loopback addresses only and serves RedirectURL only. It
// closes after the first redirect that has the state that was sent. Any other
// request, also one that reports an error, does not end the sign-in: any page
// in the browser can send one. In the implicit flow the session is in the
// fragment of the URL, which browsers do not send: a small page passes it to
// the listener.
//
// See RFC 8252, section 7.3.
type Loopback struct {
	// ClientID is the application id, a number. It is not the application key.
	// Required.
	ClientID string

	// ClientSecret is the application secret key. Empty: the implicit flow.
	ClientSecret string

	// RedirectURL is a redirect URI registered for the application, such as
	// http://localhost:8910/signed-in. Its host must be localhost, 127.0.0.1
	// or [::1], and its scheme http. Required.
	RedirectURL string

	// Scopes are the permissions the program asks for, such as
	// [ScopeValuableAccess].
	Scopes []string

	// Open shows url to the user, for example in a browser. It runs in its own
	// goroutine. If it returns an error or panics, the sign-in ends with an
	// error that shows url. If nil, the default browser of the system is
	// started. If that fails, url is written to [os.Stderr], and Token
	// continues to wait: the user can open url in any browser on this machine.
	Open func(url string) error

	// HTTPClient exchanges the code and refreshes, as for [Code].
	HTTPClient *http.Client
}

// Token lets the user sign in. It waits until ctx ends, so ctx should have a
// deadline: the user may have closed the page. If the user denies access, the
// error is [ErrDenied].
func (g Loopback) Token(ctx context.Context) (*oauth2.Token, error) {
	if err := g.check(); err != nil {
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

var errOtherFlow = &failure{text: "okru: oauth.Loopback: the redirect belongs to a different flow"}

// Renew obtains a new session with the refresh token of old. If there is none,
// or OK rejects it, the user signs in again: under a [Source] the browser may
// open whenever the session is used.
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

// check returns an error that names each setting that is missing or wrong.
func (g Loopback) check() error {
	return checkFields("Loopback", field{"ClientID", g.ClientID, clientID}, field{"ClientSecret", g.ClientSecret, optional},
		field{"RedirectURL", g.RedirectURL, setting})
}

// code returns the grant that exchanges code; with an empty code it can only renew.
func (g Loopback) code(code string) Code {
	return Code{ClientID: g.ClientID, ClientSecret: g.ClientSecret, RedirectURL: g.RedirectURL, Code: code, HTTPClient: g.HTTPClient}
}

// authURL returns the URL of the consent page: with a ClientSecret, that of the code
// flow, otherwise that of the implicit flow.
func (g Loopback) authURL(state string) string {
	if g.ClientSecret != "" {
		return g.code("").AuthURL(state, g.Scopes...)
	}
	return Implicit{ClientID: g.ClientID, RedirectURL: g.RedirectURL, Scopes: g.Scopes, State: state}.AuthURL()
}

// open shows url to the user.
func (g Loopback) open(url string) error {
	if g.Open == nil {
		if err := openBrowser(url); err != nil {
			fmt.Fprintf(os.Stderr, "The browser could not be opened (%v). To sign in, open this address on this machine:\n%s\n", err, url)
		}
		return nil
	}
	// The state in url is worthless once the listener is closed.
	if err := protect(func() error { return g.Open(url) }); err != nil {
		return &failure{
			text:   fmt.Sprintf("okru: oauth.Loopback: the browser cannot be opened: %s; the address was %s", cleanText(err.Error(), nil), url),
			causes: []error{err},
		}
	}
	return nil
}

// openBrowser shows url in the default browser of the system. It returns an
// error if the program that opens browsers is missing or fails. xdg-open may
// run as long as the browser does.
func openBrowser(url string) error {
	command := browserCommand(runtime.GOOS, url)
	return exec.Command(command[0], command[1:]...).Run()
}

// browserCommand returns the command that shows url on a system, and its arguments.
func browserCommand(system, url string) []string {
	switch system {
	case "darwin":
		return []string{"open", url}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler", url}
	}
	return []string{"xdg-open", url}
}

// view shows the fields without secrets.
func (g Loopback) view() redact.View {
	return redact.Show("oauth.Loopback",
		slog.String("ClientID", g.ClientID),
		redact.Secret("ClientSecret", g.ClientSecret),
		slog.String("RedirectURL", g.RedirectURL),
		slog.Any("Scopes", g.Scopes),
		slog.Bool("Open", g.Open != nil),
		slog.Bool("HTTPClient", g.HTTPClient != nil),
	)
}

// Format implements [fmt.Formatter]: every verb prints the fields, and no
// secret.
func (g Loopback) Format(f fmt.State, verb rune) { g.view().Format(f, verb) }

// LogValue implements [slog.LogValuer]. It contains no secret.
func (g Loopback) LogValue() slog.Value { return g.view().LogValue() }

// MarshalJSON returns the fields as a JSON object. It contains no secret.
func (g Loopback) MarshalJSON() ([]byte, error) { return g.view().MarshalJSON() }

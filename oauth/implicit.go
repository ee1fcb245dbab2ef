package oauth

// This file has the implicit grant, by which a program that has the user's
// password signs in as a browser would. implicit_pages.go visits the pages.

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
)

// Implicit is the implicit grant, which OK calls the client flow. It does not
// use an application secret. Token signs in with login and password on the
// pages that a browser would show. To let the user sign in, see
// [Implicit.AuthURL] and [Loopback]. The flow must be enabled in the settings
// of the application.
//
// The session has its own secret. Its calls are signed on the circuit
// transport.ClientServer. It has no refresh token and is renewed by another
// sign-in. Its extra permissions_granted has the granted scopes.
//
// Token connects only to https://connect.ok.ru, with a cookie jar of its own,
// and stops at any page that it does not know. It does not fetch RedirectURL,
// which may therefore have a custom scheme, as in okauth://ok123.
//
// A ClientID that is not a number, and a login or password with a line break
// at its end, is rejected before anything is sent.
//
// See https://apiok.ru/en/ext/oauth/client and RFC 6749, section 4.2.
type Implicit struct {
	// ClientID is the application id, a number. It is not the application key.
	// Required.
	ClientID string

	// Login is the user's name, e-mail address or phone number. AuthURL does
	// not use it.
	Login string

	// Password is the user's password. AuthURL does not use it.
	Password string

	// Scopes are the permissions the application asks for, such as
	// [ScopeValuableAccess].
	Scopes []string

	// RedirectURL is a redirect URI registered for the application. If empty,
	// https://api.ok.ru/blank.html.
	RedirectURL string

	// State is returned unchanged by OK; otherwise Token fails with [ErrState].
	// It may be empty for Token, which signs in within one call. For AuthURL it
	// must be hard to guess.
	State string

	// HTTPClient is as for [Code]; its timeout applies to each page.
	HTTPClient *http.Client
}

// AuthURL returns the URL of the consent page for the user's browser. After
// consent the browser is redirected to RedirectURL; see [ParseRedirect].
func (g Implicit) AuthURL() string {
	return authorizeURL("token", g.ClientID, g.redirectURL(), g.State, g.Scopes)
}

// Token signs in and consents. The error is:
//
//   - [ErrCredentials] if login or password are wrong;
//   - [*PageError] if the user must act at a page, for example at a captcha;
//   - [ErrDenied] if OK reports that access is denied;
//   - [*oauth2.RetrieveError] with status 401 if OK rejects the application;
//   - [ErrState] if the returned session belongs to another request.
//
// The first three are [ErrSignIn].
func (g Implicit) Token(ctx context.Context) (*oauth2.Token, error) {
	err := checkFields("Implicit", field{"ClientID", g.ClientID, clientID}, field{"Login", g.Login, typed}, field{"Password", g.Password, typed})
	if err != nil {
		return nil, err
	}
	w, err := newPageWalker(ctx, g)
	if err != nil {
		return nil, err
	}
	redirect, err := w.signIn(ctx)
	if err != nil {
		return nil, err
	}
	_, t, err := ParseRedirect(redirect, g.State)
	if err == nil && t == nil {
		err = errNoResult
	}
	return t, err
}

// redirectURL returns the redirect URI, by default the empty page that OK has for it.
func (g Implicit) redirectURL() string {
	if g.RedirectURL == "" {
		return blankPage
	}
	return g.RedirectURL
}

// view shows the fields without secrets.
func (g Implicit) view() redact.View {
	return redact.Show("oauth.Implicit",
		slog.String("ClientID", g.ClientID),
		slog.String("Login", g.Login),
		redact.Secret("Password", g.Password),
		slog.Any("Scopes", g.Scopes),
		slog.String("RedirectURL", g.RedirectURL),
		redact.Secret("State", g.State),
		slog.Bool("HTTPClient", g.HTTPClient != nil),
	)
}

// Format implements [fmt.Formatter]: every verb prints the fields, and no
// secret.
func (g Implicit) Format(f fmt.State, verb rune) { g.view().Format(f, verb) }

// LogValue implements [slog.LogValuer]. It contains no secret.
func (g Implicit) LogValue() slog.Value { return g.view().LogValue() }

// MarshalJSON returns the fields as a JSON object. It contains no secret.
func (g Implicit) MarshalJSON() ([]byte, error) { return g.view().MarshalJSON() }

// A PageError reports that a sign-in reached a page where the user must act: a
// captcha, a confirmation by phone, a blocked profile, or any page that this
// package does not know. It is [ErrSignIn].
type PageError struct {
	reason string        // the text of the error, without the URL
	page   func() string // a function, because fmt prints the fields of structs
}

// newPageError returns the error of a sign-in that reached page.
func newPageError(page *url.URL, reason string) error {
	return &PageError{reason, page.String}
}

// Error returns the reason, without the URL.
func (e *PageError) Error() string { return "okru: oauth.Implicit: " + e.reason }

// URL returns the URL of the page. It may belong to the user's session at OK:
// show it to this user only. A PageError is printed without it.
func (e *PageError) URL() string {
	if e.page == nil {
		return ""
	}
	return e.page()
}

// Unwrap returns [ErrSignIn].
func (e *PageError) Unwrap() error { return ErrSignIn }

// Terminal returns true: a repetition would end at the same page.
func (e *PageError) Terminal() bool { return true }

// Format implements [fmt.Formatter]: every verb prints the text of Error.
func (e *PageError) Format(f fmt.State, _ rune) { redact.Format(f, e.Error()) }

// LogValue implements [slog.LogValuer] with the text of Error.
func (e *PageError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// MarshalJSON returns the text of Error.
func (e *PageError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

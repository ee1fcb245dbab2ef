package oauth

// This file has the sign-in by auth.login, which is an API call and no grant of
// OAuth 2.0.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
)

// Password signs in with login and password by the API method auth.login. OK
// does not allow this method for ordinary applications.
//
// The session has its own secret. Its calls are signed on the circuit
// transport.ClientServer. It has no refresh token and is renewed by another
// sign-in. The other fields of the response are extras of the token, among
// them uid and api_server. Nothing in this module sends a request to the
// latter.
//
// Token sends a form POST to https://api.ok.ru/fb.do with method=auth.login,
// format=json, application_key, user_name, password and, if ApplicationSecret
// is set, sig.
//
// A key or secret with white space around it, and a login or password with a
// line break at its end, is rejected before anything is sent.
type Password struct {
	// ApplicationKey is the public key of the application. Required.
	ApplicationKey string

	// ApplicationSecret is the application secret key. If it is empty, the call
	// is not signed.
	ApplicationSecret string

	// Login is the user's name, e-mail address or phone number.
	Login string

	// Password is the user's password.
	Password string

	// HTTPClient is as for [Code]. It should be a plain client: a client of
	// package okru would sign this call again.
	HTTPClient *http.Client
}

// Token signs in. If OK rejects the sign-in, the error is an
// [*okerrors.Error]: code 401 is [ErrCredentials], code 402 requires a captcha,
// and code 403 requires the user to visit its URL. All three are [ErrSignIn].
func (g Password) Token(ctx context.Context) (*oauth2.Token, error) {
	err := checkFields("Password", field{"ApplicationKey", g.ApplicationKey, setting},
		field{"ApplicationSecret", g.ApplicationSecret, optional}, field{"Login", g.Login, typed}, field{"Password", g.Password, typed})
	if err != nil {
		return nil, err
	}
	p := &formPost{client: g.HTTPClient, url: loginURL, form: g.form(), secrets: redact.Secrets{g.Password, g.ApplicationSecret}}
	resp, err := p.send(ctx)
	if e, ok := errors.AsType[*okerrors.Error](err); ok { // HTTPClient decodes API errors
		return nil, loginFailure(e, p.secrets)
	}
	if err != nil {
		return nil, err
	}
	if e, ok := okerrors.FromResponse(resp.Response); ok {
		return nil, loginFailure(e, p.secrets)
	}
	return resp.token(param.SessionKey, "auth.login", p.secrets)
}

// loginFailure returns the failure of a sign-in that the API rejected with e.
func loginFailure(e *okerrors.Error, secrets redact.Secrets) error {
	f := apiFailure(e, secrets)
	if e.Code == okerrors.CodeAuthLogin {
		f.causes = append(f.causes, ErrCredentials)
	}
	if e.Code.Is(okerrors.ErrUserAction) {
		f.causes = append(f.causes, ErrSignIn)
	}
	return f
}

// form returns the parameters of auth.login.
func (g Password) form() url.Values {
	form := url.Values{
		param.Method:         {"auth.login"},
		param.Format:         {"json"},
		param.ApplicationKey: {g.ApplicationKey},
		"user_name":          {g.Login},
		"password":           {g.Password},
	}
	if g.ApplicationSecret != "" {
		form.Set(param.Sig, param.Signature(form, g.ApplicationSecret))
	}
	return form
}

// view shows the fields without secrets.
func (g Password) view() redact.View {
	return redact.Show("oauth.Password",
		slog.String("ApplicationKey", g.ApplicationKey),
		redact.Secret("ApplicationSecret", g.ApplicationSecret),
		slog.String("Login", g.Login),
		redact.Secret("Password", g.Password),
		slog.Bool("HTTPClient", g.HTTPClient != nil),
	)
}

// Format implements [fmt.Formatter]: every verb prints the fields, and no
// secret.
func (g Password) Format(f fmt.State, verb rune) { g.view().Format(f, verb) }

// LogValue implements [slog.LogValuer]. It contains no secret.
func (g Password) LogValue() slog.Value { return g.view().LogValue() }

// MarshalJSON returns the fields as a JSON object. It contains no secret.
func (g Password) MarshalJSON() ([]byte, error) { return g.view().MarshalJSON() }

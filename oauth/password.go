package oauth

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
// gives ordinary applications no right to it.
//
// The session has a secret of its own; its calls are signed on the circuit
// transport.ClientServer. It has no refresh token: it is renewed by signing in
// again. The answer's other fields are extras of the token, among them uid and
// api_server, which nothing of this module ever sends a request to.
//
// Token sends, in the form of a POST to https://api.ok.ru/fb.do,
// method=auth.login, format=json, application_key, user_name, password and, if
// ApplicationSecret is set, sig.
type Password struct {
	// ApplicationKey is the public key of the application.
	ApplicationKey string

	// ApplicationSecret is the application secret key. If it is set, the call
	// is signed.
	ApplicationSecret string

	// Login is the user's name, e-mail address or phone number.
	Login string

	// Password is the user's password.
	Password string

	// HTTPClient is as for [Code]. It should be a plain client: one of package
	// okru would sign this call as well.
	HTTPClient *http.Client
}

// Token signs in. If OK refuses, the error is an [*okerrors.Error]: code 401
// is [ErrCredentials], 402 wants a captcha, and 403 wants a human to go to its
// URL. All three are [ErrSignIn].
func (g Password) Token(ctx context.Context) (*oauth2.Token, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	x := &exchange{client: g.HTTPClient, url: loginURL, form: g.form(), secrets: secrets{g.Password, g.ApplicationSecret}}
	a, err := x.do(ctx)
	if e, ok := errors.AsType[*okerrors.Error](err); ok { // HTTPClient has a layer that finds API errors
		return nil, loginFailure(e, x.secrets)
	}
	if err != nil {
		return nil, err
	}
	if e, ok := okerrors.FromResponse(a.Response); ok {
		return nil, loginFailure(e, x.secrets)
	}
	return a.token(param.SessionKey, "auth.login", x.secrets)
}

// loginFailure returns the failure that e means for a sign-in.
func loginFailure(e *okerrors.Error, secrets secrets) error {
	f := apiFailure(e, secrets)
	if e.Code == okerrors.CodeAuthLogin {
		f.is = append(f.is, ErrCredentials)
	}
	if e.Code.Is(okerrors.ErrUserAction) {
		f.is = append(f.is, ErrSignIn)
	}
	return f
}

func (g Password) check() error {
	return require("Password", field{"ApplicationKey", g.ApplicationKey}, field{"Login", g.Login}, field{"Password", g.Password})
}

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

func (g Password) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("ApplicationKey", g.ApplicationKey),
		redact.Secret("ApplicationSecret", g.ApplicationSecret),
		slog.String("Login", g.Login),
		redact.Secret("Password", g.Password),
		redact.Set("HTTPClient", g.HTTPClient != nil),
	}
}

// String tells the settings, without secrets, as all that prints does.
func (g Password) String() string { return redact.String("oauth.Password", g.attrs()) }

// Format implements [fmt.Formatter] with the text of String for every verb.
func (g Password) Format(f fmt.State, _ rune) { redact.Format(f, g.String()) }

// LogValue implements [slog.LogValuer].
func (g Password) LogValue() slog.Value { return slog.GroupValue(g.attrs()...) }

// MarshalJSON returns what String tells as a JSON object.
func (g Password) MarshalJSON() ([]byte, error) { return redact.JSON(g.attrs()) }

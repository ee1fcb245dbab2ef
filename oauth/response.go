package oauth

// This file reads the responses of the token endpoint, of auth.login and of redirects:
// the session in them, or the error.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// A response is a response of an endpoint or a page of OK, completely read.
type response struct {
	*http.Response        // its Body can be read again
	body           []byte // all of it, at most maxResponse bytes
	fields         fields // nil: the body is not a JSON object
}

// isSuccess reports whether the status is 2xx.
func (r *response) isSuccess() bool { return r.StatusCode/100 == 2 }

// token returns the session in r, whose access token has the name key. An error
// may come with status 200. place names the endpoint in errors.
func (r *response) token(key, place string, secrets redact.Secrets) (*oauth2.Token, error) {
	if r.isSuccess() && r.fields.text("error") == "" {
		if t := r.fields.token(key); t != nil {
			return t, nil
		}
	}
	return nil, r.failure(place, secrets)
}

// failure returns the error of a response that has no session. It always is an
// *oauth2.RetrieveError.
func (r *response) failure(place string, secrets redact.Secrets) error {
	secrets = append(r.fields.secrets(), secrets...)
	if e, ok := okerrors.FromResponse(r.Response); ok {
		return apiFailure(e, secrets, token.NewRetrieveError(r.StatusCode))
	}
	e := token.NewRetrieveError(r.StatusCode)
	e.ErrorCode = cleanCode(r.fields.text("error"), secrets)
	e.ErrorDescription = cleanText(r.fields.text("error_description"), secrets)
	if e.ErrorCode != "" {
		return oauthFailure(e, place)
	}
	return &failure{text: "okru: " + place + ": " + r.problem(), causes: []error{e}}
}

// problem describes a response that has neither a session nor an error code.
func (r *response) problem() string {
	isHTML := strings.Contains(r.Header.Get("Content-Type"), "html")
	switch status := token.StatusText(r.StatusCode); {
	case r.StatusCode/100 == 3:
		return "the response is a redirect, which is not followed: " + status
	case !r.isSuccess():
		return "the response has status " + status
	case len(r.body) == 0:
		return "the response is empty"
	case r.fields != nil:
		return "there is no session in the response"
	case isHTML && bytes.Contains(r.body, []byte("Failed to convert value")):
		return "the response is an HTML page: OK cannot parse a parameter; " + clientIDHint
	case isHTML:
		return "the response is an HTML page"
	}
	return fmt.Sprintf("the response is not a JSON object (%d bytes)", len(r.body))
}

// oauthFailure returns the failure for an OAuth error code.
func oauthFailure(e *oauth2.RetrieveError, place string) error {
	f := &failure{text: "okru: " + place + ": " + e.ErrorCode, causes: []error{e}}
	if e.ErrorDescription != "" {
		f.text += " (" + e.ErrorDescription + ")"
	}
	if e.ErrorCode == "access_denied" {
		f.causes = append(f.causes, ErrDenied)
	}
	if isPermanentCode(e.ErrorCode) {
		f.causes = append(f.causes, ErrSignIn)
		f.text += "; the user must sign in again"
	}
	return f
}

// apiFailure returns the failure for an API error. The error is copied, without
// secrets that the API quoted, because layers share the original.
func apiFailure(e *okerrors.Error, secrets redact.Secrets, causes ...error) *failure {
	own := redactAPIError(e, secrets)
	return &failure{text: own.Error(), causes: append(causes, own)}
}

// fields are the parameters of a response or of a redirect.
type fields map[string]any

// parseFields returns the fields of a JSON object, or nil if body is something
// else. OK sends JSON with various content types, so the content type is not
// checked. A byte order mark is allowed, as in okerrors.FromResponse.
func parseFields(body []byte) fields {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	d.UseNumber()
	var f fields
	if d.Decode(&f) != nil || d.Decode(new(any)) != io.EOF {
		return nil
	}
	return f
}

// text returns a field as a string. OK sends some of them as numbers.
func (f fields) text(name string) string {
	switch v := f[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// lifetime returns expires_in in seconds, or 0 if it is missing or invalid. OK
// sends it as a string, as a number, or not at all.
func (f fields) lifetime() int64 {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(f.text("expires_in")), 64)
	if err != nil || math.IsNaN(seconds) || math.IsInf(seconds, 0) || seconds < 1 {
		return 0
	}
	return int64(min(seconds, math.MaxInt32))
}

// token returns the session in f, whose access token has the name key, or nil
// if there is none. Its expiry is rounded, because it is stored and compared
// with the clocks of other processes.
func (f fields) token(key string) *oauth2.Token {
	if f.text(key) == "" {
		return nil
	}
	t := &oauth2.Token{
		AccessToken:  f.text(key),
		TokenType:    f.text("token_type"),
		RefreshToken: f.text("refresh_token"),
		ExpiresIn:    f.lifetime(),
	}
	if t.TokenType == "" {
		t.TokenType = token.TokenType
	}
	if t.ExpiresIn > 0 {
		t.Expiry = time.Now().Add(time.Duration(t.ExpiresIn) * time.Second).Round(0)
	}
	return t.WithExtra(f.extras(key))
}

// extras returns the fields that have no counterpart in an oauth2.Token. The
// session secret is always a string, even if it consists of digits only.
func (f fields) extras(key string) map[string]any {
	extras := make(map[string]any)
	for name, value := range f {
		switch name {
		case key, "token_type", "refresh_token", "expires_in", "state":
			continue
		case param.SessionSecretKey:
			value = f.text(name)
		}
		extras[name] = token.Numbers(value)
	}
	return extras
}

// secrets returns the values in f that no error may contain. A server may send a
// session together with an error that quotes it.
func (f fields) secrets() redact.Secrets {
	var s redact.Secrets
	for _, name := range [...]string{param.AccessToken, "refresh_token", param.SessionKey, param.SessionSecretKey, "auth_token", "code"} {
		if value := f.text(name); value != "" {
			s = append(s, value)
		}
	}
	return s
}

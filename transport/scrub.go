package transport

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/apicall"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/session"
)

// scrubError takes the secrets of a call out of the error it got: servers
// like to quote what they were sent, and errors end up in logs.
func (k *keys) scrubError(e *okerrors.Error, signed *http.Request, applicationSecret string) {
	for _, secret := range append(k.secrets(signed), applicationSecret) {
		if len(secret) < minSecret {
			continue
		}
		e.Message = strings.ReplaceAll(e.Message, secret, redact.Mark)
		e.Field = strings.ReplaceAll(e.Field, secret, redact.Mark)
		e.Data = bytes.ReplaceAll(e.Data, []byte(secret), []byte(redact.Mark))
		e.Custom = bytes.ReplaceAll(e.Custom, []byte(secret), []byte(redact.Mark))
	}
}

// minSecret is the length below which a secret would be found in any text.
const minSecret = 6

// scrubRedirect takes the secrets of a call out of the redirect it got, if
// the server put them there: the client would show them to whatever host is
// named.
func (k *keys) scrubRedirect(resp *http.Response, signed *http.Request) {
	if resp.StatusCode/100 != 3 {
		return
	}
	location := resp.Header.Get("Location")
	clean := location
	for _, secret := range k.secrets(signed) {
		if len(secret) >= minSecret {
			clean = strings.ReplaceAll(clean, secret, "redacted")
			clean = strings.ReplaceAll(clean, url.QueryEscape(secret), "redacted")
		}
	}
	if clean != location {
		resp.Header.Set("Location", clean)
	}
}

// secrets returns what is secret in the signed request, and the secret it was
// signed with.
func (k *keys) secrets(signed *http.Request) []string {
	secrets := []string{k.secret, sigOf(signed)}
	if k.token != nil {
		secrets = append(secrets, k.token.AccessToken, session.Secret(k.token))
	}
	return secrets
}

// sigOf returns the signature in a signed request.
func sigOf(signed *http.Request) string {
	text := signed.URL.RawQuery
	if apicall.IsForm(signed) {
		form, err := signed.GetBody()
		if err != nil {
			return ""
		}
		b, _ := io.ReadAll(form)
		text = string(b)
	}
	_, sig, _ := strings.Cut("&"+text, "&"+param.Sig+"=")
	sig, _, _ = strings.Cut(sig, "&")
	return sig
}

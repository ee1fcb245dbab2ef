package transport

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
)

// scrubError takes the secrets of a call out of the error it got: servers
// like to quote what they were sent, and errors end up in logs.
func (s *signer) scrubError(e *okerrors.Error, signed *http.Request, k *keys) {
	secrets := append(s.secrets(k), sigOf(signed))
	e.Message, e.Field = secrets.Clean(e.Message), secrets.Clean(e.Field)
	e.Data, e.Custom = cleanJSON(secrets, e.Data), cleanJSON(secrets, e.Custom)
}

// cleanJSON returns text without secrets. What would not be JSON any more
// becomes a string.
func cleanJSON(secrets redact.Secrets, text json.RawMessage) json.RawMessage {
	cleaned := secrets.Clean(string(text))
	switch {
	case cleaned == string(text):
		return text
	case !json.Valid([]byte(cleaned)):
		return json.RawMessage(`"` + redact.Mark + `"`)
	}
	return json.RawMessage(cleaned)
}

// scrubbed returns err without the secrets of the call: a RoundTripper below
// that is a client itself, such as go-retryablehttp's, puts the signed URL into
// its errors.
func (s *signer) scrubbed(err error, signed *http.Request, k *keys) error {
	text := err.Error()
	clean := append(s.secrets(k), sigOf(signed)).Clean(text)
	if clean == text {
		return err
	}
	return standIn(clean, err)
}

// standIn returns an error that says text and is err otherwise.
func standIn(text string, err error) error {
	return &scrubbedError{text: text, cause: func() error { return err }}
}

// A scrubbedError stands for an error that shows a secret. It is that error
// for errors.Is and errors.As, but nothing prints it: package fmt does not
// look into a closure, and there is no Unwrap.
type scrubbedError struct {
	text  string
	cause func() error
}

func (e *scrubbedError) Error() string        { return e.text }
func (e *scrubbedError) Is(target error) bool { return errors.Is(e.cause(), target) }
func (e *scrubbedError) As(target any) bool   { return errors.As(e.cause(), target) }

// Timeout is that of the error it stands for, see net.Error.
func (e *scrubbedError) Timeout() bool {
	var t interface{ Timeout() bool }
	return e.As(&t) && t.Timeout()
}

// addresses are the headers of an answer that a client may follow.
var addresses = [...]string{"Location", "Refresh", "Content-Location"}

// scrubHeaders takes the query out of a redirect that shows a secret of the
// call: the client would send it to whatever host is named.
func (s *signer) scrubHeaders(resp *http.Response, signed *http.Request, k *keys) {
	for _, name := range addresses {
		values := resp.Header[name]
		if len(values) == 0 {
			continue
		}
		secrets := append(s.secrets(k), sigOf(signed))
		if secrets.In(values[0]) {
			address, _, _ := strings.Cut(values[0], "?")
			address, _, _ = strings.Cut(address, "#")
			if secrets.In(address) {
				address = "/"
			}
			resp.Header.Set(name, address)
		}
	}
}

// secrets returns what is secret about calls with k, but for their signatures.
func (s *signer) secrets(k *keys) redact.Secrets {
	return redact.Secrets{k.secret, s.settings.ApplicationSecret, k.access, k.own}
}

// sigOf returns the signature in a signed request.
func sigOf(signed *http.Request) string {
	text := signed.URL.RawQuery
	if okcall.IsForm(signed) {
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

package transport

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/lookahead"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/internal/token"
)

// Servers and proxies quote what they were sent, and what they quote ends up in
// logs. This file keeps the secrets of a call out of what the layers above the
// Signer see: the error of the transport, the header of the response, and the
// body of an API error. The body of any other response stays as it is.

// secrets returns what is secret about a call: the keys, and the values of the
// parameters that are secret by their name, such as sig and password.
func (s *signer) secrets(c signedCall) redact.Secrets {
	return appendSecrets(appendSecrets(s.signingSecrets(&c), c.form), c.url.RawQuery)
}

// signingSecrets returns the keys of c and its signature.
func (s *signer) signingSecrets(c *signedCall) redact.Secrets {
	return append(s.secretsOf(c.keys), c.sig)
}

// appendSecrets appends the values of the parameters in text, a query or a
// form, that are secret by their name.
func appendSecrets(secrets redact.Secrets, text string) redact.Secrets {
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, _ = url.QueryUnescape(name)
		value, _ = url.QueryUnescape(value)
		if redact.SecretName(name) && !slices.Contains(secrets, value) {
			secrets = append(secrets, value)
		}
	}
	return secrets
}

// redactError returns err without the secrets of c: a RoundTripper below that
// is a client itself, such as that of go-retryablehttp, puts the signed URL into
// its errors.
func (s *signer) redactError(err error, c signedCall) error {
	return redactError(err, s.secrets(c))
}

// redactError returns err, or one that prints without the secrets and is err.
func redactError(err error, secrets redact.Secrets) error {
	text := err.Error()
	clean := secrets.Clean(text)
	if clean == text {
		return err
	}
	return redact.NewError(clean, err)
}

// redactHeader redacts all values of h, the header of a response to c, and
// reports whether h has one of lookahead.CodeHeaders.
func (s *signer) redactHeader(h http.Header, c *signedCall) bool {
	return redactHeader(h, c.keys.mayShow, func() redact.Secrets { return s.signingSecrets(c) })
}

// redactStatus redacts the status line of resp, the response to c.
func (s *signer) redactStatus(resp *http.Response, c *signedCall) {
	redactStatus(resp, c.keys.mayShow, func() redact.Secrets { return s.signingSecrets(c) })
}

// redactHeader redacts all values of h, the header of a response, that quote
// one of the secrets, as far as mayShow reports that they may; nil: all may. What
// quotes it is usually the URL of the call, so that the query is cut off:
// http.Client would send it to the host that a Location names. A value that still
// quotes a secret is replaced. It reports whether h has one of
// lookahead.CodeHeaders.
func redactHeader(h http.Header, mayShow func(string) bool, secretsOf func() redact.Secrets) (hasCode bool) {
	for name, values := range h {
		hasCode = hasCode || slices.Contains(lookahead.CodeHeaders[:], name)
		for i, value := range values {
			if mayShow != nil && !mayShow(value) {
				continue // nearly always
			}
			secrets := secretsOf()
			if !secrets.In(value) {
				continue
			}
			value, _, _ = strings.Cut(value, "?")
			value, _, _ = strings.Cut(value, "#")
			if secrets.In(value) {
				value = "/"
			}
			values = slices.Clone(values) // a transport may share them
			values[i] = value
			h[name] = values
		}
	}
	return hasCode
}

// redactStatus replaces the status line of resp if it quotes one of the secrets, as
// far as mayShow reports that it may; nil: it may.
func redactStatus(resp *http.Response, mayShow func(string) bool, secretsOf func() redact.Secrets) {
	if (mayShow == nil || mayShow(resp.Status)) && secretsOf().In(resp.Status) {
		resp.Status = token.StatusText(resp.StatusCode)
	}
}

// maskError masks the secrets in the body of resp, which is the API error e,
// and returns the error that the masked body is.
func maskError(resp *http.Response, e *okerrors.Error, secrets redact.Secrets) *okerrors.Error {
	if isCompressed(resp.Header) { // because the caller asked for that
		replaceBody(resp, e.Code)
	} else if !mask(resp, secrets) {
		lookahead.Of(resp).SetVerdict(e)
		return e
	}
	masked, ok := okerrors.FromResponse(resp)
	// Masked, the body is no error any more. The code is kept, and nothing else.
	if !ok { // a secret is one of the words that make it an error
		replaceBody(resp, e.Code)
		masked, _ = okerrors.FromResponse(resp)
	}
	return masked
}

func isCompressed(h http.Header) bool {
	encoding := h.Get("Content-Encoding")
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}

// replaceBody makes the body of resp an API error that has the code and nothing
// else.
func replaceBody(resp *http.Response, code okerrors.Code) {
	roundtrip.Discard(resp)
	text := fmt.Sprintf(`{"error_code":%d}`, int(code))
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	// A RoundTripper below may still use its header, such as a cache.
	resp.Header = resp.Header.Clone()
	resp.Header.Del("Content-Encoding")
	resp.Header.Set("Content-Type", "application/json")
	resp.Header.Set("Content-Length", strconv.Itoa(len(text)))
	resp.TransferEncoding, resp.Trailer = nil, nil
}

// maxErrorBody bounds the body of an API error, in bytes. It is how far
// FromResponse looks.
const maxErrorBody = 64 << 10

// errLongError ends a body that cannot be masked as a whole: what follows may
// have a part of a secret.
var errLongError = errors.New("okru: the body of an API error is longer than 64 KiB")

// A maskedBody is the body of an API error in which each byte of a secret is an
// asterisk. What was inspected can be read at once, except for an end that may
// be the beginning of a secret, if more is to come. The first Read beyond that
// reads all of the rest, up to maxErrorBody.
type maskedBody struct {
	original io.ReadCloser         // as it was inspected
	secrets  func() redact.Secrets // a closure: package fmt does not print what is in it
	sent     []byte                // what was read from original
	text     []byte                // sent, masked, as far as it may be read and was not
	read     int                   // how much was read of it
	err      error                 // follows text; nil: there is more in original
}

// mask masks the secrets in the body of resp, which was inspected, and reports
// whether there was one in what was inspected.
func mask(resp *http.Response, secrets redact.Secrets) bool {
	inspected := lookahead.Of(resp)
	b := &maskedBody{original: resp.Body, secrets: func() redact.Secrets { return secrets }}
	if inspected.Ended() {
		b.err = io.EOF
	}
	b.sent = make([]byte, len(inspected.Head()))
	_, _ = io.ReadFull(b.original, b.sent) // from memory
	resp.Body = b
	return b.mask()
}

// mask makes text of what was sent so far, and reports whether that has a
// secret. Unless all of the body was sent, the end may be a part of a secret.
func (b *maskedBody) mask() bool {
	masked := slices.Clone(b.sent)
	changed := b.secrets().Mask(masked)
	if b.err != io.EOF {
		masked = masked[:max(len(masked)-b.secrets().Straddle(string(b.sent)), b.read)]
	}
	b.text = masked[b.read:]
	return changed
}

// Read implements [io.Reader].
func (b *maskedBody) Read(p []byte) (int, error) {
	if len(b.text) == 0 && b.err == nil && len(p) > 0 {
		rest, err := io.ReadAll(io.LimitReader(b.original, int64(maxErrorBody+1-len(b.sent))))
		b.sent = append(b.sent, rest...)
		switch {
		case len(b.sent) > maxErrorBody:
			b.sent, b.err = b.sent[:maxErrorBody], errLongError
		case err == nil:
			b.err = io.EOF
		default:
			b.err = err
		}
		if b.read < len(b.sent) { // else there was nothing more
			b.mask()
		}
	}
	if len(b.text) == 0 {
		return 0, b.err
	}
	n := copy(p, b.text)
	b.text, b.read = b.text[n:], b.read+n
	return n, nil
}

// Close closes the original.
func (b *maskedBody) Close() error { return b.original.Close() }

package oauth

// This file has the errors of the package, and takes secrets out of the errors of
// others: grants, stores, x/oauth2 and the network.

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// Errors to be used with [errors.Is]. If OK sent a reason, the error also is
// an [*oauth2.RetrieveError] or an [*okerrors.Error], by [errors.As].
var (
	// ErrSignIn reports that the user must sign in: no repetition can succeed.
	// The refresh token or the code is used up, login or password are wrong,
	// OK asks for a captcha or a confirmation, the user denied access, or
	// there is nothing to sign in with. A [Source] that fails with ErrSignIn
	// sends no further requests until it receives a new session.
	ErrSignIn = token.ErrSignIn

	// ErrRefused reports that the API rejects new sessions as well. The cause
	// is not the session but, for example, the application key or the clock of
	// a server. A [Source] does not renew again until its cool-down ends.
	ErrRefused = errors.New("okru: new sessions are rejected as well")

	// ErrCorrupt reports that a store contains something that is not a
	// session, for example half a file.
	ErrCorrupt = errors.New("okru: stored session is corrupt")

	// ErrState reports that a redirect has a state that differs from the one
	// sent. It does not belong to this sign-in and must not be used.
	ErrState = errors.New("okru: state differs from the one sent")

	// ErrCredentials reports a wrong login or password. Such an error also is
	// ErrSignIn.
	ErrCredentials = errors.New("okru: wrong login or password")

	// ErrDenied reports that the user, or OK, denied access. Such an error
	// also is ErrSignIn.
	ErrDenied = errors.New("okru: access denied")
)

// A failure is an error of a grant, a Source or a store. Its text does not
// contain the texts of its causes, which may be long or contain secrets.
type failure struct {
	text   string  // all that is printed
	causes []error // for errors.Is and errors.As
}

// Error returns the text.
func (f *failure) Error() string { return f.text }

// Unwrap returns the causes.
func (f *failure) Unwrap() []error { return f.causes }

// Terminal returns true: the failure occurred before the API call was sent,
// and repeating the call does not help.
func (f *failure) Terminal() bool { return true }

// Format implements [fmt.Formatter]: every verb prints the text of Error.
// Without it, %+v and %#v would print the causes.
func (f *failure) Format(s fmt.State, _ rune) { redact.Format(s, f.text) }

// isPermanent reports whether repeating the operation that returned err cannot
// succeed.
func isPermanent(err error) bool {
	if errors.Is(err, ErrSignIn) {
		return true
	}
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	return ok && isPermanentCode(e.ErrorCode)
}

// isPermanentCode reports whether the OAuth error code concerns the user's
// authorization, and not the application or the server. OK sends invalid_token
// for an unknown refresh token.
func isPermanentCode(code string) bool {
	return code == "invalid_grant" || code == "invalid_token" || code == "access_denied"
}

// maxText is the maximum number of bytes of a server's text in an error.
const maxText = 200

// cleanText returns text for use in an error: on one line, at most maxText
// bytes, without secrets. A text that contains one of secrets is replaced as a
// whole, because its length and surroundings could reveal parts of the secret.
func cleanText(text string, secrets redact.Secrets) string {
	text = redact.Truncate(text, 4*maxText)
	if secrets.In(text) {
		return redact.Mark
	}
	return truncate(strings.Map(printable, redact.Text(text)), maxText)
}

// oauthCodes are the error codes of RFC 6749, sections 4.1.2.1 and 5.2, and of
// RFC 6750, section 3.1.
var oauthCodes = []string{
	"access_denied", "insufficient_scope", "invalid_client", "invalid_grant", "invalid_request",
	"invalid_scope", "invalid_token", "server_error", "temporarily_unavailable", "unauthorized_client",
	"unsupported_grant_type", "unsupported_response_type",
}

// cleanCode is cleanText for an error code. Programs depend on the code, so a
// known one is kept even if a secret happens to be a part of it.
func cleanCode(code string, secrets redact.Secrets) string {
	if slices.Contains(oauthCodes, code) {
		return code
	}
	return cleanText(code, secrets)
}

// truncate returns at most n bytes of text, and an ellipsis if it is longer.
func truncate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}

// printable replaces what is not printable, such as line breaks, by a space.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}

// redactError returns err without secrets: neither its text nor the text of
// any error that it wraps contains one. It returns err itself if there is
// nothing to redact. Grants and stores of other authors need this: the errors
// of x/oauth2, for example, contain the body of a response, and servers quote
// what they were sent.
func redactError(err error, secrets redact.Secrets) error {
	if err == nil || isClean(err, secrets) {
		return err
	}
	var causes []error
	switch e := err.(type) {
	case *oauth2.RetrieveError:
		return redactRetrieveError(e, secrets)
	case *okerrors.Error:
		return redactAPIError(e, secrets)
	case interface{ Unwrap() error }:
		causes = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		causes = slices.Clone(e.Unwrap())
	}
	for i, cause := range causes {
		causes[i] = redactError(cause, secrets)
	}
	// A wrapper has the text of what it wraps, such as the whole body of a response.
	text := token.TextWithoutResponses(err, redact.Page)
	text = redact.Text(secrets.Clean(redact.Truncate(text, maxText)))
	return &redactedError{failure{text, causes}, func(target error) bool { return errors.Is(err, target) }}
}

// isClean reports whether neither err nor any error that it wraps contains a
// secret.
func isClean(err error, secrets redact.Secrets) bool {
	text := err.Error()
	switch e := err.(type) {
	case *oauth2.RetrieveError:
		if len(e.Body) > 0 { // it may quote what was sent, such as a token that is not known here
			return false
		}
	case *okerrors.Error:
		text = strings.Join([]string{text, e.Field, string(e.Data), string(e.Custom)}, "\n")
	}
	if redact.Text(text) != text || secrets.In(text) {
		return false
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return e.Unwrap() == nil || isClean(e.Unwrap(), secrets)
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(cause error) bool { return cause != nil && !isClean(cause, secrets) })
	}
	return true
}

// redactRetrieveError returns a copy of e without its body and without the
// request in its response.
func redactRetrieveError(e *oauth2.RetrieveError, secrets redact.Secrets) error {
	own := token.WithoutResponse(e, func(code string) string { return cleanCode(code, secrets) })
	own.ErrorDescription = redact.Page(cleanText(e.ErrorDescription, secrets))
	return own
}

// redactAPIError returns a copy of e without secrets. Data and Custom are replaced
// as a whole, because a part of JSON may not be valid JSON.
func redactAPIError(e *okerrors.Error, secrets redact.Secrets) *okerrors.Error {
	own := okerrors.Error{ // without the state of its call, which is not the one that waits for the session
		Code: e.Code, Message: cleanText(e.Message, secrets), Data: e.Data, Field: cleanText(e.Field, secrets),
		Method: e.Method, Status: e.Status, URL: e.URL, Custom: e.Custom,
	}
	for _, raw := range [...]*json.RawMessage{&own.Data, &own.Custom} {
		if secrets.In(string(*raw)) {
			*raw = json.RawMessage(`"` + redact.Mark + `"`)
		}
	}
	return &own
}

// A redactedError replaces an error whose text contains a secret. It matches
// by [errors.Is] what the replaced error matches, but does not expose it.
type redactedError struct {
	failure
	is func(target error) bool // errors.Is of the replaced error
}

// Is reports whether the replaced error is target.
func (e *redactedError) Is(target error) bool { return e.is(target) }

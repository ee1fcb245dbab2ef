package okerrors

// This file has the error of a response and how it prints. It is what programs see
// of an API error.

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
)

// An Error is a response of the OK API that says that a call failed. It always
// comes from the API: see [FromResponse], [Parse] and [Decode].
//
// An Error prints as one line of bounded length, in package fmt, and as a few
// short values, in JSON and log/slog. None of them has URL, Data, Custom, the
// keys of a new session, or the value of a secret parameter that the API
// quoted.
//
// An Error is not modified once returned and is safe for concurrent use by
// multiple goroutines, which must not modify it either: the layers that see
// one response share one Error.
type Error struct {
	// Code is the number of the error: error_code, or the header
	// Invocation-Error or WMF-Invocation-Error, which takes precedence.
	Code Code

	// Message is error_msg, usually "NAME : text", such as
	// "PARAM_SESSION_EXPIRED : Session expired". If a response has none, it
	// is error, or else the plain message of error_page. It is as sent, except
	// for the value of an access_token or another secret in it.
	Message string

	// Data is error_data as sent, nil if there is none: null, a string such
	// as the missing permission, a number, or other JSON. That of a response
	// in XML is a JSON string.
	Data json.RawMessage

	// Field is error_field, the name of the wrong parameter, if any.
	Field string

	// Method is the API method that was called, such as
	// "users.getCurrentUser"; empty if it is unknown.
	Method string

	// Status is the HTTP status of the response, usually 200.
	Status int

	// URL is where the user must go, if anywhere: ver_redirect_url or else
	// verification_url. It opens a check of this user, so show it to no one
	// else.
	URL string

	// Custom is custom_error, if any, like Data.
	Custom json.RawMessage

	// session returns the keys of a new session; nil if there are none. It is
	// a function because neither package fmt nor reflection reads the
	// variables of one.
	session func() (key, secret string)

	// Whether the call may have run, and may run twice: see Is.
	isCall     bool
	idempotent okcall.Choice // what the context of the call says about repeats
}

// Error returns the method, the name and number of the code, and the text of
// the message: "okru: users.getCurrentUser: PARAM_SESSION_EXPIRED (102):
// Session expired". It mentions that the user must open URL, but not the URL.
func (e *Error) Error() string {
	s := "okru: "
	if e.Method != "" {
		s += printable(e.Method) + ": "
	}
	name, text := e.split()
	s += e.Code.named(name)
	if text != "" {
		s += ": " + text
	}
	if e.URL != "" {
		s += " (the user must open Error.URL)"
	}
	return s
}

// Unwrap returns e.Code.
func (e *Error) Unwrap() error { return e.Code }

// Is makes errors.Is(e, ErrSession) true whenever e.SessionRejected is. For
// code 100 about a session, [ErrInvalid] stays true as well, since that is the
// class of the code.
//
// It also makes errors.Is(e, ErrOutcomeUnknown) true for a write that may have
// run: if e is the response to an API call, its code is 1, 2, 31, 5000 or
// 9999, and the call is not known to be safe to repeat, by
// transport.WithIdempotent or else by its Method or, if it is a Graph call, its
// verb. An error of [Parse] never matches, nor does one that a program makes.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrSession:
		return e.SessionRejected()
	case ErrOutcomeUnknown:
		return e.isCall && e.Code.MayHaveRun() && !e.isSafe()
	}
	return false
}

// isSafe reports whether the call is known to be safe to repeat. The Signer may
// set Method after FromResponse, so that is not decided there.
func (e *Error) isSafe() bool {
	if e.idempotent != okcall.Unset {
		return e.idempotent == okcall.Yes
	}
	return okcall.ReadsOnly(e.Method)
}

// Format implements [fmt.Formatter]: it writes the text of Error, in quotes or
// in hexadecimal if the verb asks for that.
func (e Error) Format(f fmt.State, verb rune) {
	switch verb {
	case 's', 'q', 'x', 'X':
		fmt.Fprintf(f, fmt.FormatString(f, verb), e.Error())
	default:
		redact.Format(f, e.Error())
	}
}

// LogValue implements [slog.LogValuer]: a group of code, name, message, field,
// method and status, without those that are empty, and url=true if the user
// must open URL.
func (e Error) LogValue() slog.Value { return slog.GroupValue(e.attrs()...) }

// MarshalJSON returns an object of what LogValue shows.
func (e Error) MarshalJSON() ([]byte, error) {
	object := make(map[string]any)
	for _, a := range e.attrs() {
		object[a.Key] = a.Value.Any()
	}
	return json.Marshal(object)
}

// attrs returns what LogValue and MarshalJSON show.
func (e *Error) attrs() []slog.Attr {
	name, text := e.split()
	attrs := []slog.Attr{slog.Int("code", int(e.Code)), slog.String("name", name)}
	for _, a := range []slog.Attr{
		slog.String("message", text),
		slog.String("field", printable(e.Field)),
		slog.String("method", printable(e.Method)),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if e.Status != 0 {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	if e.URL != "" {
		attrs = append(attrs, slog.Bool("url", true))
	}
	return attrs
}

// maxText bounds the text of a message in print, in bytes. OK's own messages
// are far shorter; what is longer is a page or a dump.
const maxText = 512

// split returns OK's name of the error and the text of the message without
// that name, ready to print. The name of a code that is not known is the one
// in the message.
func (e *Error) split() (name, text string) {
	name, text = e.Code.name(), truncate(e.Message)
	prefix, rest, _ := strings.Cut(text, ":")
	if prefix = strings.TrimSpace(prefix); isName(prefix) && (name == "" || name == prefix) {
		name, text = prefix, rest
	}
	if name == "" {
		name = unnamed
	}
	return name, printable(text)
}

// isName reports whether s is like OK's names of codes, such as PARAM_USER_ID.
func isName(s string) bool {
	if len(s) < 2 || len(s) > 64 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// printable returns text as one line of bounded length, without the values of
// secret parameters: a server may send anything. Text is truncated before it
// is redacted, because a server may also send a lot.
func printable(text string) string {
	text = redact.Text(truncate(text))
	return strings.TrimSpace(truncate(strings.Map(blank, text)))
}

// truncate returns text, or as much of it as is printed.
func truncate(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// blank replaces what would break a line or hide text by a space.
func blank(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}

package okerrors

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/go-okru/okru/internal/redact"
)

// An Error is an answer of the OK API that says a call failed. It always comes
// from the API: see [FromResponse] and [Decode].
//
// An Error prints itself as one bounded line, in package fmt, and as a few
// short values, in JSON and log/slog. Neither has URL, Data, Custom, the keys
// of a new session, or the value of a secret parameter that the API repeated.
//
// An Error is not modified once returned and is safe for concurrent use by
// multiple goroutines, which must not modify it either: the layers that see
// one answer share one Error.
type Error struct {
	// Code is the number of the error: error_code, or the header
	// Invocation-Error or WMF-Invocation-Error, which comes first.
	Code Code

	// Message is error_msg, usually "NAME : text", such as
	// "PARAM_SESSION_EXPIRED : Session expired". Where an answer has none, it
	// is error, or else the plain message of error_page. It is as sent, but
	// for the value of an access_token or another secret in it.
	Message string

	// Data is error_data as sent, nil if there is none: null, a string such
	// as the missing permission, a number, or other JSON. That of an answer in
	// XML is a JSON string.
	Data json.RawMessage

	// Field is error_field, the name of the wrong parameter, if any.
	Field string

	// Method is the API method that was called, such as
	// "users.getCurrentUser"; empty if the request does not tell.
	Method string

	// Status is the HTTP status of the answer. It is 200 as a rule.
	Status int

	// URL is where a human must go, if anywhere: ver_redirect_url or else
	// verification_url. It opens a check of this very user, so show it to
	// nobody else.
	URL string

	// Custom is custom_error, if any, like Data.
	Custom json.RawMessage

	// session returns the keys of a new session; nil if none came. Neither
	// package fmt nor anything built on reflection looks into a closure.
	session func() (key, secret string)
}

// Error returns the method, the name and number of the code, and the text of
// the message: "okru: users.getCurrentUser: PARAM_SESSION_EXPIRED (102):
// Session expired". It reports whether a human must go to URL, not the URL.
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
		s += " (a human must go to Error.URL)"
	}
	return s
}

// Unwrap returns e.Code.
func (e *Error) Unwrap() error { return e.Code }

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
// method and status, without those that are empty, and url=true if a human
// must go to URL.
func (e Error) LogValue() slog.Value { return slog.GroupValue(e.attrs()...) }

// MarshalJSON returns an object of what LogValue shows.
func (e Error) MarshalJSON() ([]byte, error) {
	object := make(map[string]any)
	for _, a := range e.attrs() {
		object[a.Key] = a.Value.Any()
	}
	return json.Marshal(object)
}

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

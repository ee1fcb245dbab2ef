package redact

// This file has what a type needs that holds a secret, and must print without it.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
)

// Mark replaces a secret.
const Mark = "[redacted]"

// A View is what may be seen of a value that holds secrets. A type with
// secrets has a function that returns its View, and three methods that call
// those of the View:
//
//	func (g Grant) view() redact.View {
//		return redact.Show("oauth.Grant", slog.String("ID", g.ID), redact.Secret("Key", g.Key))
//	}
//	func (g Grant) Format(f fmt.State, verb rune)  { g.view().Format(f, verb) }
//	func (g Grant) LogValue() slog.Value           { return g.view().LogValue() }
//	func (g Grant) MarshalJSON() ([]byte, error)   { return g.view().MarshalJSON() }
//
// Format covers every verb of package fmt, so that String and GoString are not
// needed.
type View struct {
	name  string
	attrs []slog.Attr
}

// Show returns the View of a type of this name with these attributes.
func Show(name string, attrs ...slog.Attr) View { return View{name, attrs} }

// String returns name{A:"1" B:"2"}.
func (v View) String() string {
	var b strings.Builder
	b.WriteString(v.name)
	b.WriteByte('{')
	for i, a := range v.attrs {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s:%q", a.Key, a.Value.String())
	}
	b.WriteByte('}')
	return b.String()
}

// Format implements [fmt.Formatter]. It writes the text of String for every verb.
func (v View) Format(f fmt.State, _ rune) { Format(f, v.String()) }

// LogValue implements [slog.LogValuer]. It returns a group.
func (v View) LogValue() slog.Value { return slog.GroupValue(v.attrs...) }

// MarshalJSON implements [json.Marshaler]. It returns an object of strings.
func (v View) MarshalJSON() ([]byte, error) {
	object := make(map[string]string, len(v.attrs))
	for _, a := range v.attrs {
		object[a.Key] = a.Value.String()
	}
	return json.Marshal(object)
}

// Secret returns the attribute of a secret. It shows whether the secret is
// set, and nothing else.
func Secret(name, value string) slog.Attr {
	if value != "" {
		value = Mark
	}
	return slog.String(name, value)
}

// Format writes text, whatever the verb. It is for types that print as one text
// and have no fields to show, such as errors: without a method Format, %#v prints
// all fields, also those of the errors that an error wraps.
func Format(f fmt.State, text string) { _, _ = io.WriteString(f, text) }

// NewError returns an error that prints as text and is err for errors.Is and
// errors.As: for an err whose own text shows a secret. It has no method Unwrap, so
// that nothing which prints a chain of errors prints err.
func NewError(text string, err error) error {
	return &cleanError{text: text, original: func() error { return err }}
}

// A cleanError is the result of NewError.
type cleanError struct {
	text     string
	original func() error // a function: package fmt prints its address, and not what is in it
}

func (e *cleanError) Error() string        { return e.text }
func (e *cleanError) Is(target error) bool { return errors.Is(e.original(), target) }
func (e *cleanError) As(target any) bool   { return errors.As(e.original(), target) }

// Timeout reports whether the original is a timeout; [net/url.Error] calls it.
func (e *cleanError) Timeout() bool {
	var t interface{ Timeout() bool }
	return e.As(&t) && t.Timeout()
}

// NewPanicError returns the error of a panic of the code that where names, with the
// stack. It wraps a value that is an error, and shows one that is a string. Of any
// other value, which may hold a secret such as a token, it shows the type. It must
// be called while the panic is being recovered.
func NewPanicError(where string, value any) error {
	switch v := value.(type) {
	case error:
		return fmt.Errorf("%s: panic: %w\n%s", where, v, debug.Stack())
	case string:
		return fmt.Errorf("%s: panic: %s\n%s", where, v, debug.Stack())
	}
	return fmt.Errorf("%s: panic with a value of type %T\n%s", where, value, debug.Stack())
}

// Package canary finds secrets in what a program prints by accident.
//
// A test gives a value to [Check], together with the secrets that the value
// holds. The value is printed in every way that ends up in logs: each verb of
// package fmt, errors and what they wrap, JSON, log/slog and log. A secret in
// the text, plain or in one of the usual encodings, fails the test.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

// A Leak is a secret that a value shows.
type Leak struct {
	By     string // how it was printed, such as "%+v"
	Secret string
	Text   string // what was printed
}

// Check fails t if v shows one of secrets. A secret shorter than four bytes
// would be found anywhere and fails t as well.
func Check(t testing.TB, v any, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if len(secret) < 4 {
			t.Errorf("canary: %q is too short to be told from other text", secret)
			return
		}
	}
	for _, leak := range Find(v, secrets...) {
		t.Errorf("%T shows %q when printed by %s: %s", v, leak.Secret, leak.By, leak.Text)
	}
}

// Find returns the ways in which v shows one of secrets.
func Find(v any, secrets ...string) []Leak {
	var leaks []Leak
	for _, p := range prints {
		text := attempt(p.print, v)
		if secret, found := Search(text, secrets...); found {
			leaks = append(leaks, Leak{p.by, secret, text})
		}
	}
	return leaks
}

// Search returns the first of secrets that is in text, plain or encoded.
func Search(text string, secrets ...string) (string, bool) {
	for _, secret := range secrets {
		for _, spelling := range spellings(secret) {
			if strings.Contains(text, spelling) {
				return secret, true
			}
		}
	}
	return "", false
}

// spellings returns secret as it appears in queries, paths, dumps and quotes.
// The ends of a base64 text depend on what is around them and are left out.
func spellings(secret string) []string {
	quoted := fmt.Sprintf("%q", secret)
	code := base64.RawStdEncoding.EncodeToString([]byte(secret))
	return []string{
		secret,
		url.QueryEscape(secret), url.PathEscape(secret),
		quoted[1 : len(quoted)-1],
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
		strings.Trim(fmt.Sprint([]byte(secret)), "[]"), // %v of bytes
		code[:len(code)-1],
		strings.NewReplacer("+", "-", "/", "_").Replace(code[:len(code)-1]),
	}
}

// attempt prints v, or says why it cannot be printed. A panic's text counts as
// printed, too: it reaches a log.
func attempt(print func(any) string, v any) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint("panic: ", p)
		}
	}()
	return print(v)
}

// Of the verbs, %p is left out: it prints what is no pointer without asking any
// method. A field of a struct, a slice and a map are printed without the
// methods of a pointer to v.
var prints = func() []printer {
	var all []printer
	for _, verb := range []string{"v", "+v", "#v", "s", "q", "x", "X", "d", "t", "o", "e", "c", "U", "T"} {
		format := "%" + verb
		all = append(all,
			printer{format, func(v any) string { return fmt.Sprintf(format, v) }},
			printer{format + " in a struct", func(v any) string { return fmt.Sprintf(format, struct{ V any }{v}) }},
			printer{format + " in a slice", func(v any) string { return fmt.Sprintf(format, []any{v}) }},
			printer{format + " in a map", func(v any) string { return fmt.Sprintf(format, map[string]any{"v": v}) }},
		)
	}
	return append(all,
		printer{"String", func(v any) string {
			if s, ok := v.(fmt.Stringer); ok {
				return s.String()
			}
			return ""
		}},
		printer{"GoString", func(v any) string {
			if s, ok := v.(fmt.GoStringer); ok {
				return s.GoString()
			}
			return ""
		}},
		printer{"the chain of errors", func(v any) string { err, _ := v.(error); return chain(err) }},
		printer{"JSON", asJSON},
		printer{"JSON in a struct", func(v any) string { return asJSON(struct{ V any }{v}) }},
		printer{"slog, text", func(v any) string {
			return logged(v, func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) })
		}},
		printer{"slog, JSON", func(v any) string {
			return logged(v, func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) })
		}},
		printer{"log", func(v any) string {
			var b bytes.Buffer
			log.New(&b, "", 0).Print(v)
			return b.String()
		}},
	)
}()

type printer struct {
	by    string
	print func(any) string
}

// chain returns the text of err and of all that it wraps.
func chain(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error() + fmt.Sprintf(" %#v ", err)
	switch w := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range w.Unwrap() {
			text += chain(inner)
		}
		return text
	}
	return text + chain(errors.Unwrap(err))
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	return fmt.Sprint(string(b), err)
}

func logged(v any, handler func(*bytes.Buffer) slog.Handler) string {
	var b bytes.Buffer
	l := slog.New(handler(&b)).With("with", v)
	l.Info("message", "v", v, slog.Group("group", "v", v), "struct", struct{ V any }{v})
	return b.String()
}

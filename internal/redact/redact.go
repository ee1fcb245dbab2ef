// Package redact prints values that hold secrets without the secrets.
//
// A type that holds one lists what may be seen as attributes and hands them
// to this package from its String, Format, LogValue and MarshalJSON. Format
// covers every verb of package fmt, %#v and %d included.
package redact

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
)

// Mark stands where a secret would.
const Mark = "[redacted]"

// Secret returns the attribute of a secret: it reports whether one is set, and
// nothing else.
func Secret(name, value string) slog.Attr {
	if value != "" {
		value = Mark
	}
	return slog.String(name, value)
}

// Set returns an attribute that reports whether something is set.
func Set(name string, set bool) slog.Attr { return slog.Bool(name, set) }

// String returns name{A:1 B:2} of attrs.
func String(name string, attrs []slog.Attr) string {
	var b strings.Builder
	b.WriteString(name)
	b.WriteByte('{')
	for i, a := range attrs {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s:%q", a.Key, a.Value.String())
	}
	b.WriteByte('}')
	return b.String()
}

// Format writes text for a fmt.Formatter, whatever the verb.
func Format(f fmt.State, text string) { _, _ = io.WriteString(f, text) }

// JSON returns attrs as a JSON object.
func JSON(attrs []slog.Attr) ([]byte, error) {
	object := make(map[string]string, len(attrs))
	for _, a := range attrs {
		object[a.Key] = a.Value.String()
	}
	return json.Marshal(object)
}

// named matches a secret parameter with its value, as a query, a form or JSON
// would show it.
var named = regexp.MustCompile(`(?i)\b((?:\w*token|tkn|session_key|session_secret_key|` +
	`application_secret_key|application_secret|client_secret|secret|password|fr\.password|fr\.token|auth_sig|auth_hash|resig|sig|code)` +
	`(?:=|%3D|\\?"\s*:\s*\\?"))[^&\s"'<>\\]+`)

// keyLike matches what looks like a token or a signature: a long run without a
// space that has a digit in it.
var keyLike = regexp.MustCompile(`[A-Za-z0-9._~+/=%:\\-]{12,}`)

// Page is Text for a page of whatever wrote it: what looks like a token goes,
// too.
func Page(text string) string {
	return keyLike.ReplaceAllStringFunc(Text(text), func(run string) string {
		if strings.ContainsAny(run, "0123456789") {
			return Mark
		}
		return run
	})
}

// Text returns text with the values of secret parameters taken out of it: for
// pages and messages of a server that echoes what it was sent.
func Text(text string) string { return named.ReplaceAllString(text, "${1}"+Mark) }

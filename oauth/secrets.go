package oauth

import (
	"slices"
	"strings"
	"unicode"

	"github.com/go-okru/okru/internal/redact"
)

const (
	// maxText bounds how much of a server's text goes into an error.
	maxText = 200

	// minSecret is the length below which a secret would be found in any text.
	// OK hands out none that short.
	minSecret = 6
)

// secrets are the values of one exchange that no error may show, even if a
// server echoes them.
type secrets []string

// clean returns text fit to be printed: short, on one line and without
// secrets. A text that has one of s is not shown at all, lest its length or
// surroundings tell something.
func (s secrets) clean(text string) string {
	if s.in(text) {
		return redact.Mark
	}
	text = strings.Map(printable, redact.Text(text))
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}

// codes are the error codes of RFC 6749, sections 4.1.2.1 and 5.2, and of RFC
// 6750, section 3.1. All that hopelessCode knows are among them.
var codes = []string{
	"access_denied", "insufficient_scope", "invalid_client", "invalid_grant", "invalid_request",
	"invalid_scope", "invalid_token", "server_error", "temporarily_unavailable", "unauthorized_client",
	"unsupported_grant_type", "unsupported_response_type",
}

// cleanCode is clean for an error code. What callers may do hangs on it, so
// that a known one stays as it is: it echoes nothing, even if a secret is
// spelled like a part of it.
func (s secrets) cleanCode(code string) string {
	if slices.Contains(codes, code) {
		return code
	}
	return s.clean(code)
}

// in reports whether text shows one of s, as it is or escaped. A password may be
// a word that OK's messages have, too; it is found all the same.
func (s secrets) in(text string) bool {
	return redact.Secrets(s).In(text) || slices.ContainsFunc(s, func(secret string) bool {
		return len(secret) >= minSecret && strings.Contains(text, secret)
	})
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}

package oauth

import (
	"html"
	"net/url"
	"strings"
	"unicode"

	"github.com/go-okru/okru/internal/redact"
)

// maxText bounds how much of a server's text goes into an error.
const maxText = 200

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

func (s secrets) in(text string) bool {
	for _, secret := range s {
		if secret != "" && contains(text, secret) {
			return true
		}
	}
	return false
}

// contains looks for secret in text, as it is and as pages and URLs write it.
func contains(text, secret string) bool {
	return strings.Contains(text, secret) ||
		strings.Contains(text, url.QueryEscape(secret)) ||
		strings.Contains(text, url.PathEscape(secret)) ||
		strings.Contains(text, html.EscapeString(secret))
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}

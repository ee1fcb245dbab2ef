package redact

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Secrets are values that no text may show.
type Secrets []string

// minSecret is the length below which a secret would be found in any text.
const minSecret = 6

// words are those of OK's messages that are long enough to be taken for a
// secret. A test, or somebody in a hurry, may have a token "expired"; to find
// it in "Session expired" would tell more about it than to leave it there, and
// the message would no longer be what OK said.
const words = " access access_token application application_key application_secret application_secret_key authorization blocked " +
	"client client_secret denied expired failed granted illegal incorrect invalid malformed method missed missing " +
	"parameter parameters password permission refresh_token request required revoked secret server service session " +
	"session_key session_secret session_secret_key signature specified system unknown "

// Clean returns text with a mark in the place of each secret, also of one that
// is escaped for a query, a path, JSON or HTML, even more than once.
func (s Secrets) Clean(text string) string {
	longestFirst := slices.SortedFunc(slices.Values(s), func(a, b string) int { return len(b) - len(a) })
	for _, secret := range longestFirst {
		if len(secret) < minSecret || strings.Contains(words, " "+secret+" ") || !strings.Contains(text, core(secret)) {
			continue
		}
		text = spellings(secret).ReplaceAllLiteralString(text, Mark)
	}
	return text
}

// In reports whether text shows a secret.
func (s Secrets) In(text string) bool { return s.Clean(text) != text }

// core returns the longest part of secret that nothing escapes. A text without
// it, as nearly all are, need not be searched for the spellings.
func core(secret string) string {
	longest := ""
	for part := range strings.FieldsFuncSeq(secret, func(r rune) bool { return !isPlain(r) }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// isPlain reports whether r is one of those that nothing escapes.
func isPlain(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}

// spellings matches secret in all its spellings.
func spellings(secret string) *regexp.Regexp {
	var b strings.Builder
	for _, r := range secret {
		if isPlain(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(`\\*(?:` + strings.Join(escapes(r), `|`) + `)`) // as in \/
	}
	return regexp.MustCompile(b.String())
}

// entities are what HTML calls characters that a secret may have.
var entities = map[rune]string{'&': "amp", '<': "lt", '>': "gt", '"': "quot", '\'': "apos"}

// escapes returns patterns of what r is escaped as, and of r itself, last: it
// may be how an escape begins.
func escapes(r rune) []string {
	percent := ""
	for _, c := range []byte(string(r)) {
		percent += fmt.Sprintf(`%%(?:25)*(?i:%02x)`, c)
	}
	list := []string{
		percent, // as in %2F or %252F
		fmt.Sprintf(`\\+u(?i:%04x)`, r), fmt.Sprintf(`&(?:amp;)*#(?:0*%d|(?i:x0*%x));`, r, r),
	}
	if name, ok := entities[r]; ok {
		list = append(list, `&(?:amp;)*`+name+`;`)
	}
	if r == ' ' {
		list = append(list, `\+`, `%(?:25)*2(?i:b)`)
	}
	return append(list, regexp.QuoteMeta(string(r)))
}

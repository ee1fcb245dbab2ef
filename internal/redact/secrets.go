package redact

// This file finds and replaces values that are known to be secret. reading.go
// decodes the text, search.go searches in it, mask.go overwrites what was found.

import (
	"math"
	"slices"
	"strings"
)

// Secrets are values that no text may show.
//
// A secret is found plain, and also percent-encoded, in a JSON or Go string
// and as HTML, in any mixture of these and up to sixteen times; the whole run
// of text that spells it counts as the secret. To find it, the text and the
// secret are both decoded as far as they can be, and compared then.
//
// Secrets shorter than six bytes, and words that OK's own messages have, are
// not searched for.
type Secrets []string

// minSecret is the length below which a secret would be found in any text.
const minSecret = 6

// words are those of OK's messages that are long enough to be taken for a
// secret. A test, or a user in a hurry, may have a token "expired": replacing
// it in "Session expired" would reveal it, and change the message.
const words = "access access_token application application_key application_secret application_secret_key authorization blocked " +
	"client client_secret denied expired failed granted illegal incorrect invalid malformed method missed missing " +
	"parameter parameters password permission redacted refresh_token request required revoked secret server service session " +
	"session_key session_secret session_secret_key signature specified system unknown"

// isMessageWord is the set of words.
var isMessageWord = func() map[string]bool {
	is := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		is[word] = true
	}
	return is
}()

// Clean returns text with [Mark] instead of each secret.
func (s Secrets) Clean(text string) string {
	covered := s.find(text)
	if covered == nil {
		return text
	}
	var out strings.Builder
	for i, secret := range covered {
		switch {
		case !secret:
			out.WriteByte(text[i])
		case i == 0 || !covered[i-1]:
			out.WriteString(Mark)
		}
	}
	return out.String()
}

// In reports whether text shows a secret.
func (s Secrets) In(text string) bool { return s.find(text) != nil }

// find returns for each byte of text whether it is part of a secret; nil: none
// is.
func (s Secrets) find(text string) []bool {
	if !s.mayBeIn(text) {
		return nil
	}
	var asIs, read *search
	for _, secret := range s {
		if !searchable(secret) {
			continue
		}
		// A secret with a percent sign, a backslash or an ampersand is searched for
		// as it is, too.
		if strings.ContainsAny(secret, leads) { // what follows it in text may change how its end decodes
			asIs = asIs.find(text, secret, plain)
		}
		if canonical := canonical(secret); len(canonical) >= minSecret {
			read = read.find(text, canonical, decoded)
		}
	}
	return read.cover(asIs.cover(nil))
}

// hasFolded reports whether text has a character that fold makes equal to
// another, letters aside.
func hasFolded(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c == '+' {
			return true
		}
	}
	return false
}

// mayBeIn reports whether text may show a secret, without decoding it: few texts
// have an escape, or a secret.
func (s Secrets) mayBeIn(text string) bool {
	if hasLead(text) {
		return true
	}
	for _, secret := range s {
		if len(secret) >= minSecret && (hasManySpellings(secret) || strings.Contains(text, secret)) {
			return true
		}
	}
	return false
}

// hasManySpellings reports whether a text may show secret and have neither it nor an
// escape.
func hasManySpellings(secret string) bool { return hasLead(secret) || hasFolded(secret) }

// Filter returns a function that reports whether a text may show a secret: if it
// returns false, so does In. It looks at the spelling alone, and at few bytes of most
// texts. It is made once for secrets that are searched for often, in short texts such
// as the values of a header.
func (s Secrets) Filter() func(text string) bool {
	s = slices.DeleteFunc(slices.Clone(s), func(secret string) bool { return len(secret) < minSecret })
	shortest := math.MaxInt // nothing reads longer than it is
	var spelling [256]bool  // the bytes of the secrets, of their escapes, and what fold makes equal to a letter
	for _, part := range append(s, escapeBytes, controls) {
		for i := range len(part) {
			spelling[part[i]] = true
		}
	}
	for _, secret := range s {
		shortest = min(shortest, len(canonical(secret)))
	}
	if slices.ContainsFunc(s, hasManySpellings) {
		return func(text string) bool { return len(text) >= shortest }
	}
	return func(text string) bool { return hasRun(text, &spelling, shortest) }
}

// hasRun reports whether text has n bytes in a row that are in set. Of n bytes it
// looks at the last one first: if that is not in set, no run includes it, and the
// others are skipped.
func hasRun(text string, set *[256]bool, n int) bool {
	for len(text) >= n {
		i := n - 1
		for i >= 0 && set[text[i]] {
			i--
		}
		if i < 0 {
			return true
		}
		text = text[i+1:]
	}
	return false
}

// hasLead is strings.ContainsAny(text, leads), three times as fast.
func hasLead(text string) bool {
	return strings.IndexByte(text, '%') >= 0 || strings.IndexByte(text, '\\') >= 0 || strings.IndexByte(text, '&') >= 0
}

// searchable reports whether secret is long enough, and not one of words.
func searchable(secret string) bool {
	return len(secret) >= minSecret && !isMessageWord[secret]
}

// canonical returns secret without escapes: a secret may look like one.
func canonical(secret string) string {
	if !strings.ContainsAny(secret, leads) {
		return secret
	}
	text, _ := decoded(secret).text()
	return string(text)
}

// Straddle returns how many bytes at the end of text may be the beginning of a
// secret, of which the rest is still to come. It may return a few bytes more
// than that, never less. A reader that has masked text so far may show all but
// these bytes.
func (s Secrets) Straddle(text string) int {
	first := len(text)
	cutOff := make([]bool, len(text)+1)
	read := decode(text, cutOff)
	from := make([]ahead, len(text)+1)
	for _, secret := range s {
		if !searchable(secret) {
			continue
		}
		if strings.ContainsAny(secret, leads) {
			first = min(first, begins(secret, plain(text), from, nil))
		}
		if canonical := canonical(secret); len(canonical) >= minSecret {
			first = min(first, begins(canonical, read, from, cutOff))
		}
	}
	return len(text) - first
}

// An ahead is what a text reads as from some position on.
type ahead struct {
	chars uint64 // the next ones, the first one highest
	size  int32  // up to the end of the text
}

// begins returns the first position from which the text reads, up to its end
// or an escape that is cut off, like the beginning of secret; one beyond the text
// if there is none. It overwrites from, which has one ahead for each position.
func begins(secret string, r readings, from []ahead, cutOff []bool) int {
	const window = 8 // of all that a position reads as, only so many bytes are compared
	wanted := uint64(0)
	for i := range window {
		wanted <<= 8
		if i < len(secret) {
			wanted |= uint64(fold[secret[i]])
		}
	}
	first := len(r)
	from[len(r)-1] = ahead{}
	for i := len(r) - 2; i >= 0; i-- {
		if cutOff != nil && cutOff[i] {
			first, from[i] = i, ahead{}
			continue
		}
		next := from[r[i].end]
		for c := range r[i].bytes {
			next = ahead{next.chars>>8 | uint64(fold[c])<<56, next.size + 1}
		}
		from[i] = next
		if unknown := 8 * max(window-int(next.size), 0); int(next.size) < len(secret) && (next.chars^wanted)>>unknown == 0 {
			first = i
		}
	}
	return first
}

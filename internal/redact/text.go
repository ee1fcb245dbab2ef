package redact

// This file finds secrets by the names of their parameters, and by their look.

import (
	"slices"
	"strings"
	"unicode"
)

// Text returns text with [Mark] instead of the values of parameters that are
// secret by their name: for pages and messages of a server that echoes what it
// was sent. It understands queries and forms, JSON, XML, attributes of HTML
// and the headers that hold credentials, plain or escaped.
func Text(text string) string {
	var out strings.Builder
	p := newParser(text)
	done := int32(0)
	for i := 0; i < len(p.text); i++ {
		from, to := p.secret(i)
		if from >= to {
			continue
		}
		out.WriteString(text[done:p.at[from]])
		out.WriteString(Mark)
		done, i = p.at[to], to-1
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// SecretName reports whether a parameter of this name is secret.
func SecretName(name string) bool {
	name = strings.ToLower(name[strings.LastIndexFunc(name, func(r rune) bool { return r > unicode.MaxASCII || !isWord(uint32(r)) })+1:])
	return strings.HasSuffix(name, "token") || slices.Contains(secretNames, name)
}

// secretNames are the names of secret parameters of OK and of OAuth 2.0,
// besides all that end with token.
var secretNames = []string{
	"application_secret", "application_secret_key", "auth_hash", "auth_sig", "client_secret", "code", "code_verifier", "password",
	"resig", "secret", "session_key", "session_secret_key", "sig", "tkn",
}

// credentialHeaders are the headers whose values are secret.
var credentialHeaders = []string{"authorization", "cookie", "proxy-authorization", "set-cookie"}

// isCredential reports whether the value of a header of this name is secret.
func isCredential(name string) bool {
	return slices.Contains(credentialHeaders, strings.ToLower(name))
}

// isCode reports whether a parameter is called code. What JSON and XML call so
// is an authorization code only if it is a string.
func isCode(name string) bool { return strings.EqualFold(name, "code") }

// maxName bounds how far back a name is looked for.
const maxName = 64

// A parser finds parameters in a text whose escapes are decoded.
type parser struct {
	text []byte  // decoded
	at   []int32 // where each byte of it stands in raw
	raw  string  // the text as it is
}

// newParser decodes raw.
func newParser(raw string) *parser {
	text, at := decoded(raw).text()
	return &parser{text, at, raw}
}

// secret returns the bounds of the secret value that the separator at i
// announces; none: from is not less than to.
func (p *parser) secret(i int) (from, to int) {
	switch p.text[i] {
	case '=':
		if SecretName(p.nameBefore(i)) {
			return p.value(i)
		}
	case ':':
		end := p.back(i, isSpace)
		switch {
		case end > 0 && isQuote(p.text[end-1]): // JSON
			name := p.nameBefore(end - 1)
			if isCredential(name) || SecretName(name) && (!isCode(name) || p.isQuoted(i)) {
				return p.value(i)
			}
		case isCredential(p.nameBefore(i)):
			return p.until(p.skip(i+1, isSpace), func(j int) bool { return strings.IndexByte("\r\n\"'<>]", p.text[j]) >= 0 })
		}
	case '>':
		if name := p.nameBefore(i); i > len(name) && p.text[i-len(name)-1] == '<' && SecretName(name) && !isCode(name) {
			return p.until(i+1, func(j int) bool { return p.text[j] == '<' && p.isSpelledLike(j, i) })
		}
	}
	return 0, 0
}

// value returns the bounds of the value after the separator at i.
func (p *parser) value(i int) (from, to int) {
	from = p.valueStart(i)
	if p.isQuoted(i) {
		return p.until(from+1, func(j int) bool { return p.text[j] == p.text[from] && p.isSpelledLike(j, from) })
	}
	// A query or a form ends a value by an ampersand; the quotes and brackets are
	// of a page that has the query in an attribute or a link.
	delimiters := "& \t\r\n\"'<>"
	if p.text[i] == ':' {
		delimiters = " \t\r\n,]}"
	}
	return p.until(from, func(j int) bool { return strings.IndexByte(delimiters, p.text[j]) >= 0 && !p.isPartOf(j, i) })
}

// isPartOf reports whether the delimiter at j is part of the value after the
// separator at i: it is percent-encoded more often than the separator.
func (p *parser) isPartOf(j, i int) bool { return p.width(j) > p.width(i) && p.raw[p.at[j]] == '%' }

// isSpelledLike reports whether the characters at i and j are escaped in the
// same way, or both not at all.
func (p *parser) isSpelledLike(i, j int) bool {
	a, b := p.raw[p.at[i]], p.raw[p.at[j]]
	return p.width(i) == p.width(j) && (a == b || p.width(i) == 1)
}

// valueStart returns where the value after the separator at i begins.
func (p *parser) valueStart(i int) int {
	if p.text[i] == ':' {
		return p.skip(i+1, func(c byte) bool { return c == '[' || isSpace(c) }) // headers in JSON are lists
	}
	return i + 1
}

// isQuoted reports whether the value after the separator at i is in quotes.
func (p *parser) isQuoted(i int) bool {
	from := p.valueStart(i)
	return from < len(p.text) && isQuote(p.text[from]) && !p.isPartOf(from, i)
}

// width returns how many bytes spell the character at i.
func (p *parser) width(i int) int32 { return p.at[i+1] - p.at[i] }

// nameBefore returns the name that ends before i, at most maxName bytes of it.
func (p *parser) nameBefore(i int) string { return string(p.text[p.back(i, isNameByte):i]) }

// back returns where the characters before end that are in class begin.
func (p *parser) back(end int, class func(byte) bool) int {
	i := end
	for i > max(0, end-maxName) && class(p.text[i-1]) {
		i--
	}
	return i
}

// skip returns the first position from i on whose character is not in class.
func (p *parser) skip(i int, class func(byte) bool) int {
	for i < len(p.text) && class(p.text[i]) {
		i++
	}
	return i
}

// until returns from and the first position after it that is an end.
func (p *parser) until(from int, isEnd func(int) bool) (int, int) {
	to := from
	for to < len(p.text) && !isEnd(to) {
		to++
	}
	return from, to
}

// isNameByte reports whether c is part of the name of a parameter or a header.
func isNameByte(c byte) bool { return c == '-' || isWord(uint32(c)) }

// isQuote reports whether c is a quote of JSON or HTML.
func isQuote(c byte) bool { return c == '"' || c == '\'' }

// isSpace reports whether c is white space of JSON.
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// minKey is the length in bytes from which a run without spaces is taken for a
// token: a signature has 32, and most words of a message have fewer than 12.
const minKey = 12

// Page is [Text] for a page of unknown origin: it also replaces what looks
// like a token or a signature, a run of twelve bytes or more without a space
// that has a digit in it.
func Page(text string) string {
	text = Text(text)
	var out strings.Builder
	for len(text) > 0 {
		end := strings.IndexFunc(text, func(r rune) bool { return !isKey(r) })
		if end < 0 {
			end = len(text)
		}
		if end >= minKey && strings.ContainsAny(text[:end], "0123456789") {
			out.WriteString(Mark)
		} else {
			out.WriteString(text[:end])
		}
		next := end + strings.IndexFunc(text[end:], isKey)
		if next < end {
			next = len(text)
		}
		out.WriteString(text[end:next])
		text = text[next:]
	}
	return out.String()
}

// isKey reports whether r may be part of a token or a signature, plain or escaped.
func isKey(r rune) bool {
	return r <= unicode.MaxASCII && (isWord(uint32(r)) || strings.ContainsRune(`.~+/=%:\-`, r))
}

// Truncate returns text cut to at most n bytes and an ellipsis. What it leaves
// ends with a whole word: half a secret would not be found. Cut a text before
// its secrets are searched for, so that the time this takes is bounded.
func Truncate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	cut := strings.LastIndexFunc(text[:n+1], unicode.IsSpace)
	return strings.TrimRightFunc(text[:max(cut, 0)], unicode.IsSpace) + "…"
}

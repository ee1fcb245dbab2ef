package redact

// This file overwrites secrets in a body in place, so that it stays valid JSON or XML.

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Mask overwrites each byte of a secret in text by an asterisk, in place, and
// reports whether it changed anything. The length of text does not change, and
// JSON and XML stay valid:
//
//   - An escape or an entity is overwritten as a whole, or not at all.
//   - Quotes and other bytes that make the structure stay.
//   - A number of JSON becomes one of as many digits, all of them 1.
//   - A name in a tag of XML becomes one of as many letters, all of them x.
//
// Whether text is JSON or XML is decided by its first byte, so text must be
// all of a body, or its beginning. Masking a text twice is no different from
// masking it once: a reader that gets more of a body masks it again from its
// beginning. See [Secrets.Straddle] for what it may show meanwhile.
func (s Secrets) Mask(text []byte) bool {
	covered := s.find(string(text))
	if covered == nil {
		return false
	}
	m := masker{text: text, covered: covered}
	switch start := bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\ufeff")), " \t\r\n"); {
	case bytes.IndexAny(start, `{["`) == 0:
		m.json()
	case bytes.HasPrefix(start, []byte("<")):
		m.xml()
	default:
		m.until(len(text), "")
	}
	return m.changed
}

// A masker goes through a text and overwrites what is covered.
type masker struct {
	text    []byte // is overwritten in place
	covered []bool // by a secret, for each byte of text
	i       int    // the position in text
	changed bool   // a byte was overwritten
}

// put overwrites the byte at position i.
func (m *masker) put(i int, c byte) {
	m.changed = m.changed || m.text[i] != c
	m.text[i] = c
}

// until masks up to end, except the bytes of keep.
func (m *masker) until(end int, keep string) {
	for ; m.i < end; m.i++ {
		if m.covered[m.i] && strings.IndexByte(keep, m.text[m.i]) < 0 {
			m.put(m.i, '*')
		}
	}
}

// whole masks the next n bytes if one of them is covered.
func (m *masker) whole(n int) {
	end := min(m.i+n, len(m.text))
	for i := m.i; i < end; i++ {
		if m.covered[i] {
			for ; m.i < end; m.i++ {
				m.put(m.i, '*')
			}
		}
	}
	m.i = end
}

// json masks JSON from a position that is not within a string.
func (m *masker) json() {
	for m.i < len(m.text) {
		switch c := m.text[m.i]; {
		case c == '"':
			m.jsonString()
		case isNameByte(c):
			m.jsonLiteral()
		default:
			m.until(m.i+1, "{}[],: \t\r\n")
		}
	}
}

// jsonString masks a string.
func (m *masker) jsonString() {
	for m.i++; m.i < len(m.text) && m.text[m.i] != '"'; {
		switch {
		case m.text[m.i] != '\\':
			m.until(m.i+1, "")
		case m.i+1 < len(m.text) && m.text[m.i+1] == 'u':
			m.whole(len(`\u0000`))
		default:
			m.whole(len(`\n`))
		}
	}
	m.i++
}

// jsonLiteral masks a number, true, false, null, or what should have been in
// quotes.
func (m *masker) jsonLiteral() {
	start := m.i
	for m.i < len(m.text) && (isNameByte(m.text[m.i]) || strings.IndexByte("+.", m.text[m.i]) >= 0) {
		m.i++
	}
	end := m.i
	switch literal := string(m.text[start:end]); {
	case literal == "true" || literal == "false" || literal == "null":
	case isNumber(literal):
		for i := start; i < end; i++ {
			if m.covered[i] && '0' <= m.text[i] && m.text[i] <= '9' {
				m.put(i, '1')
			}
		}
	default:
		m.i = start
		m.until(end, "")
	}
}

// isNumber reports whether a literal of JSON has only the characters of numbers. It
// need not be valid: what is no number cannot become less valid.
func isNumber(literal string) bool {
	for _, c := range []byte(literal) {
		if strings.IndexByte("0123456789+-.eE", c) < 0 {
			return false
		}
	}
	return true
}

// xml masks XML from a position that is not within a tag.
func (m *masker) xml() {
	for m.i < len(m.text) {
		rest := m.text[m.i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			m.i += len("<!--")
			m.until(m.end("-->"), "->")
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			m.i += len("<![CDATA[")
			m.until(m.end("]]>"), "]>")
		case rest[0] == '<':
			m.tag()
		default:
			m.xmlText()
		}
	}
}

// end returns where the next mark begins.
func (m *masker) end(mark string) int {
	if n := bytes.Index(m.text[m.i:], []byte(mark)); n >= 0 {
		return m.i + n
	}
	return len(m.text)
}

// xmlText masks one character of text.
func (m *masker) xmlText() {
	if m.text[m.i] == '&' {
		rest := m.text[m.i:min(m.i+maxEntity+1, len(m.text))]
		if n := bytes.IndexByte(rest, ';'); n > 0 {
			m.whole(n + 1)
			return
		}
	}
	m.until(m.i+1, "<&")
}

// tag masks a tag: names, and the values of attributes.
func (m *masker) tag() {
	for m.i < len(m.text) && m.text[m.i] != '>' {
		switch c := m.text[m.i]; {
		case isQuote(c):
			for m.i++; m.i < len(m.text) && m.text[m.i] != c; {
				m.xmlText()
			}
			m.i++
		// A value without quotes ends at white space or at the end of the tag.
		case c == '=' && m.i+1 < len(m.text) && !isQuote(m.text[m.i+1]): // not valid, but common in HTML
			for m.i++; m.i < len(m.text) && strings.IndexByte(" \t\r\n>", m.text[m.i]) < 0; {
				m.xmlText()
			}
		default:
			if m.covered[m.i] && (isNameByte(c) || c >= utf8.RuneSelf) {
				m.put(m.i, 'x')
			}
			m.i++
		}
	}
	m.i++
}

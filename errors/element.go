package okerrors

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"unicode/utf8"
)

// errorElement is the root of an error in XML, in whatever namespace. OK's is
// http://api.forticom.com/1.0/.
const errorElement = "error_response"

// elementScan finds out whether the root element of an XML document is that of
// an error, and where it ends, as the text comes in, one byte at a time.
type elementScan struct {
	found bool // the root is that of an error

	state elementState
	start int    // of the current markup
	until string // what ends the current instruction or comment
}

type elementState uint8

const (
	inMarkup elementState = iota // after the first <
	inBang
	inSkipped
	beforeMarkup
	inName
	inElement
)

// step looks at text[i], which follows the first < and all that step has seen.
// It returns true if the rest does not matter.
func (s *elementScan) step(text []byte, i int) (done bool) {
	c := text[i]
	switch s.state {
	case inMarkup:
		s.markup(c, i)
	case inBang: // <!-- is a comment; <!DOCTYPE is how a web page begins
		s.skip("-->", i)
		return c != '-'
	case inSkipped:
		if bytes.HasSuffix(text[s.start:i+1], []byte(s.until)) {
			s.state = beforeMarkup
		}
	case beforeMarkup:
		s.state = inMarkup
		if space(c) {
			s.state = beforeMarkup
		}
		return c != '<' && !space(c)
	case inName:
		return s.inName(text, i)
	case inElement:
		return s.inElement(text, i)
	}
	return false
}

func (s *elementScan) markup(c byte, i int) {
	switch c {
	case '?':
		s.skip("?>", i+1)
	case '!':
		s.state = inBang
	default:
		s.state, s.start = inName, i
	}
}

func (s *elementScan) skip(until string, i int) {
	s.state, s.start, s.until = inSkipped, i, until
}

func (s *elementScan) inName(text []byte, i int) (done bool) {
	if c := text[i]; c != '>' && c != '/' && !space(c) {
		return false
	}
	s.state = inElement
	s.found = local(text[s.start:i]) == errorElement
	return !s.found
}

func (s *elementScan) inElement(text []byte, i int) (done bool) {
	switch text[i] {
	case '<':
		s.start = i + 1
	case '>':
		name, ok := bytes.CutPrefix(text[s.start:i], []byte("/"))
		return ok && local(bytes.TrimSpace(name)) == errorElement
	}
	return false
}

// local returns a name without its prefix.
func local(name []byte) string {
	return string(name[bytes.IndexByte(name, ':')+1:])
}

// elements returns the members of the error in text, as far as it goes. They
// come out as JSON strings, but for the code.
func elements(text []byte) (o object) {
	d := xml.NewDecoder(bytes.NewReader(bytes.Map(readable, text)))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var value []byte
	for depth := 0; ; {
		token, err := d.RawToken()
		if err != nil {
			return o
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			value = nil
		case xml.CharData:
			value = append(value, t...)
		case xml.EndElement:
			if depth == 2 {
				o.set(memberOf([]byte(t.Name.Local)), bytes.TrimSpace(value))
			}
			depth--
		}
	}
}

// readable returns r, or the replacement character for what ends the look of
// package xml at a text: bytes of an old encoding, such as windows-1251, and
// control characters. The code may follow them.
func readable(r rune) rune {
	if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff' {
		return utf8.RuneError
	}
	return r
}

func (o *object) set(m member, value []byte) {
	if m != errorCode && len(value) > 0 {
		value, _ = json.Marshal(string(value))
	}
	o[m] = value
}

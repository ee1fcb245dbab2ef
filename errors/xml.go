package okerrors

// This file reads an error in XML. OK may send one if a call has neither the
// parameter format nor a header Accept that asks for JSON.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"unicode/utf8"
)

// errorElement is the root of an error in XML, in whatever namespace. OK's is
// http://api.forticom.com/1.0/.
const errorElement = "error_response"

// xmlMembers is the XML error parser. It returns the members of the error element
// at the beginning of in, as far as it can be read; nil if the root is another
// element.
func xmlMembers(in *bufio.Reader) members {
	d := xml.NewDecoder(&runeReader{Reader: in})
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	m := make(members)
	var value []byte // of the current element
	for depth := 0; ; {
		token, err := d.RawToken()
		if err != nil {
			return m
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 && t.Name.Local != errorElement {
				return nil
			}
			depth++
			value = nil
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return nil
			}
			value = append(value, t...)
		case xml.EndElement:
			if depth == 2 {
				m.setText(t.Name.Local, string(bytes.TrimSpace(value)))
			}
			if depth--; depth <= 0 {
				return m
			}
		case xml.Directive: // a web page begins with <!DOCTYPE html>
			return nil
		}
	}
}

// setText sets a member to the text of an element: to a JSON string, but for
// the code.
func (m members) setText(name, text string) {
	value := json.RawMessage(text)
	if name != "error_code" {
		value, _ = json.Marshal(text)
	}
	if isMember(name) && text != "" {
		m[name] = value
	}
}

// A runeReader reads what package xml accepts: a replacement character stands
// for each byte of an old encoding, such as windows-1251, and for each control
// character. The code may follow them. It reads no further than the decoder
// does, since it is an [io.ByteReader].
type runeReader struct {
	*bufio.Reader                   // the decoder does not call its Read
	buf           [utf8.UTFMax]byte // the UTF-8 of the current rune
	rest          []byte            // of buf, the bytes of the current rune that were not read yet
}

// ReadByte implements [io.ByteReader].
func (r *runeReader) ReadByte() (byte, error) {
	if len(r.rest) == 0 {
		c, _, err := r.ReadRune()
		if err != nil {
			return 0, err
		}
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == '\ufffe' || c == '\uffff' {
			c = utf8.RuneError
		}
		r.rest = utf8.AppendRune(r.buf[:0], c)
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c, nil
}

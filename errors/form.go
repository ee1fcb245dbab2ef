package okerrors

// This file decides from the first bytes of a body which parser reads it, if any.

import (
	"bytes"
	"strings"
)

// A form is what the beginning of a body shows.
type form uint8

const (
	unknownForm form = iota // too short to decide
	textForm                // neither an object nor an element
	foreignForm             // an object in JSON whose first key no error has
	jsonForm                // an object in JSON that may be an error
	xmlForm                 // an element in XML
)

const byteOrderMark = "\ufeff"

// formOf returns the form of a body that begins with text. It decodes nothing
// and allocates nothing: for nearly all successes it is the whole inspection.
func formOf(text []byte) form {
	if len(text) > 2 && text[0] == '{' && text[1] == '"' && strings.IndexByte(memberLetters, text[2]) < 0 {
		return foreignForm // nearly all successes
	}
	if len(text) > 0 && text[0] == byteOrderMark[0] {
		if bytes.HasPrefix([]byte(byteOrderMark), text) {
			return unknownForm
		}
		text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	}
	text = skipSpace(text)
	switch {
	case len(text) == 0:
		return unknownForm
	case text[0] == '<':
		return xmlForm
	case text[0] != '{':
		return textForm
	}
	text = skipSpace(text[1:])
	switch {
	case len(text) == 0:
		return unknownForm
	case text[0] != '"': // the end of the object, or no JSON
		return foreignForm
	}
	return formOfKey(text[1:])
}

// formOfKey returns the form of an object whose first key begins with text.
func formOfKey(text []byte) form {
	for _, prefix := range memberPrefixes {
		n := 0
		for n < len(prefix) && n < len(text) && text[n] == prefix[n] {
			n++
		}
		switch {
		case n == len(prefix):
			return jsonForm
		case n == len(text):
			return unknownForm
		case text[n] == '\\': // what follows may be escaped
			return jsonForm
		}
	}
	return foreignForm
}

// skipSpace returns text without the white space of JSON at its beginning.
func skipSpace(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t' || text[0] == '\r' || text[0] == '\n') {
		text = text[1:]
	}
	return text
}

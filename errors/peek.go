package okerrors

import "strings"

// peek looks at the text of an answer as it comes in, to learn whether it is
// an error, and what it says.
type peek struct {
	pos     int // of the first byte not looked at yet
	form    form
	object  objectScan
	element elementScan
}

// form is how the text of an answer is written.
type form uint8

const (
	unknownForm form = iota
	jsonForm
	xmlForm
)

const byteOrderMark = "\ufeff"

// isObvious reports whether text begins an answer that is no error: anything but
// an object or an element, or an object whose first key begins with a letter
// that no key of an error begins with. See memberOf for those.
func isObvious(text []byte) bool {
	if len(text) < 3 {
		return false
	}
	switch text[0] {
	case '{':
		return text[1] == '"' && !beginsMember(text[2])
	case '<', byteOrderMark[0]:
		return false
	}
	return !space(text[0])
}

func beginsMember(c byte) bool {
	switch c {
	case 'e', 'c', 'v', 's', '\\', '"':
		return true
	}
	return false
}

// look looks at what is new in text, which begins with all that look was given
// before. It returns true if the rest does not matter.
func (p *peek) look(text []byte) (done bool) {
	for ; p.pos < len(text); p.pos++ {
		if p.step(text) {
			return true
		}
	}
	return false
}

func (p *peek) step(text []byte) (done bool) {
	switch p.form {
	case jsonForm:
		return p.object.step(text, p.pos)
	case xmlForm:
		return p.element.step(text, p.pos)
	}
	return p.begin(text)
}

// begin decides by the first byte: an error is an object or an element.
func (p *peek) begin(text []byte) (done bool) {
	switch c := text[p.pos]; c {
	case '{':
		p.form = jsonForm
	case '<':
		p.form = xmlForm
	default:
		return !space(c) && !strings.HasPrefix(byteOrderMark, string(text[:p.pos+1]))
	}
	return false
}

// found reports whether what was looked at is an error, by its form at least: an
// element may still lack a code.
func (p *peek) found() bool { return p.object.found || p.element.found }

// members returns what text, the one looked at, says of an error. It takes
// nothing from beyond the byte that ended the look, lest the result depend on
// how the text came in.
func (p *peek) members(text []byte) (o object) {
	switch {
	case p.form == jsonForm:
		return p.object.members(text)
	case p.element.found:
		return elements(text[:min(p.pos+1, len(text))])
	}
	return o
}

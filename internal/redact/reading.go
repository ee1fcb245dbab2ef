package redact

// This file decodes escapes.

import (
	"strings"
	"unicode/utf8"
)

// A reading is the character that a text has at one position for a reader who
// decodes every escape: percent-encoding, escapes of JSON and Go strings, and
// HTML entities, of each other, however often.
//
// There is a reading for each position of the text, also for those within an
// escape. A secret is therefore found wherever it begins: in "50%abc", which
// begins with "50" and the byte 0xAB, the reading of position 3 is 'a'.
type reading struct {
	char uint32 // the bytes of the character, the last one lowest; or none
	end  int32  // where the next reading begins
}

// none is the char of the end of a text.
const none = ^uint32(0)

const (
	leads = `%\&` // begin an escape

	// escapeBytes are all bytes that an escape consists of.
	escapeBytes = leads + "#;0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

	// maxDepth bounds how often one position is decoded. A server that echoes
	// what it was sent escapes two or three times.
	maxDepth = 16

	// maxEntity is the length of the longest entity that is decoded, without &.
	maxEntity = len("#x0010FFFF;")
)

// readings are those of one text, with one more for its end.
type readings []reading

// plain returns the readings of text for a reader who decodes nothing.
func plain(text string) readings {
	r := make(readings, len(text)+1)
	for i := range len(text) {
		r[i] = reading{uint32(text[i]), int32(i + 1)}
	}
	r[len(text)] = reading{none, int32(len(text))}
	return r
}

// decoded returns the readings of text for a reader who decodes every escape.
//
// It goes from the end to the beginning. All that follows a position is then
// decoded already, and one escape at this position is left to decode, or
// several if each decodes to the beginning of the next: %2525 is %25, then %.
func decoded(text string) readings { return decode(text, nil) }

// decode is decoded. If cutOff is not nil, it is set for each position at which
// more text could change the reading, which is none there: what an escape before
// it decodes to could change as well.
func decode(text string, cutOff []bool) readings {
	r := plain(text)
	for i := len(text) - 1; i >= 0; i-- {
		for depth := 0; depth < maxDepth && isLead(r[i].char); depth++ {
			next, ok, short := r.escape(r[i])
			if short && cutOff != nil {
				cutOff[i], r[i] = true, r[len(text)]
				break
			}
			if !ok {
				break
			}
			r[i] = next
		}
	}
	return r
}

// isLead reports whether char is one of leads.
func isLead(char uint32) bool { return char == '%' || char == '\\' || char == '&' }

// escape returns the reading of the escape that begins with the lead at, and
// whether there is one. short reports whether the text ends where an escape could
// still go on.
func (r readings) escape(at reading) (next reading, ok, short bool) {
	switch at.char {
	case '%':
		return r.hex(at.end, 2, false)
	case '\\':
		return r.backslash(at.end)
	}
	return r.entity(at.end)
}

// hex decodes n hexadecimal digits, to a rune or else to a byte.
func (r readings) hex(i int32, n int, isRune bool) (next reading, ok, short bool) {
	value := uint32(0)
	for range n {
		digit, ok := hexDigit(r[i].char)
		if !ok {
			return reading{}, false, r[i].char == none
		}
		value = value<<4 | digit
		i = r[i].end
	}
	if isRune {
		return r.pair(reading{packed(value), i}, value)
	}
	return reading{value, i}, true, false
}

// backslash decodes what follows a backslash. Backslashes themselves have no
// reading, because their number doubles with each escaping. A backslash before
// a letter is therefore read like one of a control character, see fold.
func (r readings) backslash(i int32) (next reading, ok, short bool) {
	// The characters at i are readings themselves, so a backslash that was escaped
	// once more is decoded in the same pass.
	at := r[i]
	switch at.char {
	case none:
		return at, true, true
	case 'u':
		next, ok, short = r.hex(at.end, 4, true)
	case 'U':
		next, ok, short = r.hex(at.end, 8, true)
	case 'x':
		next, ok, short = r.hex(at.end, 2, false)
	}
	if ok {
		return next, true, short
	}
	if i := strings.IndexByte(controlLetters, byte(at.char)); i >= 0 && at.char < utf8.RuneSelf {
		return reading{uint32(controls[i]), at.end}, true, false
	}
	return at, true, short
}

// controls are the characters that a backslash and a letter stand for.
const controls, controlLetters = "\a\b\f\n\r\t\v", "abfnrtv"

// Surrogates are how JSON spells characters beyond U+FFFF: in pairs.
const (
	highSurrogate = 0xD800
	lowSurrogate  = 0xDC00
	endSurrogate  = 0xE000
)

// pair joins a high surrogate with the low one that follows it.
func (r readings) pair(first reading, value uint32) (next reading, ok, short bool) {
	if value < highSurrogate || value >= lowSurrogate {
		return first, true, false
	}
	if second := r[first.end]; second.size() == 3 {
		if low := unpacked(second.char); low >= lowSurrogate && low < endSurrogate {
			return reading{packed(0x10000 + (value-highSurrogate)<<10 + low - lowSurrogate), second.end}, true, false
		}
	}
	return first, true, int(first.end)+len(`\uDC00`) >= len(r)
}

// packed returns the UTF-8 bytes of a rune, also of a surrogate.
func packed(value uint32) uint32 {
	if value >= highSurrogate && value < endSurrogate {
		return 0xE08080 | value>>12<<16 | value>>6&0x3F<<8 | value&0x3F
	}
	var b [utf8.UTFMax]byte
	char := uint32(0)
	for _, c := range utf8.AppendRune(b[:0], rune(value)) {
		char = char<<8 | uint32(c)
	}
	return char
}

// unpacked returns the rune of three packed bytes.
func unpacked(char uint32) uint32 { return char>>16&0xF<<12 | char>>8&0x3F<<6 | char&0x3F }

// entities are the named ones that HTML and XML need to escape text.
var entities = map[string]uint32{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// entity decodes what follows an ampersand.
func (r readings) entity(i int32) (next reading, ok, short bool) {
	var name [maxEntity]byte
	for n := range name {
		at := r[i]
		i = at.end
		switch {
		case at.char == none:
			return reading{}, false, true
		case at.char == ';':
			char, ok := character(string(name[:n]))
			return reading{char, i}, ok, false
		case at.char != '#' && !isWord(at.char):
			return reading{}, false, false
		}
		// Names of entities are case-sensitive in XML and not in what browsers
		// accept: the lenient way finds more.
		name[n] = byte(at.char) | 0x20 // lower case
	}
	return reading{}, false, false
}

// character returns what an entity of this name stands for.
func character(name string) (char uint32, ok bool) {
	number, ok := strings.CutPrefix(name, "#")
	if !ok {
		char, ok = entities[name]
		return char, ok
	}
	base := uint32(10)
	digits, isHex := strings.CutPrefix(number, "x")
	if isHex {
		base = 16
	}
	value := uint32(0)
	for _, c := range []byte(digits) {
		digit, ok := hexDigit(uint32(c))
		if !ok || digit >= base {
			return 0, false
		}
		value = min(value*base+digit, utf8.MaxRune+1) // no overflow
	}
	return packed(value), digits != ""
}

// hexDigit returns the value of a hexadecimal digit, in upper or lower case.
func hexDigit(char uint32) (digit uint32, ok bool) {
	switch {
	case '0' <= char && char <= '9':
		return char - '0', true
	case 'a' <= char|0x20 && char|0x20 <= 'f':
		return char | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// isWord reports whether char is a letter or digit of ASCII, or an underscore.
func isWord(char uint32) bool {
	return '0' <= char && char <= '9' || 'a' <= char|0x20 && char|0x20 <= 'z' || char == '_'
}

// bytes calls yield with the bytes of the character, the last one first.
func (r reading) bytes(yield func(byte) bool) {
	for char := r.char; yield(byte(char)) && char > 0xFF; {
		char >>= 8
	}
}

// size returns the number of bytes of the character.
func (r reading) size() int32 {
	switch {
	case r.char > 0xFFFFFF:
		return 4
	case r.char > 0xFFFF:
		return 3
	case r.char > 0xFF:
		return 2
	}
	return 1
}

// text returns what is read from the beginning to the end of a text, and where
// each byte of it stands in the text; one more position is the end.
func (r readings) text() ([]byte, []int32) {
	text, at := make([]byte, 0, len(r)), make([]int32, 0, len(r))
	for i := int32(0); r[i].char != none; i = r[i].end {
		for shift := 8 * (r[i].size() - 1); shift >= 0; shift -= 8 {
			text, at = append(text, byte(r[i].char>>shift)), append(at, i)
		}
	}
	return text, append(at, int32(len(r)-1))
}

package param

import (
	"encoding/binary"
	"math/bits"
)

// Kinds of bytes in a query, from harmless to wrong.
const (
	plain   = iota
	equals  // =
	escape  // % and +: the text is not what it means
	illegal // must be escaped before it travels
	wrong   // ; which servers disagree about
	ampersand
)

var kinds = func() (k [256]uint8) {
	for c := range k {
		if c <= ' ' || c >= 0x7f || c == '#' || c == '"' || c == '<' || c == '>' {
			k[c] = illegal
		}
	}
	k['='], k['%'], k['+'], k[';'], k['&'] = equals, escape, escape, wrong, ampersand
	return k
}()

// scan finds the end of the first pair of text, its first equals sign (-1:
// none) and the worst kind of byte in it.
func scan(text []byte) (end, eq int, worst uint8) {
	eq = -1
	for end = skipPlain(text, 0); end < len(text); end = skipPlain(text, end+1) {
		kind := kinds[text[end]]
		if kind == ampersand {
			break
		}
		if kind == equals && eq < 0 {
			eq = end
		}
		worst = max(worst, kind)
	}
	return end, eq, worst
}

// skipPlain returns the index of a byte of text, i or later, before which
// there are only plain ones. It looks at eight at a time, by arithmetic: that
// takes half the time of looking each up, and most of what queries are is
// letters and digits. Below comma and around the equals sign a plain byte may
// be taken for another, which costs a look at kinds.
func skipPlain(text []byte, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		low := x &^ high
		fromComma, from7F := low+(0x80-',')*ones, low+(0x80-0x7f)*ones
		from3B, from3F := low+(0x80-';')*ones, low+(0x80-'?')*ones
		if odd := (x | ^fromComma | from3B&^from3F | from7F) & high; odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for i < len(text) && kinds[text[i]] == plain {
		i++
	}
	return i
}

// appendDecoded appends the meaning of an escaped value that is known to be
// well formed.
func appendDecoded(dst, value []byte) []byte {
	for i := 0; i < len(value); i++ {
		switch c := value[i]; c {
		case '+':
			dst = append(dst, ' ')
		case '%':
			dst = append(dst, unhex(value[i+1])<<4|unhex(value[i+2]))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

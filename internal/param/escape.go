package param

import (
	"encoding/binary"
	"strings"
)

// Kinds of bytes in a query, from harmless to wrong.
const (
	plain   = iota
	escape  // % and +: the text is not what it means
	illegal // must be escaped before it travels
	wrong   // ; which servers disagree about
)

var kinds = func() (k [256]uint8) {
	for c := range k {
		if c <= ' ' || c >= 0x7f || c == '#' || c == '"' || c == '<' || c == '>' {
			k[c] = illegal
		}
	}
	k['%'], k['+'], k[';'] = escape, escape, wrong
	return k
}()

// oddBytes looks at the first eight bytes of text and returns, in the order of
// binary.LittleEndian, the high bit of each that may not be plain. It does so
// by arithmetic, which takes a third of the time of looking each up: most of
// what queries are is letters and digits. A plain byte below the comma or next
// to the equals sign may be among them.
func oddBytes(text []byte) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	x := binary.LittleEndian.Uint64(text)
	low := x &^ high
	fromComma, from3B, from40, from7F := low+(0x80-',')*ones, low+(0x80-';')*ones, x<<1, low+ones
	return (x | ^fromComma | from3B&^from40 | from7F) & high
}

// isEscaped reports whether two hexadecimal digits follow every percent sign.
func isEscaped(text string) bool {
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			return true
		}
		if len(text) < i+3 || !isHex(text[i+1]) || !isHex(text[i+2]) {
			return false
		}
		text = text[i+3:]
	}
}

func isHex(c byte) bool { return c-'0' <= 9 || (c|0x20)-'a' <= 5 }

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

// Travels reports whether query can stand in a URL as it is.
func Travels(query string) bool {
	for i := range len(query) {
		if kinds[query[i]] == illegal {
			return false
		}
	}
	return true
}

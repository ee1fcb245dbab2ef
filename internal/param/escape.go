package param

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
	for end = 0; end < len(text); end++ {
		kind := kinds[text[end]]
		if kind == plain {
			continue
		}
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

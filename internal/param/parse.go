package param

// This file parses a query or a form. It is stricter than net/url: what that drops
// silently would be missing from the signature.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net/url"
	"strings"
)

// tail follows every text: a separator, and enough bytes that eight can be loaded
// from every position of the text.
const tail = "&......."

// Parse appends the parameters in text, which is a query or a form. What net/url
// would silently drop or keep only in part is an error here: a call that loses a
// parameter has a wrong signature at best.
//
// Parse goes through text by words of eight bytes and stops only at the bytes that
// oddBytes reports: separators, equals signs, escapes. That takes 40 % less time
// than to look up the kind of each byte.
func (l *List) Parse(text string, form bool) error {
	if text == "" {
		return nil
	}
	base, end := len(l.text), len(l.text)+len(text)
	l.text = append(append(l.text, text...), tail...)
	all := l.text
	start, eq, worst := base, -1, uint8(plain) // of the pair that i is in
	for word := base; word <= end; word += 8 {
		for odd := oddBytes(all[word : word+8]); odd != 0; odd &= odd - 1 {
			i := word + bits.TrailingZeros64(odd)/8
			switch c := all[i]; {
			case c == '=':
				if eq < 0 {
					eq = i
				}
				continue
			// The worst byte of a pair decides how it is added. Plain bytes among
			// them, which oddBytes reports by mistake, have the kind plain and change
			// nothing.
			case c != '&':
				worst = max(worst, kinds[c])
				continue
			// An empty pair, as in a&&b: net/url skips it as well.
			case start == i:
			case worst == plain && eq >= 0:
				p := l.add(all[start:eq:len(all)])
				p.start, p.end, p.split = uint32(start), uint32(i), uint32(eq)
				p.plain, p.form = true, form
			default:
				if err := l.addOdd(text[start-base:i-base], worst, form); err != nil {
					return err
				}
			}
			start, eq, worst = i+1, -1, plain
		}
	}
	return nil
}

// add adds a pair whose decoded key is key, which has at least eight bytes of
// capacity.
func (l *List) add(key []byte) *pair {
	l.pairs = append(l.pairs, pair{})
	p := &l.pairs[len(l.pairs)-1]
	p.prefix = prefix(key)
	p.name = nameOf(key)
	l.names |= p.name
	return p
}

// prefix returns the first 8 bytes of key, zeroes after them if there are
// fewer. The bytes behind a short key are loaded along and masked out, which
// takes a tenth of a copy's time.
func prefix(key []byte) uint64 {
	return binary.BigEndian.Uint64(key[:8]) &^ (math.MaxUint64 >> (8 * uint(len(key))))
}

var errSemicolon = errors.New("a semicolon in a query or a form means different things to different servers; write it as %3B")

// addOdd adds a parameter that has an escape or a byte that must be escaped, or
// no value. It appends the decoded key to l.text, and then the parameter as it is
// sent.
func (l *List) addOdd(text string, worst uint8, form bool) error {
	if worst == wrong {
		return errSemicolon
	}
	name, value, hasValue := strings.Cut(text, "=")
	key, err := url.QueryUnescape(name)
	if err != nil {
		return errors.New("a parameter's name has a bad percent-escape; escape it with url.QueryEscape")
	}
	if !isEscaped(value) {
		return fmt.Errorf("parameter %q has a bad percent-escape; escape its value with url.QueryEscape", key)
	}
	switch {
	// net/http would send such a byte, or reject the URL. It is escaped, so that
	// what is sent is what is signed.
	case worst == illegal:
		plain, _ := url.QueryUnescape(value) // it can: see above
		text = url.QueryEscape(key) + "=" + url.QueryEscape(plain)
	case !hasValue:
		text += "="
	}
	split := len(l.text)
	l.text = append(append(append(l.text, key...), text...), tail...)
	start := split + len(key)
	p := l.add(l.text[split:start])
	p.start, p.end, p.split = uint32(start), uint32(start+len(text)), uint32(split)
	p.form = form
	return nil
}

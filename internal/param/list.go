package param

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net/url"
	"slices"
)

// A List is the parameters of one call, in memory that can be used again. It
// holds all text in one piece and pairs as offsets into it, without pointers:
// moving them about while sorting is most of what a List does.
type List struct {
	text  []byte
	pairs []pair
	fixed []pair // whose text Reset keeps
	keep  int    // how much text that is
}

// pair is one parameter.
type pair struct {
	prefix         uint64 // the first bytes of the decoded key: most comparisons end here
	start, eq, end uint32 // where key=value is, as it travels; an ampersand follows
	key            uint32 // where the decoded key begins: before start, unless plain

	plain, form, out bool // nothing in it is escaped; it belongs to the form; it is taken out
}

// Fix makes the parameters of l those that AddFixed adds, by their index, each
// time for nearly nothing. Reset empties l and leaves them.
func (l *List) Fix() {
	l.fixed, l.pairs, l.keep = l.pairs, nil, len(l.text)
}

// Reset empties l and keeps its memory.
func (l *List) Reset() { l.text, l.pairs = l.text[:l.keep], l.pairs[:0] }

// Size returns how much memory l holds, in bytes.
func (l *List) Size() int { return cap(l.text) + 32*cap(l.pairs) }

// Len returns the number of parameters.
func (l *List) Len() int { return len(l.pairs) }

// Key returns the decoded name of parameter i. It is valid until l changes.
func (l *List) Key(i int) []byte { return l.key(&l.pairs[i]) }

func (l *List) key(p *pair) []byte {
	if p.plain {
		return l.text[p.start:p.eq]
	}
	return l.text[p.key:p.start]
}

// Name tells which of the names that matter parameter i has.
func (l *List) Name(i int) Name {
	p := &l.pairs[i]
	return nameOf(p.prefix, l.key(p))
}

// Value returns the decoded value of parameter i. It is valid until Reset.
func (l *List) Value(i int) []byte {
	p := &l.pairs[i]
	value := l.text[p.eq+1 : p.end]
	if p.plain {
		return value
	}
	return appendDecoded(nil, value)
}

// InForm tells whether parameter i belongs to the form.
func (l *List) InForm(i int) bool { return l.pairs[i].form }

// Drop marks parameter i for Compact.
func (l *List) Drop(i int) { l.pairs[i].out = true }

// Compact takes out what was dropped.
func (l *List) Compact() {
	l.pairs = slices.DeleteFunc(l.pairs, func(p pair) bool { return p.out })
}

// AppendSigned appends every key=value the way a signature covers it: decoded,
// without separators, and without the parameter resig.
func (l *List) AppendSigned(dst []byte) []byte {
	for i := range l.pairs {
		p := &l.pairs[i]
		switch {
		case p.prefix == resigPrefix && string(l.key(p)) == Resig:
		case p.plain:
			dst = append(dst, l.text[p.start:p.end]...)
		default:
			dst = append(append(dst, l.key(p)...), '=')
			dst = appendDecoded(dst, l.text[p.eq+1:p.end])
		}
	}
	return dst
}

// AppendText appends the parameters of the form or of the query as they travel,
// an ampersand after each.
func (l *List) AppendText(dst []byte, form bool) []byte {
	for i := range l.pairs {
		if p := &l.pairs[i]; p.form == form {
			dst = append(dst, l.text[p.start:p.end+1]...)
		}
	}
	return dst
}

// Parse appends the parameters in text, which is a query or a form. What
// net/url would silently drop or keep only in part is an error here: a call
// that loses a parameter has a wrong signature at best.
func (l *List) Parse(text string, form bool) error {
	if text == "" {
		return nil
	}
	word, start, end := len(l.text), len(l.text), len(l.text)+len(text)
	l.text = append(append(l.text, text...), "&......."...) // so that the last word is whole, and the last pair ends
	eq, worst := -1, uint8(plain)
	for ; word <= end; word += 8 {
		for odd := oddBytes(l.text[word:]); odd != 0; odd &= odd - 1 {
			i := word + bits.TrailingZeros64(odd)/8
			kind := kinds[l.text[i]]
			if kind != ampersand {
				if kind == equals && eq < 0 {
					eq = i
				}
				worst = max(worst, kind)
				continue
			}
			switch {
			case i == start:
			case worst < escape && eq >= 0:
				l.addPlain(start, eq, i, form)
			default:
				if err := l.addOdd(l.text[start:i], eq, worst, form); err != nil {
					return err
				}
			}
			start, eq, worst = i+1, -1, plain
		}
	}
	return nil
}

var errSemicolon = errors.New("a semicolon in a query or a form means different things to different servers; write it as %3B")

// addPlain adds the pair from start to end, in which nothing is escaped.
func (l *List) addPlain(start, eq, end int, form bool) {
	l.pairs = append(l.pairs, pair{
		prefix: prefix(l.text[start:], eq-start),
		start:  uint32(start), eq: uint32(eq), end: uint32(end), plain: true, form: form,
	})
}

// addOdd adds a pair that does not mean what it says, or has no value.
func (l *List) addOdd(text []byte, eq int, worst uint8, form bool) error {
	if worst == wrong {
		return errSemicolon
	}
	name, rest, _ := bytes.Cut(text, []byte("="))
	key, err := url.QueryUnescape(string(name))
	if err != nil {
		return errors.New("a parameter's name has a bad percent-escape; escape it with url.QueryEscape")
	}
	value, err := url.QueryUnescape(string(rest))
	if err != nil {
		return fmt.Errorf("parameter %q has a bad percent-escape; escape its value with url.QueryEscape", key)
	}
	asSent := string(text)
	switch {
	case worst == illegal:
		asSent = url.QueryEscape(key) + "=" + url.QueryEscape(value)
	case eq < 0:
		asSent += "="
	}
	l.AddText(key, asSent, form)
	return nil
}

// AddFixed adds the parameter that had index i when l was fixed.
func (l *List) AddFixed(i int, form bool) {
	l.pairs = append(l.pairs, l.fixed[i])
	l.pairs[len(l.pairs)-1].form = form
}

// AddText adds a parameter that travels as text, which is key=value, escaped.
func (l *List) AddText(key, text string, form bool) {
	k := len(l.text)
	l.text = append(l.text, key...)
	s := len(l.text)
	l.text = append(l.text, text...)
	eq, end := s+bytes.IndexByte(l.text[s:], '='), len(l.text)
	l.text = append(l.text, '&')
	l.pairs = append(l.pairs, pair{
		prefix: prefix(l.text[k:], len(key)),
		key:    uint32(k), start: uint32(s), eq: uint32(eq), end: uint32(end), form: form,
	})
}

// Sort sorts by key, in the order of bytes, and reports a key that occurs
// more than once.
func (l *List) Sort() error {
	if len(l.pairs) <= 16 {
		l.insertionSort()
	} else {
		slices.SortFunc(l.pairs, func(a, b pair) int { return l.compare(&a, &b) })
	}
	for i := 1; i < len(l.pairs); i++ {
		if l.pairs[i-1].prefix == l.pairs[i].prefix && l.compare(&l.pairs[i-1], &l.pairs[i]) == 0 {
			return fmt.Errorf("parameter %q is there twice; send a list as one value joined by commas", l.Key(i))
		}
	}
	return nil
}

// insertionSort does in a third of the time what slices.SortFunc does for the
// usual five to ten parameters: prefixes are compared without a call.
func (l *List) insertionSort() {
	pairs := l.pairs
	for i := 1; i < len(pairs); i++ {
		p := pairs[i]
		j := i
		for ; j > 0 && p.prefix <= pairs[j-1].prefix; j-- {
			if p.prefix == pairs[j-1].prefix && l.compare(&p, &pairs[j-1]) >= 0 {
				break
			}
			pairs[j] = pairs[j-1]
		}
		pairs[j] = p
	}
}

func (l *List) compare(a, b *pair) int {
	switch {
	case a.prefix < b.prefix:
		return -1
	case a.prefix > b.prefix:
		return 1
	}
	return bytes.Compare(l.key(a), l.key(b))
}

// prefix returns the first 8 of the n bytes that are the key at the beginning
// of text, zeroes after them if there are fewer. The bytes behind a short key
// are loaded along and masked out, which takes a tenth of a copy's time.
func prefix(text []byte, n int) uint64 {
	if len(text) >= 8 {
		return binary.BigEndian.Uint64(text) &^ (math.MaxUint64 >> (8 * n))
	}
	var b [8]byte
	copy(b[:], text[:n])
	return binary.BigEndian.Uint64(b[:])
}

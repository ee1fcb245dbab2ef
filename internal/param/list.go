package param

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net/url"
	"slices"
)

// A List is the parameters of one call, in memory that can be used again. It
// holds all text in one piece and pairs as offsets into it.
type List struct {
	text  []byte
	pairs []pair
	fixed []pair // whose text Reset keeps

	order   []uint32 // of pairs, once sorted
	dropped bool     // some of pairs are not in order
	keep    int      // how much text that is
	names   Names    // of all that was parsed since
}

// pair is one parameter. Pairs are written and read field by field and never
// moved: a copy of what was just written in smaller parts has to wait for it.
type pair struct {
	prefix     uint64 // the first bytes of the decoded key: most comparisons end here
	start, end uint32 // where key=value is, as it travels; an ampersand follows
	split      uint32 // if plain, where the equals sign is; else where the decoded key is, which ends at start

	name             Names // which of them the key is, if any
	plain, form, out bool  // nothing in it is escaped; it belongs to the form; it is taken out
}

// tail follows every pair: a separator, and enough that the eight bytes from
// any place on can be loaded.
const tail = "&......."

// Fix makes the parameters of l those that AddFixed adds, by their index, each
// time for nearly nothing. Reset empties l and leaves them.
func (l *List) Fix() { l.fixed, l.pairs, l.keep = l.pairs, nil, len(l.text) }

// Reset empties l and keeps its memory.
func (l *List) Reset() {
	l.text, l.pairs, l.names = l.text[:l.keep], l.pairs[:0], 0
	if l.dropped {
		l.order, l.dropped = l.order[:0], false
	}
}

// Size returns how much memory l holds, in bytes.
func (l *List) Size() int { return cap(l.text) + 28*cap(l.pairs) }

// Len returns the number of parameters.
func (l *List) Len() int { return len(l.pairs) }

// Names returns the names that occurred in what was parsed.
func (l *List) Names() Names { return l.names }

// Find returns the first parameter that has one of names, or -1.
func (l *List) Find(names Names) int {
	for i := range l.pairs {
		if l.pairs[i].name&names != 0 {
			return i
		}
	}
	return -1
}

// Name returns which of the names parameter i has, if any.
func (l *List) Name(i int) Names { return l.pairs[i].name }

// Key returns the decoded name of parameter i. It is valid until l changes.
func (l *List) Key(i int) []byte { return l.key(&l.pairs[i]) }

func (l *List) key(p *pair) []byte {
	if p.plain {
		return l.text[p.start:p.split]
	}
	return l.text[p.split:p.start]
}

// Value returns the decoded value of parameter i. It is valid until Reset.
func (l *List) Value(i int) []byte {
	p := &l.pairs[i]
	if p.plain {
		return l.text[p.split+1 : p.end]
	}
	return l.appendValue(nil, p)
}

func (l *List) appendValue(dst []byte, p *pair) []byte {
	_, value, _ := bytes.Cut(l.text[p.start:p.end], []byte("="))
	return appendDecoded(dst, value)
}

// InForm tells whether parameter i belongs to the form.
func (l *List) InForm(i int) bool { return l.pairs[i].form }

// Drop takes parameter i out of what is sorted and appended.
func (l *List) Drop(i int) { l.pairs[i].out, l.dropped = true, true }

// AppendSigned appends, once sorted, every key=value the way a signature covers it: decoded,
// without separators, and without the parameter resig.
func (l *List) AppendSigned(dst []byte) []byte {
	for _, i := range l.order {
		p := &l.pairs[i]
		switch {
		case p.name == IsResig:
		case p.plain:
			dst = append(dst, l.text[p.start:p.end]...)
		default:
			dst = l.appendValue(append(append(dst, l.key(p)...), '='), p)
		}
	}
	return dst
}

// AppendText appends, once sorted, the parameters of the form or of the query
// as they travel, an ampersand after each.
func (l *List) AppendText(dst []byte, form bool) []byte {
	for _, i := range l.order {
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
	start, end := len(l.text), len(l.text)+len(text)
	l.text = append(append(l.text, text...), tail...)
	all := l.text
	eq, worst := -1, uint8(plain)
	for word := start; word <= end; word += 8 {
		for odd := oddBytes(all[word : word+8]); odd != 0; odd &= odd - 1 {
			i := word + bits.TrailingZeros64(odd)/8
			c := all[i]
			if c == '=' {
				if eq < 0 {
					eq = i
				}
				continue
			}
			if c != '&' {
				worst = max(worst, kinds[c])
				continue
			}
			switch {
			case start == i:
			case worst == plain && eq >= 0:
				l.pairs = append(l.pairs, pair{})
				p := &l.pairs[len(l.pairs)-1]
				p.prefix = prefix(all[start:eq:len(all)])
				p.start, p.end, p.split = uint32(start), uint32(i), uint32(eq)
				p.plain, p.form = true, form
				if mayBeNamed(p.prefix) {
					p.name = nameOf(p.prefix, all[start:eq])
					l.names |= p.name
				}
			default:
				if err := l.addOdd(all[start:i], eq, worst, form); err != nil {
					return err
				}
			}
			start, eq, worst = i+1, -1, plain
		}
	}
	return nil
}

func mayBeNamed(prefix uint64) bool {
	const initials = 1<<('a'&31) | 1<<('c'&31) | 1<<('f'&31) | 1<<('m'&31) | 1<<('r'&31) | 1<<('s'&31)
	return initials>>(prefix>>56&31)&1 != 0
}

// add adds a pair whose decoded key is key, which has at least eight bytes of
// capacity.
func (l *List) add(key []byte) *pair {
	l.pairs = append(l.pairs, pair{})
	p := &l.pairs[len(l.pairs)-1]
	p.prefix = prefix(key)
	p.name = nameOf(p.prefix, key)
	l.names |= p.name
	return p
}

var errSemicolon = errors.New("a semicolon in a query or a form means different things to different servers; write it as %3B")

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
	split := len(l.text)
	l.text = append(append(append(l.text, key...), asSent...), tail...)
	start := split + len(key)
	p := l.add(l.text[split:start])
	p.start, p.end, p.split = uint32(start), uint32(start+len(asSent)), uint32(split)
	p.form = form
	return nil
}

// AddFixed adds the parameter that had index i when l was fixed.
func (l *List) AddFixed(i int, form bool) {
	l.pairs = append(l.pairs, l.fixed[i])
	l.pairs[len(l.pairs)-1].form = form
}

// Sort sorts by key, in the order of bytes. It returns a parameter whose key
// occurs again, or -1, the list then being sorted.
//
// It begins with the order of what l held before, since a program tends to make
// the same calls again and again: their parameters are then in order already.
func (l *List) Sort() (twice int) {
	if l.dropped || len(l.order) != len(l.pairs) {
		l.number()
	}
	if len(l.order) > 16 {
		slices.SortFunc(l.order, func(i, j uint32) int { return l.compare(&l.pairs[i], &l.pairs[j]) })
	}
	twice = l.insertionSort()
	if twice >= 0 {
		l.order = l.order[:0] // an insertion is half done
	}
	return twice
}

// number makes order that in which the parameters came.
func (l *List) number() {
	l.order = l.order[:0]
	for i := range l.pairs {
		if !l.pairs[i].out {
			l.order = append(l.order, uint32(i))
		}
	}
}

// insertionSort sorts in a third of the time that slices.SortFunc takes for the
// usual five to ten parameters: prefixes are compared without a call. It ends
// at a key that occurs again.
func (l *List) insertionSort() (twice int) {
	order, pairs := l.order, l.pairs
	for n := 1; n < len(order); n++ {
		i := order[n]
		at := n
		for ; at > 0; at-- {
			p, before := &pairs[i], &pairs[order[at-1]]
			if p.prefix > before.prefix {
				break
			}
			if p.prefix == before.prefix {
				c := bytes.Compare(l.key(p), l.key(before))
				if c == 0 {
					return int(i)
				}
				if c > 0 {
					break
				}
			}
			order[at] = order[at-1]
		}
		order[at] = i
	}
	return -1
}

func (l *List) compare(a, b *pair) int {
	if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
		return c
	}
	return bytes.Compare(l.key(a), l.key(b))
}

// prefix returns the first 8 bytes of key, zeroes after them if there are
// fewer. The bytes behind a short key are loaded along and masked out, which
// takes a tenth of a copy's time.
func prefix(key []byte) uint64 {
	return binary.BigEndian.Uint64(key[:8]) &^ (math.MaxUint64 >> (8 * uint(len(key))))
}

package param

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A Pair is one parameter of a query or a form.
type Pair struct {
	prefix uint64 // the first bytes of Key: most comparisons end here
	Key    string // decoded
	Text   string // key=value as it travels
	Plain  bool   // Text is what it means: nothing in it is escaped
	Form   bool   // it stood in the form
}

// NewPair returns the pair of a key and a value that are not escaped yet.
func NewPair(key, value string) Pair {
	p := Pair{Key: key, Text: url.QueryEscape(key) + "=" + url.QueryEscape(value)}
	p.Plain = p.Text == key+"="+value
	p.prefix = prefix(key)
	return p
}

// Value returns the decoded value.
func (p Pair) Value() string {
	_, value, _ := strings.Cut(p.Text, "=")
	if p.Plain {
		return value
	}
	return string(appendDecoded(nil, value))
}

// AppendSigned appends key=value the way a signature covers it: decoded.
func (p *Pair) AppendSigned(dst []byte) []byte {
	if p.Plain {
		return append(dst, p.Text...)
	}
	_, value, _ := strings.Cut(p.Text, "=")
	dst = append(append(dst, p.Key...), '=')
	return appendDecoded(dst, value)
}

// A List collects the parameters of one call.
type List []Pair

// Parse appends the parameters in text, which is a query or a form. What
// net/url would silently drop or keep only in part is an error here: a call
// that loses a parameter has a wrong signature at best.
func (l *List) Parse(text string, form bool) error {
	for text != "" {
		end, eq, odd := scan(text)
		pair := text[:end]
		if end < len(text) {
			end++
		}
		text = text[end:]
		if pair == "" {
			continue
		}
		p, err := parse(pair, eq, odd)
		if err != nil {
			return err
		}
		p.Form = form
		*l = append(*l, p)
	}
	return nil
}

// Sort sorts by key, in the order of bytes, and reports a key that occurs
// more than once.
func (l List) Sort() error {
	slices.SortFunc(l, compare)
	for i := 1; i < len(l); i++ {
		if l[i-1].prefix == l[i].prefix && l[i-1].Key == l[i].Key {
			return fmt.Errorf("parameter %q is there twice; send a list as one value joined by commas", l[i].Key)
		}
	}
	return nil
}

func compare(a, b Pair) int {
	switch {
	case a.prefix < b.prefix:
		return -1
	case a.prefix > b.prefix:
		return 1
	}
	return strings.Compare(a.Key, b.Key)
}

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
func scan(text string) (end, eq int, worst uint8) {
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

var errSemicolon = errors.New("a semicolon in a query or a form means different things to different servers; write it as %3B")

func parse(pair string, eq int, worst uint8) (Pair, error) {
	if eq < 0 {
		pair, eq = pair+"=", len(pair)
	}
	p := Pair{Key: pair[:eq], Text: pair, Plain: true}
	if worst >= escape {
		if worst == wrong {
			return Pair{}, errSemicolon
		}
		if err := p.decode(eq, worst); err != nil {
			return Pair{}, err
		}
	}
	p.prefix = prefix(p.Key)
	return p, nil
}

// decode completes a pair that is not plain.
func (p *Pair) decode(eq int, worst uint8) error {
	key, err := url.QueryUnescape(p.Key)
	if err != nil {
		return fmt.Errorf("a parameter's name has a bad percent-escape; escape it with url.QueryEscape")
	}
	value, err := url.QueryUnescape(p.Text[eq+1:])
	if err != nil {
		return fmt.Errorf("parameter %q has a bad percent-escape; escape its value with url.QueryEscape", key)
	}
	p.Key, p.Plain = key, false
	if worst == illegal {
		p.Text = url.QueryEscape(key) + "=" + url.QueryEscape(value)
	}
	return nil
}

func prefix(key string) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64([]byte(key[:8]))
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

// appendDecoded appends the meaning of an escaped value that is known to be
// well formed.
func appendDecoded(dst []byte, value string) []byte {
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

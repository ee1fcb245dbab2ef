package param

// This file has the list of parameters that Parse fills, Sort sorts, and the
// Append methods turn into the text to sign and the text to send.

import "bytes"

// A List is the parameters of one call, in memory that can be used again. It
// holds all text in one piece, and pairs as offsets into it.
type List struct {
	text  []byte // what was parsed, and the decoded keys of some pairs
	pairs []pair // in the order in which they were added
	names Names  // of all that was parsed

	order   []uint32 // indexes of pairs, once sorted
	dropped bool     // some of pairs are not in order

	fixed []pair // for AddFixed
	keep  int    // the length of their text in bytes
}

// A pair is one parameter, name and value. Sort moves indexes and no pairs,
// because to copy a pair right after it was written is slow.
type pair struct {
	prefix     uint64 // the first bytes of the decoded key: most comparisons end here
	start, end uint32 // where key=value is in text, as it is sent; an ampersand follows
	split      uint32 // if plain, where the equals sign is; else where the decoded key is, which ends at start

	name             Names // which of them the key is, if any
	plain, form, out bool  // nothing in it is escaped; it belongs to the form; it was dropped
}

// Fix makes the parameters of l those that AddFixed adds by their index. They are
// parsed once, and l is then empty. Reset keeps them.
func (l *List) Fix() {
	l.fixed, l.keep = l.pairs, len(l.text)
	l.pairs, l.names = nil, 0
}

// Reset empties l and keeps its memory, and also its order, for Sort to begin
// with.
func (l *List) Reset() {
	l.text, l.pairs, l.names = l.text[:l.keep], l.pairs[:0], 0
	if l.dropped {
		l.order, l.dropped = l.order[:0], false
	}
}

// Size returns how much memory l holds, in bytes.
func (l *List) Size() int {
	// The sizes of a pair and of an index, in bytes.
	const ofPair, ofIndex = 24, 4
	return cap(l.text) + ofPair*cap(l.pairs) + ofIndex*cap(l.order)
}

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

// key returns the decoded name of p, which is in l.text.
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

// appendValue appends the decoded value of p.
func (l *List) appendValue(dst []byte, p *pair) []byte {
	_, value, _ := bytes.Cut(l.text[p.start:p.end], []byte("="))
	return appendDecoded(dst, value)
}

// InForm reports whether parameter i belongs to the form.
func (l *List) InForm(i int) bool { return l.pairs[i].form }

// Drop leaves parameter i out of what is appended. It may still be found.
func (l *List) Drop(i int) { l.pairs[i].out, l.dropped = true, true }

// AppendSigned appends every key=value as it is signed: decoded, without
// separators, and without the parameters sig, resig and access_token. l must be
// sorted.
func (l *List) AppendSigned(dst []byte) []byte {
	for _, i := range l.order {
		p := &l.pairs[i]
		switch {
		case p.name&(IsSig|IsResig|IsAccessToken) != 0:
		case p.plain:
			dst = append(dst, l.text[p.start:p.end]...)
		default:
			dst = l.appendValue(append(append(dst, l.key(p)...), '='), p)
		}
	}
	return dst
}

// AppendText appends the parameters of the form or of the query as they are sent,
// an ampersand after each. l must be sorted.
func (l *List) AppendText(dst []byte, form bool) []byte {
	for _, i := range l.order {
		if p := &l.pairs[i]; p.form == form {
			dst = append(dst, l.text[p.start:p.end+1]...)
		}
	}
	return dst
}

// AddFixed adds the parameter that had index i when l was fixed.
func (l *List) AddFixed(i int, form bool) {
	l.pairs = append(l.pairs, l.fixed[i])
	l.pairs[len(l.pairs)-1].form = form
}

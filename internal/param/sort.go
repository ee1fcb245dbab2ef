package param

import (
	"bytes"
	"cmp"
	"slices"
)

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

package param

import (
	"bytes"
	"cmp"
	"slices"
)

// Sort sorts by key, in the order of bytes. If keys occur more than once, it
// returns a parameter with the least of them, else -1.
//
// It begins with the order of what l held before, since a program tends to make
// the same calls again and again: their parameters are then in order already.
func (l *List) Sort() (twice int) {
	if l.dropped || len(l.order) != len(l.pairs) {
		l.number()
	}
	if len(l.order) > 16 {
		slices.SortFunc(l.order, l.compare)
	}
	if l.insertionSort() {
		return -1
	}
	return l.leastTwice()
}

// leastTwice returns a parameter with the least key that occurs more than once.
func (l *List) leastTwice() int {
	l.number()
	slices.SortFunc(l.order, l.compare)
	i := 1
	for l.compare(l.order[i-1], l.order[i]) != 0 {
		i++
	}
	return int(l.order[i])
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
// usual five to ten parameters: prefixes are compared without a call. It gives
// up, its work half done, at a key that occurs again. To find one among many
// that are sorted already, it takes one comparison of each.
func (l *List) insertionSort() (ok bool) {
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
					return false
				}
				if c > 0 {
					break
				}
			}
			order[at] = order[at-1]
		}
		order[at] = i
	}
	return true
}

func (l *List) compare(i, j uint32) int {
	a, b := &l.pairs[i], &l.pairs[j]
	if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
		return c
	}
	return bytes.Compare(l.key(a), l.key(b))
}

package param

// This file sorts parameters by key, which the signature needs, and finds
// duplicate keys on the way.

import (
	"bytes"
	"slices"
)

// Sort sorts by key, in the order of bytes. If keys occur more than once, it
// returns the index of a parameter with the least such key, else -1.
//
// It begins with the order of what l had before: a program repeats the same
// calls, and their parameters are then in order already.
func (l *List) Sort() (duplicate int) {
	if l.dropped || len(l.order) != len(l.pairs) {
		l.number()
	}
	// The time of an insertion sort grows with the square of the number: a form of
	// thousands of parameters must not take seconds.
	if len(l.order) > 16 {
		slices.SortFunc(l.order, l.compare)
	}
	if l.insertionSort() {
		return -1
	}
	return l.leastDuplicate()
}

// leastDuplicate returns a parameter with the least key that occurs more than once.
func (l *List) leastDuplicate() int {
	// At a duplicate the order is undefined, so it is made again. This is the slow
	// way of a call that fails.
	l.number()
	slices.SortFunc(l.order, l.compare)
	i := 1
	for l.compare(l.order[i-1], l.order[i]) != 0 {
		i++
	}
	return int(l.order[i])
}

// number makes order that in which the parameters were added, without those that
// were dropped.
func (l *List) number() {
	l.order = l.order[:0]
	for i := range l.pairs {
		if !l.pairs[i].out {
			l.order = append(l.order, uint32(i))
		}
	}
}

// insertionSort sorts the usual five to ten parameters in a third of the time
// that slices.SortFunc takes, because it compares prefixes without a call. Over
// parameters that are sorted it only looks for duplicate keys. At a duplicate it
// returns false, and the order is then undefined.
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

// compare compares the keys of the parameters with indexes i and j, as cmp.Compare
// does.
func (l *List) compare(i, j uint32) int {
	return bytes.Compare(l.key(&l.pairs[i]), l.key(&l.pairs[j]))
}

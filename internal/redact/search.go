package redact

// This file searches for one secret in the readings of a text.

// A pattern is a secret to search for, backwards, by the algorithm of Knuth,
// Morris and Pratt.
type pattern struct {
	chars []byte  // of the secret, the last one first, each folded
	next  []int32 // the number of chars that still match after those before the index did and this one did not; -1: start over
}

// newPattern returns the pattern of a secret, whose table it computes in time linear
// in the secret.
func newPattern(secret string) *pattern {
	m := len(secret)
	p := &pattern{make([]byte, m), make([]int32, m+1)}
	for i := range m {
		p.chars[i] = fold[secret[m-1-i]]
	}
	p.next[0] = -1
	for i, k := 0, int32(-1); i < m; {
		for k >= 0 && p.chars[i] != p.chars[k] {
			k = p.next[k]
		}
		i, k = i+1, k+1
		p.next[i] = k
		if i < m && p.chars[i] == p.chars[k] {
			p.next[i] = p.next[k] // which would not match either
		}
	}
	return p
}

// step returns how many chars match after c if n matched before it.
func (p *pattern) step(n int32, c byte) int32 {
	if int(n) == len(p.chars) {
		n = p.next[n]
	}
	for n >= 0 && p.chars[n] != c {
		n = p.next[n]
	}
	return n + 1
}

// fold makes those characters equal that some way of escaping does not distinguish: a
// plus and a space in a query, a control character and its letter, since
// decoding drops backslashes.
var fold = func() (fold [256]byte) {
	for c := range fold {
		fold[c] = byte(c)
	}
	fold['+'] = ' '
	for i, c := range []byte(controls) {
		fold[c] = controlLetters[i]
	}
	return fold
}()

// A search looks for secrets in one text. A nil search has found nothing.
type search struct {
	readings
	matched []int32 // for each position: the chars of the pattern that match from here on
	left    []int32 // for each position: the bytes of secrets that begin here and have to be covered
	found   bool    // any secret
}

// find searches for secret from the end of the text to its beginning. What
// matches at a position follows from what matched at the end of its reading.
// The first search in a text begins with a nil search, and reads the text.
func (s *search) find(text, secret string, read func(string) readings) *search {
	if len(secret) > len(text) {
		return s // nothing reads longer than it is
	}
	if s == nil {
		s = &search{readings: read(text), matched: make([]int32, len(text)+1), left: make([]int32, len(text)+1)}
	}
	p := newPattern(secret)
	m := int32(len(p.chars))
	for i := len(s.readings) - 2; i >= 0; i-- {
		at := s.readings[i]
		n := s.matched[at.end]
		if at.char != none {
			n = p.step(n, fold[byte(at.char)])
			for rest := at.char >> 8; rest > 0; rest >>= 8 {
				n = p.step(n, fold[byte(rest)])
			}
		}
		if s.matched[i] = n; n == m {
			s.left[i], s.found = max(s.left[i], m), true
		}
	}
	return s
}

// cover sets covered for each byte of what was found. It allocates covered if
// it is nil and something was found.
func (s *search) cover(covered []bool) []bool {
	if s == nil || !s.found {
		return covered
	}
	if covered == nil {
		covered = make([]bool, len(s.readings)-1)
	}
	end := int32(0) // of the runs that began so far
	for i := range covered {
		if left := s.left[i]; left > 0 {
			at := s.readings[i]
			end = max(end, at.end)
			s.left[at.end] = max(s.left[at.end], left-at.size())
		}
		covered[i] = covered[i] || int32(i) < end
	}
	return covered
}

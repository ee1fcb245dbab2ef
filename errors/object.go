package okerrors

import "encoding/json"

// objectScan finds the members of a JSON object as its text comes in, one byte
// at a time. It decodes nothing, does not recurse, and is lenient: text that
// is no JSON ends the scan, or has no integer error_code.
type objectScan struct {
	all   bool // look at all keys, since this is an error already
	found bool // the last error_code is an integer

	state   objectState
	start   int // of the current key or value
	key     member
	coded   bool // the current key has escapes
	quoted  bool // within a string, inside a nested value
	escaped bool // the byte after a backslash
	depth   int  // of brackets, inside a nested value

	spans [members]struct{ start, end int }
}

type objectState uint8

const (
	beforeKey objectState = iota
	inKey
	beforeColon
	beforeValue
	inScalar
	inString
	inNested
	afterValue
)

// step looks at text[i], which follows the opening brace and all that step has
// seen. It returns true if the rest does not matter.
func (s *objectScan) step(text []byte, i int) (done bool) {
	switch s.state {
	case beforeKey:
		return s.beforeKey(text[i], i)
	case inKey:
		return s.inKey(text, i)
	case beforeColon:
		return s.punctuation(text[i], ':', beforeValue)
	case beforeValue:
		return s.beforeValue(text[i], i)
	case inScalar:
		return s.inScalar(text, i)
	case inString:
		s.inString(text, i)
	case inNested:
		s.inNested(text, i)
	case afterValue:
		return s.punctuation(text[i], ',', beforeKey)
	}
	return false
}

// punctuation expects want, and goes on to next after it. Anything else is the
// end of the object or not JSON.
func (s *objectScan) punctuation(c, want byte, next objectState) (done bool) {
	if c == want {
		s.state = next
		return false
	}
	return !space(c)
}

func (s *objectScan) beforeKey(c byte, i int) (done bool) {
	if c == '"' {
		s.state, s.start, s.coded = inKey, i+1, false
		return false
	}
	return !space(c)
}

func (s *objectScan) inKey(text []byte, i int) (done bool) {
	s.coded = s.coded || text[i] == '\\'
	if !s.closes(text[i]) {
		return false
	}
	s.state = beforeColon
	s.key = memberOf(s.name(text, i))
	return s.key == foreign && !s.all && !s.found
}

// name returns the key that ends at text[end], decoded.
func (s *objectScan) name(text []byte, end int) []byte {
	if !s.coded {
		return text[s.start:end]
	}
	var name string
	_ = json.Unmarshal(text[s.start-1:end+1], &name)
	return []byte(name)
}

func (s *objectScan) beforeValue(c byte, i int) (done bool) {
	switch c {
	case ' ', '\t', '\r', '\n':
		return false
	case '"':
		s.state = inString
	case '{', '[':
		s.state, s.depth = inNested, 1
	case '}', ']', ',', ':':
		return true
	default:
		s.state = inScalar
	}
	s.start = i
	return false
}

func (s *objectScan) inScalar(text []byte, i int) (done bool) {
	c := text[i]
	if c != ',' && c != '}' && !space(c) {
		return false
	}
	s.endValue(text, i)
	return s.punctuation(c, ',', beforeKey)
}

func (s *objectScan) inString(text []byte, i int) {
	if s.closes(text[i]) {
		s.endValue(text, i+1)
	}
}

func (s *objectScan) inNested(text []byte, i int) {
	if s.quoted {
		s.quoted = !s.closes(text[i])
		return
	}
	switch text[i] {
	case '"':
		s.quoted = true
	case '{', '[':
		s.depth++
	case '}', ']':
		s.depth--
	}
	if s.depth == 0 {
		s.endValue(text, i+1)
	}
}

// closes reports whether c, within a string, is the quote that ends it.
func (s *objectScan) closes(c byte) bool {
	if s.escaped {
		s.escaped = false
		return false
	}
	s.escaped = c == '\\'
	return c == '"'
}

// endValue notes a value; the last one of a key counts, as in encoding/json.
func (s *objectScan) endValue(text []byte, end int) {
	s.state = afterValue
	s.spans[s.key].start, s.spans[s.key].end = s.start, end
	if s.key == errorCode {
		_, s.found = integer(text[s.start:end])
	}
}

// members returns what was found in text.
func (s *objectScan) members(text []byte) (o object) {
	for m, span := range s.spans {
		o[m] = text[span.start:span.end]
	}
	return o
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

package okerrors

// This file reads an error in JSON, from a response that may be a success of any
// length.

import (
	"encoding/json"
	"io"
)

// jsonMembers is the JSON error parser. It returns the members of the error
// object that r begins with, as far as it can be read. The last value of a
// duplicate key counts, as in encoding/json.
//
// Unless all is set, it stops at the first key that no error has if no
// error_code came before, so that a large success is not read; it then returns
// nil. With all, it reads on.
func jsonMembers(r io.Reader, all bool) members {
	d := json.NewDecoder(spaced{r})
	_, _ = d.Token() // the brace: see formOf
	m := make(members)
	for d.More() {
		t, err := d.Token()
		name, _ := t.(string)
		// A success, of which the rest may be long. After an error_code the rest
		// belongs to the error, whatever its keys are.
		if !all && !isMember(name) && m.code() == 0 {
			return nil
		}
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			break
		}
		m[name] = value
	}
	return m
}

// spaced reads JSON with a space instead of each control character, which OK
// sends within strings and encoding/json rejects there.
type spaced struct{ r io.Reader }

// Read implements [io.Reader]. The end is unexpected to the decoder: it must
// not take the beginning of a number that is cut off for the number.
func (s spaced) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	for i, c := range p[:n] {
		p[i] = max(c, ' ')
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

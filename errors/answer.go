package okerrors

import (
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/go-okru/okru/internal/redact"
)

const (
	// firstPeek is enough to see that an answer is no error. It makes an answer
	// take 96 bytes, which is a size that memory is handed out in.
	firstPeek = 24

	secondPeek = 512      // most errors fit in
	maxPeek    = 64 << 10 // no error is longer

	// maxEmptyReads is how often a reader may return nothing at all before the
	// look at it ends, so that a broken one does not hang the call.
	maxEmptyReads = 100
)

// answer is the body of an answer that was looked at. It reads the same as the
// original, and carries what the look has found.
type answer struct {
	rest    io.ReadCloser
	head    []byte // read from rest, but not yet by the caller
	readErr error  // what rest returned after head
	closed  atomic.Bool
	call    bool   // whatever its host, the request was an API call
	verdict *Error // nil: no API error

	first [firstPeek]byte // what head usually fits in, so that one allocation does
}

// glance reads once, and tells whether that is enough to see that the answer
// is no error. It is for nearly all, and spares them the scan.
func (a *answer) glance() bool {
	n, err := a.rest.Read(a.first[:])
	a.head, a.readErr = a.first[:n], err
	return isObvious(a.head)
}

// peek reads until p has seen enough.
func (a *answer) peek(p *peek) {
	for empty := 0; !p.look(a.head) && a.readErr == nil && empty < maxEmptyReads && len(a.head) < maxPeek; {
		n, err := a.rest.Read(a.room())
		a.head, a.readErr = a.head[:len(a.head)+n], err
		if n == 0 {
			empty++
		}
	}
}

// room returns where the next part of head goes.
func (a *answer) room() []byte {
	if len(a.head) == cap(a.head) {
		a.head = slices.Grow(a.head, max(len(a.head), secondPeek))
	}
	return a.head[len(a.head):min(cap(a.head), maxPeek)]
}

// MarkCall and IsMarked are for package apicall.
func (a *answer) MarkCall()      { a.call = true }
func (a *answer) IsMarked() bool { return a.call }

// Read reads the head and then the rest. After Close it is for the original
// to say what happens.
func (a *answer) Read(p []byte) (int, error) {
	if a.closed.Load() {
		return a.rest.Read(p)
	}
	if len(a.head) > 0 {
		n := copy(p, a.head)
		a.head = a.head[n:]
		return n, nil
	}
	if a.readErr != nil {
		return 0, a.readErr
	}
	return a.rest.Read(p)
}

// Close closes the original, once. Like that of net/http's bodies it may be
// called during a Read, so it leaves the head alone.
func (a *answer) Close() error {
	if a.closed.Swap(true) {
		return nil
	}
	return a.rest.Close()
}

// Format keeps what the answer says, perhaps the keys of a session, out of
// print.
func (a *answer) Format(f fmt.State, _ rune) { redact.Format(f, "okerrors: the body of an answer") }

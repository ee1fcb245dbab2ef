// Package lookahead reads the beginning of a response body before its reader
// does, and puts back what it read.
package lookahead

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/go-okru/okru/internal/redact"
)

const (
	// Max is how much of a body is read ahead at most, in bytes. No API error
	// is longer.
	Max = 64 << 10

	// first is the size of the first read, in bytes: enough to see that most
	// responses are no error. It is part of the Body, so that a success costs
	// one allocation, of 96 bytes.
	first = 16

	// block is the size of the next read, in bytes. Most errors fit in.
	block = 512

	// maxEmptyReads is how often a reader may return nothing at all before
	// More gives up, so that a broken reader does not hang the call.
	maxEmptyReads = 100
)

// A Body is a response body of which the beginning can be read ahead. Its
// reader reads the same bytes, and gets the same error, as without a Body.
//
// A Body also keeps the verdict about what was read ahead, so that the next
// layer need not inspect the same body again. Only speed depends on that.
type Body struct {
	rest    io.ReadCloser // the original
	head    []byte        // read ahead, and not read by the caller yet
	err     error         // what rest returned after head
	verdict error         // nil: not inspected
	closed  atomic.Bool
	buf     [first]byte // the first bytes of head
}

// Of returns the body of resp, which becomes a Body if it is none.
func Of(resp *http.Response) *Body {
	if b, ok := resp.Body.(*Body); ok {
		return b
	}
	b := &Body{rest: resp.Body}
	b.head = b.buf[:0]
	resp.Body = b
	return b
}

// VerdictOf returns what SetVerdict was called with for the body of resp. It
// returns false if the body was not inspected.
func VerdictOf(resp *http.Response) (verdict error, inspected bool) {
	b, ok := resp.Body.(*Body)
	if !ok || b.verdict == errNone {
		return nil, ok
	}
	return b.verdict, b.verdict != nil
}

// errNone is the verdict about a body without an error.
var errNone = errors.New("none")

// SetVerdict keeps the verdict about b: the error that was found, or nil.
func (b *Body) SetVerdict(err error) { b.verdict = cmp.Or(err, errNone) }

// Head returns what was read ahead. It must not be modified.
func (b *Body) Head() []byte { return b.head }

// More reads ahead once more. It returns false if it got nothing: the original
// has ended or failed, or Head has Max bytes.
func (b *Body) More() bool {
	if b.err != nil || len(b.head) >= Max {
		return false
	}
	if len(b.head) == cap(b.head) {
		b.head = slices.Grow(b.head, max(block, len(b.head)))
	}
	for range maxEmptyReads {
		n, err := b.rest.Read(b.head[len(b.head):min(cap(b.head), Max)])
		b.head = b.head[:len(b.head)+n]
		b.err = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	return false
}

// Ahead returns a reader of what Head has, and then of what it reads ahead. It
// ends after Max bytes.
func (b *Body) Ahead() io.Reader { return &ahead{b: b} }

// An ahead is the reader that Ahead returns.
type ahead struct {
	b   *Body
	pos int // in b.head
}

// Read implements [io.Reader].
func (a *ahead) Read(p []byte) (int, error) {
	if a.pos == len(a.b.head) && !a.b.More() {
		return 0, io.EOF
	}
	n := copy(p, a.b.head[a.pos:])
	a.pos += n
	return n, nil
}

// Read implements [io.Reader]. After Close, the original decides what happens.
func (b *Body) Read(p []byte) (int, error) {
	switch {
	case b.closed.Load():
	case len(b.head) > 0:
		n := copy(p, b.head)
		b.head = b.head[n:]
		return n, nil
	case b.err != nil:
		return 0, b.err
	}
	return b.rest.Read(p)
}

// Close closes the original, once. Like the bodies of net/http, a Body may be
// closed during a Read, so Close leaves head alone.
func (b *Body) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	return b.rest.Close()
}

// Format implements [fmt.Formatter]. It does not print what was read ahead,
// which may be the keys of a session.
func (b *Body) Format(f fmt.State, _ rune) { redact.Format(f, "okru: the body of a response") }

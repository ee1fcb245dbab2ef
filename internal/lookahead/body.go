// Package lookahead reads the beginning of a response body before its reader
// does, and puts back what it read.
package lookahead

import (
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
	// responses are no error.
	first = 8

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
//
// It has 64 bytes, which is what the allocation of a signed call has to spare.
type Body struct {
	rest   io.ReadCloser // the original
	head   []byte        // what was read ahead, and not read by the caller yet
	buf    [first]byte   // the memory of head, until more is read ahead
	more   *more         // nil: nothing of it is known
	ended  bool          // rest returned io.EOF after head
	state  state         // what is known
	closed atomic.Bool   // by the caller
}

// A state is what is known about a response.
type state uint8

const (
	unknown state = iota // not inspected yet
	noCode               // SetNoCode was called
	judged               // SetVerdict was called
)

// CodeHeaders are the headers that carry the code of an API error, the first one
// first, in the canonical form in which net/http keeps them.
var CodeHeaders = [...]string{"Invocation-Error", "Wmf-Invocation-Error"}

// more is what few responses need.
type more struct {
	err     error // what rest returned after head, but for io.EOF
	verdict error // the error that was found
}

// Of returns the body of resp, which becomes a Body if it is none.
func Of(resp *http.Response) *Body {
	if b, ok := resp.Body.(*Body); ok {
		return b
	}
	b := &Body{rest: resp.Body}
	resp.Body = b
	return b
}

// Wrap makes b, which must be zero, the body of resp, for a caller that has the
// memory for it. It does nothing if resp has no body, or a connection instead.
func (b *Body) Wrap(resp *http.Response) {
	_, ok := resp.Body.(*Body)
	if ok || resp.Body == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	b.rest, resp.Body = resp.Body, b
}

// Verdict returns what SetVerdict was called with. It returns false if b was not
// inspected.
func (b *Body) Verdict() (verdict error, inspected bool) {
	if b.state != judged || b.more == nil {
		return nil, b.state == judged
	}
	return b.more.verdict, true
}

// SetVerdict keeps the verdict about b: the error that was found, or nil.
func (b *Body) SetVerdict(err error) {
	b.state = judged
	if err != nil {
		b.grow().verdict = err
	}
}

// SetNoCode notes that the header of the response has none of CodeHeaders. It is
// for a layer that goes through the header anyway: another search for them would
// take a twentieth of a call.
func (b *Body) SetNoCode() { b.state = noCode }

// HasNoCode reports whether SetNoCode was called.
func (b *Body) HasNoCode() bool { return b.state == noCode }

// grow returns the part of b that few responses need, and allocates it if there
// is none.
func (b *Body) grow() *more {
	if b.more == nil {
		b.more = new(more)
	}
	return b.more
}

// Head returns what was read ahead. It must not be modified.
func (b *Body) Head() []byte { return b.head }

// More reads ahead once more. It returns false if it got nothing: the original
// has ended or failed, or Head has Max bytes.
func (b *Body) More() bool {
	if b.err() != nil || len(b.head) >= Max {
		return false
	}
	switch {
	case b.head == nil: // one small read decides about nearly all successes
		b.head = b.buf[:0]
	case cap(b.head) <= first:
		b.head = append(make([]byte, 0, block), b.head...)
	default:
		b.head = slices.Grow(b.head, 1)
	}
	for range maxEmptyReads {
		n, err := b.rest.Read(b.head[len(b.head):min(cap(b.head), Max)])
		b.head = b.head[:len(b.head)+n]
		if err == io.EOF {
			b.ended = true
		} else if err != nil {
			b.grow().err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	return false
}

// err returns what the original returned after what was read ahead.
func (b *Body) err() error {
	switch {
	case b.ended:
		return io.EOF
	case b.more != nil:
		return b.more.err
	}
	return nil
}

// Ended reports whether Head is all of the body that was not read yet.
func (b *Body) Ended() bool { return b.ended }

// Ahead returns a reader of what Head has, and then of what it reads ahead. It
// ends after Max bytes.
func (b *Body) Ahead() io.Reader { return &ahead{b: b} }

// An ahead is the reader that Ahead returns.
type ahead struct {
	b   *Body
	pos int // in the head
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
	// What net/http returns after Close is an error, and its own business. The
	// head may be in use by a Read that is in progress, so it is not touched.
	if b.closed.Load() {
		return b.rest.Read(p)
	}
	if len(b.head) > 0 {
		n := copy(p, b.head)
		b.head = b.head[n:]
		return n, nil
	}
	if err := b.err(); err != nil {
		return 0, err
	}
	return b.rest.Read(p)
}

// WriteTo implements [io.WriterTo]: what was read ahead is written, and then the
// original is copied, as io.Copy would copy it without a Body.
func (b *Body) WriteTo(w io.Writer) (n int64, err error) {
	if head := b.head; len(head) > 0 && !b.closed.Load() {
		written, err := w.Write(head)
		if err == nil && written != len(head) {
			err = io.ErrShortWrite
		}
		if err != nil {
			b.head = head[max(0, min(written, len(head))):]
			return int64(len(head) - len(b.head)), err
		}
		b.head, n = nil, int64(written)
	}
	switch err := b.err(); {
	case err == nil || b.closed.Load():
		copied, err := io.Copy(w, b.rest)
		return n + copied, err
	case err != io.EOF:
		return n, err
	}
	return n, nil
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

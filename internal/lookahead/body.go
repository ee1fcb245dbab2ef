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
	first = 32

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
	rest     io.ReadCloser // the original
	more     *more         // nil: what was read ahead is in buf
	buf      [first]byte   // in the Body itself: most need no other memory
	from, to uint8         // the part of buf that was read ahead, and not read by the caller yet
	ended    bool          // rest returned io.EOF after what was read ahead
	state    state         // what is known
	closed   atomic.Bool   // by the caller
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
	head    []byte // instead of buf; nil: use buf
	err     error  // what rest returned after what was read ahead, but for io.EOF
	verdict error  // the error that was found
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

// VerdictOf returns what SetVerdict was called with for the body of resp. It
// returns false if the body was not inspected.
func VerdictOf(resp *http.Response) (verdict error, inspected bool) {
	b, ok := resp.Body.(*Body)
	if !ok || b.state != judged {
		return nil, false
	}
	if b.more == nil {
		return nil, true
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

// HasNoCode reports whether SetNoCode was called for the body of resp.
func HasNoCode(resp *http.Response) bool {
	b, ok := resp.Body.(*Body)
	return ok && b.state == noCode
}

// grow returns the part of b that few responses need, and allocates it if there
// is none.
func (b *Body) grow() *more {
	if b.more == nil {
		b.more = new(more)
	}
	return b.more
}

// Head returns what was read ahead. It must not be modified.
func (b *Body) Head() []byte {
	if b.more != nil && b.more.head != nil {
		return b.more.head
	}
	return b.buf[b.from:b.to]
}

// More reads ahead once more. It returns false if it got nothing: the original
// has ended or failed, or Head has Max bytes.
func (b *Body) More() bool {
	if b.err() != nil || len(b.Head()) >= Max {
		return false
	}
	for range maxEmptyReads {
		n, err := b.readAhead()
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

// readAhead reads once: into buf, and into a longer head once buf is full.
func (b *Body) readAhead() (int, error) {
	// One small read decides about nearly all successes.
	if b.to < first && b.more == nil {
		n, err := b.rest.Read(b.buf[b.to:])
		b.to += uint8(n)
		return n, err
	}
	m := b.grow()
	if m.head == nil {
		m.head = append(make([]byte, 0, block), b.Head()...)
	}
	m.head = slices.Grow(m.head, 1)
	n, err := b.rest.Read(m.head[len(m.head):min(cap(m.head), Max)])
	m.head = m.head[:len(m.head)+n]
	return n, err
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
	if a.pos == len(a.b.Head()) && !a.b.More() {
		return 0, io.EOF
	}
	n := copy(p, a.b.Head()[a.pos:])
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
	if head := b.Head(); len(head) > 0 {
		n := copy(p, head)
		b.advance(n)
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
	if head := b.Head(); len(head) > 0 && !b.closed.Load() {
		written, err := w.Write(head)
		b.advance(written)
		if err == nil && written < len(head) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return int64(written), err
		}
		n = int64(written)
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

// advance removes n bytes from the head, which the caller has got.
func (b *Body) advance(n int) {
	if b.more != nil && b.more.head != nil {
		b.more.head = b.more.head[n:]
	} else {
		b.from += uint8(n)
	}
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

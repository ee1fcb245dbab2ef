// Package lookahead looks at the beginning of an answer's body before its
// reader does.
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
	glance = 24       // enough to see that an answer is no error
	next   = 512      // most errors fit in
	most   = 64 << 10 // no error is longer
)

// Body is the body of an answer that is looked at. It reads the same as the
// original, and remembers what the look has found.
//
// It is small on purpose: with a signed request in one piece of memory it
// takes 512 bytes, beyond which memory costs more.
type Body struct {
	rest   io.ReadCloser
	seldom *seldom
	first  [glance]byte // what was read ahead, unless that is in seldom
	from   uint8        // of first, not read by the caller yet
	to     uint8
	looked bool
	ended  bool // after what was read ahead, rest returned io.EOF
	call   bool // whatever its host, the request was an API call
	closed atomic.Bool
}

// seldom is what few answers need.
type seldom struct {
	head  []byte // all that was read ahead, and not by the caller yet
	err   error  // what rest returned after it
	found error
}

// Over makes b the body of resp, in the place of the original, to be looked at
// later. It does nothing if there is none, or one that is more than a body.
func (b *Body) Over(resp *http.Response) {
	if resp.StatusCode == http.StatusSwitchingProtocols || resp.Body == nil || resp.Body == http.NoBody {
		return
	}
	if _, ok := resp.Body.(*Body); !ok {
		b.rest = resp.Body
		resp.Body = b
	}
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

// Found returns what was found in resp, or nil.
func Found(resp *http.Response) error {
	if b, ok := resp.Body.(*Body); ok && b.seldom != nil {
		return b.seldom.found
	}
	return nil
}

// IsFine reports whether resp was looked at, and nothing was found.
func IsFine(resp *http.Response) bool {
	b, ok := resp.Body.(*Body)
	return ok && b.looked && (b.seldom == nil || b.seldom.found == nil)
}

// SetFound sets what Found returns.
func (b *Body) SetFound(e error) { b.rare().found = e }

func (b *Body) rare() *seldom {
	if b.seldom == nil {
		b.seldom = new(seldom)
	}
	return b.seldom
}

// Glance reads once, and returns what it got.
func (b *Body) Glance() []byte {
	b.looked = true
	n, err := b.rest.Read(b.first[:])
	b.to = uint8(n)
	if err != nil {
		b.end(err)
	}
	return b.first[:n]
}

// More reads once more after the Glance, and returns all that was read so far.
func (b *Body) More() []byte {
	s := b.rare()
	if s.head == nil {
		s.head = append(make([]byte, 0, next), b.first[:b.to]...)
	}
	s.head = slices.Grow(s.head, 1)
	n, err := b.rest.Read(s.head[len(s.head):min(cap(s.head), most)])
	s.head = s.head[:len(s.head)+n]
	if err != nil {
		b.end(err)
	}
	return s.head
}

func (b *Body) end(err error) {
	if err == io.EOF {
		b.ended = true
		return
	}
	b.rare().err = err
}

// Ended reports whether there is no more to read ahead.
func (b *Body) Ended() bool {
	return b.ended || b.seldom != nil && (b.seldom.err != nil || len(b.seldom.head) >= most)
}

// Head returns what was read ahead, and not by the caller yet.
func (b *Body) Head() []byte {
	if b.seldom != nil && b.seldom.head != nil {
		return b.seldom.head
	}
	return b.first[b.from:b.to]
}

// Read reads the head and then the rest. After Close it is for the original
// to say what happens.
func (b *Body) Read(p []byte) (int, error) {
	if b.from == b.to && b.isPlain() || b.closed.Load() {
		return b.rest.Read(p)
	}
	if head := b.Head(); len(head) > 0 {
		n := copy(p, head)
		b.skip(n)
		return n, nil
	}
	if err := b.err(); err != nil {
		return 0, err
	}
	return b.rest.Read(p)
}

// WriteTo writes what Read would read. It lets the original write its part by
// itself, as io.Copy does without a Body.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	if b.closed.Load() {
		return io.Copy(w, b.rest)
	}
	n, err := b.writeHead(w)
	if err != nil {
		return int64(n), err
	}
	switch err := b.err(); err {
	case nil:
	case io.EOF:
		return int64(n), nil
	default:
		return int64(n), err
	}
	m, err := io.Copy(w, b.rest)
	return int64(n) + m, err
}

var errInvalidWrite = errors.New("invalid write result") // as in package io

// writeHead writes the head. What w does not take is there still.
func (b *Body) writeHead(w io.Writer) (int, error) {
	head := b.Head()
	if len(head) == 0 {
		return 0, nil
	}
	n, err := w.Write(head)
	if n < 0 || n > len(head) {
		return 0, cmp.Or(err, errInvalidWrite)
	}
	b.skip(n)
	if err == nil && n < len(head) {
		err = io.ErrShortWrite
	}
	return n, err
}

// err returns what the original returned after what was read ahead.
func (b *Body) err() error {
	switch {
	case b.ended:
		return io.EOF
	case b.seldom != nil:
		return b.seldom.err
	}
	return nil
}

// isPlain reports whether after what was first read ahead the original goes on.
func (b *Body) isPlain() bool { return b.seldom == nil && !b.ended }

func (b *Body) skip(n int) {
	if b.seldom != nil && b.seldom.head != nil {
		b.seldom.head = b.seldom.head[n:]
		return
	}
	b.from += uint8(n)
}

// Close closes the original, once. Like that of net/http's bodies it may be
// called during a Read, so it leaves the head alone.
func (b *Body) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	return b.rest.Close()
}

// Format keeps what the answer says, perhaps the keys of a session, out of
// print.
func (b *Body) Format(f fmt.State, _ rune) { redact.Format(f, "okru: the body of an answer") }

// Mark notes that resp, which was looked at, answers an API call: for the
// layers above a Signer, which do not know its hosts.
func Mark(resp *http.Response) {
	if b, ok := resp.Body.(*Body); ok {
		b.call = true
	}
}

// IsMarked reports whether resp was marked.
func IsMarked(resp *http.Response) bool {
	if resp == nil {
		return false
	}
	b, ok := resp.Body.(*Body)
	return ok && b.call
}

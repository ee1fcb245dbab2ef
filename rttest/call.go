package rttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// patience is how long a call may take, on the clock of the bubble.
const patience = 24 * time.Hour

// call is one call through the layer, as its caller sees it.
type call struct {
	*trial
	id      int64
	req     *http.Request
	before  *snapshot
	body    *source // nil: the request has none
	content []byte  // of body
	cancel  context.CancelCauseFunc

	unreadable   bool          // the body fails halfway
	staleGetBody bool          // GetBody returns another content than Body
	gate         chan struct{} // closed: the body goes on after holdAt bytes; nil: it does not stall
	holdAt       int
	stalls       sync.Once
	waiting      chan struct{} // closed: a reader waits for the gate
	trailer      http.Header   // what the body sets when it ends; nil: nothing

	done     chan struct{} // closed when RoundTrip has returned
	resp     *http.Response
	err      error
	panicked any

	mu       sync.Mutex
	copies   []*source
	attempts []*attempt
	reading  int  // the attempt that reads the body just now; 0: none
	stale    bool // a body was read that should not be
	traced   bool // next has reached the caller's trace
}

type callKey struct{}

// onlyCall is newCall for trials of one call. Next then knows which call it
// gets even if the context is not derived from the caller's.
func (t *trial) onlyCall(ctx context.Context, s shape) *call {
	t.next.only = t.newCall(ctx, s)
	return t.next.only
}

// newCall builds a request like s under ctx. The context is not ended when
// the call is over: what waits for that is a goroutine left behind.
func (t *trial) newCall(ctx context.Context, s shape) *call {
	c := &call{trial: t, id: t.calls.Add(1), done: make(chan struct{})}
	ctx = context.WithValue(ctx, callKey{}, c)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: c.gotConn})
	ctx, c.cancel = context.WithCancelCause(ctx)
	if s.endless {
		ctx = context.WithoutCancel(ctx)
	}
	c.req = s.build(ctx)
	c.watchBody()
	if s.edit != nil {
		s.edit(c)
	}
	c.before = take(c.req)
	return c
}

// watchBody replaces the body of the request by one that is watched.
func (c *call) watchBody() {
	if !hasBody(c.req) {
		return
	}
	c.content, _ = io.ReadAll(c.req.Body)
	_ = c.req.Body.Close()
	c.body = &source{call: c, r: bytes.NewReader(c.content)}
	c.req.Body = c.body
	if c.req.GetBody != nil {
		c.req.GetBody = c.getBody
	}
}

func (c *call) gotConn(httptrace.GotConnInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.traced = true
}

func (c *call) failGetBody() (io.ReadCloser, error) { return nil, errGetBody }

func getNoBody() (io.ReadCloser, error) { return http.NoBody, nil }

// do makes the call and waits for it.
func (c *call) do() {
	c.start()
	c.wait()
}

func (c *call) start() {
	go func() {
		defer close(c.done)
		defer func() { c.panicked = recover() }()
		c.resp, c.err = c.top.RoundTrip(c.req)
	}()
}

// returned reports whether RoundTrip has returned.
func (c *call) returned() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// wait waits until RoundTrip returns, and makes next release the call if that
// takes too long.
func (c *call) wait() {
	if c.within(patience) {
		return
	}
	c.found(Outcome, "RoundTrip does not return, though next does")
	c.next.release()
	c.cancel(nil)
	if !c.within(patience) {
		c.hung.Store(true)
	}
}

func (c *call) within(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	}
}

// source is a body of the caller's request: Body itself, or a reader that
// GetBody has opened. It remembers what was done to it, under call.mu.
type source struct {
	call   *call
	copy   bool // opened by GetBody
	r      *bytes.Reader
	reader int // the attempt that reads it; 0: none yet
	ended  bool
	closes int
}

var (
	errUnreadable = errors.New("rttest: the caller's body cannot be read")
	errGetBody    = errors.New("rttest: the caller's GetBody fails")
)

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	p = s.stall(p)
	s.call.mu.Lock()
	defer s.call.mu.Unlock()
	s.readBy(s.call.reading)
	if s.closes > 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	if s.call.unreadable && s.r.Len() <= len(s.call.content)/2 {
		return 0, errUnreadable
	}
	n, err := s.r.Read(p)
	if err == io.EOF {
		s.ended = true
		s.call.endTrailer(s)
	}
	return n, err
}

// stall waits where the caller's body stalls, and returns that part of p which
// can be read without waiting.
func (s *source) stall(p []byte) []byte {
	c := s.call
	if c.gate == nil {
		return p
	}
	c.mu.Lock()
	ready := c.holdAt - (len(c.content) - s.r.Len())
	c.mu.Unlock()
	if ready > 0 {
		return p[:min(len(p), ready)]
	}
	c.stalls.Do(func() { close(c.waiting) })
	<-c.gate
	return p
}

// readBy notes which attempt reads s. The layer itself, 0, may read anything.
func (s *source) readBy(attempt int) {
	if attempt == 0 {
		return
	}
	if !s.copy && attempt > 1 {
		s.call.stale = true
		s.call.found(BodyFresh, "a later attempt reads the Body of the first")
	}
	if s.copy && s.reader != 0 && s.reader != attempt {
		s.call.stale = true
		s.call.found(BodyFresh, "two attempts read the same reader of GetBody")
	}
	s.reader = attempt
}

// Seek implements io.Seeker, which is there to tempt.
func (s *source) Seek(offset int64, whence int) (int64, error) {
	s.call.mu.Lock()
	defer s.call.mu.Unlock()
	s.call.stale = true
	s.call.found(BodyFresh, "Seek was called on the request's body")
	return s.r.Seek(offset, whence)
}

// Close implements io.Closer.
func (s *source) Close() error {
	s.call.mu.Lock()
	defer s.call.mu.Unlock()
	s.closes++
	return nil
}

// getBody is GetBody of the caller's request.
func (c *call) getBody() (io.ReadCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	content := c.content
	if c.staleGetBody {
		content = append(bytes.Clone(content), staleMark...)
	}
	s := &source{call: c, copy: true, r: bytes.NewReader(content)}
	c.copies = append(c.copies, s)
	return s, nil
}

const (
	trailerKey   = "Rttest-Sum"
	trailerValue = "set when the body had ended"
)

// endTrailer sets the trailer, as a caller does whose Body has ended.
func (c *call) endTrailer(s *source) {
	if c.trailer != nil && !s.copy {
		c.trailer.Set(trailerKey, trailerValue)
	}
}

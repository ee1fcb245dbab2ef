package rttest

import (
	"bytes"
	"context"
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

	unreadable bool          // the body fails halfway
	gate       chan struct{} // closed: the body goes on after holdAt bytes; nil: it does not stall
	holdAt     int
	stalls     sync.Once
	waiting    chan struct{} // closed: somebody waits for the gate
	trailer    http.Header   // what the body sets when it ends; nil: nothing

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

// onlyCall is newCall for trials of one call. Next then knows whose call it
// gets even if the context does not say.
func (t *trial) onlyCall(ctx context.Context, s shape) *call {
	t.next.alone = t.newCall(ctx, s)
	return t.next.alone
}

// newCall builds a request like s under ctx. The context is not ended when
// the call is over: what waits for that is a goroutine left behind.
func (t *trial) newCall(ctx context.Context, s shape) *call {
	c := &call{trial: t, id: t.calls.Add(1), done: make(chan struct{})}
	ctx = context.WithValue(ctx, callKey{}, c)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: c.gotConn})
	ctx, c.cancel = context.WithCancelCause(ctx)
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

// wait waits until RoundTrip returns, and tells next to let go of the call if
// that takes too long.
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

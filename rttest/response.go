package rttest

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

const (
	// replyHeader marks the response of an attempt, so that the one that the
	// caller was handed can be distinguished from those that were dropped, and from
	// those of other calls.
	replyHeader = "Rttest-Reply"

	// replyTrailer marks the end of the body.
	replyTrailer = "Rttest-End"

	// maxRead is how much of a response without end a layer may read: far
	// more than a new connection costs.
	maxRead = 1 << 20
)

// reply is the body of a response of next.
type reply struct {
	attempt *attempt
	resp    *http.Response  // whose body this is
	ctx     context.Context // of the request: the body cannot be read after its end
	content string
	stalled bool // what comes after stallAt waits until bottom.gate is closed
	stallAt int
	cut     bool // the connection breaks after half of content
	endless bool // spaces follow, up to maxRead

	unannounced bool // the response does not announce its trailer

	mu     sync.Mutex
	read   int
	closes int
}

func (a *attempt) mark() string { return fmt.Sprintf("call %d attempt %d", a.call.id, a.n) }

// respond returns a response like with. edit, if not nil, changes its body.
func (a *attempt) respond(with Response, edit func(*reply)) *http.Response {
	resp := a.newResponse(with)
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	if a.req.Method != http.MethodHead && resp.StatusCode != http.StatusNoContent {
		r := &reply{attempt: a, resp: resp, ctx: a.ctx, content: with.Body}
		if edit != nil {
			edit(r)
		}
		r.attach()
	}
	a.original = *resp
	a.original.Header = resp.Header.Clone()
	return resp
}

// newResponse returns a response like with, and without a body.
func (a *attempt) newResponse(with Response) *http.Response {
	status := cmp.Or(with.Status, http.StatusOK)
	header := with.Header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	header.Set(replyHeader, a.mark())
	return &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, TLS: connection,
		Header: header, Body: http.NoBody, ContentLength: int64(len(with.Body)), Request: a.req,
	}
}

// connection is what all responses of next came by.
var connection = &tls.ConnectionState{HandshakeComplete: true}

// attach makes r the body of its response.
func (r *reply) attach() {
	r.attempt.reply, r.resp.Body = r, r
	if !r.unannounced {
		r.resp.Trailer = http.Header{replyTrailer: nil}
	}
	if r.stalled || r.endless {
		r.resp.ContentLength = -1
	}
	if r.resp.StatusCode == http.StatusSwitchingProtocols {
		r.resp.Body = upgraded{r}
	}
}

// endTrailer sets the trailer of the response, as http.Transport does at the
// end of the body: in the response that it has returned.
func (r *reply) endTrailer() {
	if r.resp.Trailer == nil {
		r.resp.Trailer = make(http.Header)
	}
	r.resp.Trailer.Set(replyTrailer, r.attempt.mark())
}

// body returns the body of the response, or nil.
func (a *attempt) body() *reply {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	return a.reply
}

// Read implements io.Reader. It waits where the script does, and ends with
// the context of the request as the bodies of http.Transport do.
func (r *reply) Read(p []byte) (int, error) {
	if err := endOf(r.ctx); err != nil {
		return 0, err
	}
	r.attempt.checkCopy()
	if err := r.wait(); err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closes > 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	n := r.fill(p)
	r.read += n
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, r.end()
}

// end returns the error at the end of what there is to read.
func (r *reply) end() error {
	if r.cut {
		return io.ErrUnexpectedEOF
	}
	r.endTrailer()
	return io.EOF
}

// wait waits at stallAt until the gate opens.
func (r *reply) wait() error {
	if read, _ := r.state(); !r.stalled || read < r.stallAt {
		return nil
	}
	next := r.attempt.call.next
	next.stalls.Do(func() { close(next.waiting) })
	select {
	case <-next.gate:
		return nil
	case <-next.released:
		return errNext
	case <-r.ctx.Done():
		return endOf(r.ctx)
	}
}

// fill copies what comes next to p.
func (r *reply) fill(p []byte) int {
	end := len(r.content)
	switch {
	case r.stalled && r.read < r.stallAt:
		end = r.stallAt
	case r.cut:
		end /= 2
	}
	if r.read < end {
		return copy(p, r.content[r.read:end])
	}
	if r.endless {
		return copy(p, spaces[:min(len(spaces), maxRead-r.read)])
	}
	return 0
}

var spaces = strings.Repeat(" ", 32<<10)

// Close implements io.Closer.
func (r *reply) Close() error {
	r.attempt.checkCopy()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closes++
	return nil
}

// checkCopy checks that the request next was given is as it was.
func (a *attempt) checkCopy() {
	if a.req == a.call.req {
		return // compare looks after this one
	}
	for _, field := range a.given.changes(a.req) {
		a.call.found(CopyUnchanged, "%s of the request next was given has changed before the response's body was closed", field)
	}
}

// state returns how much was read, and whether the body was closed.
func (r *reply) state() (read int, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read, r.closes > 0
}

func (r *reply) isClosed() bool {
	_, closed := r.state()
	return closed
}

// text returns the content of the body; of a nil r, "".
func (r *reply) text() string {
	if r == nil {
		return ""
	}
	return r.content
}

// upgraded is the body of a response with status 101: a connection.
type upgraded struct{ *reply }

// Write implements io.Writer.
func (upgraded) Write(p []byte) (int, error) { return len(p), nil }

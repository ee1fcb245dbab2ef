package rttest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

const (
	// replyHeader marks the response of an attempt, so that the one that the
	// caller was handed can be told from those that were dropped, and from
	// those of other calls.
	replyHeader = "Rttest-Reply"

	// maxRead is how much of a response without end a layer may read: far
	// more than a new connection costs.
	maxRead = 1 << 20
)

// reply is the body of a response of next.
type reply struct {
	attempt *attempt
	ctx     context.Context // of the request: the body cannot be read after its end
	content string
	halved  bool // the second half comes when bottom.gate is closed
	endless bool // spaces follow, up to maxRead

	mu     sync.Mutex
	read   int
	closes int
}

func (a *attempt) mark() string { return fmt.Sprintf("call %d attempt %d", a.call.id, a.n) }

// answer returns a response with answer. edit, if not nil, changes its body.
func (a *attempt) answer(answer Answer, edit func(*reply)) *http.Response {
	status := cmp.Or(answer.Status, http.StatusOK)
	header := answer.Header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	header.Set(replyHeader, a.mark())
	a.status, a.header = status, header.Clone()
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: http.NoBody, ContentLength: int64(len(answer.Body)), Request: a.req,
	}
	if a.req.Method == http.MethodHead || status == http.StatusNoContent {
		return resp
	}
	r := &reply{attempt: a, ctx: a.ctx, content: answer.Body}
	if edit != nil {
		edit(r)
	}
	if r.halved || r.endless {
		resp.ContentLength = -1
	}
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	a.reply, resp.Body = r, r
	if status == http.StatusSwitchingProtocols {
		resp.Body = upgraded{r}
	}
	return resp
}

// body returns the body of the response, or nil.
func (a *attempt) body() *reply {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	return a.reply
}

// Read implements io.Reader. It waits where the script says so, and ends with
// the context of the request as the bodies of http.Transport do.
func (r *reply) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
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
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// wait waits for the second half, if that is what comes next.
func (r *reply) wait() error {
	if read, _ := r.state(); !r.halved || read < len(r.content)/2 {
		return nil
	}
	next := r.attempt.call.next
	next.holding.Do(func() { close(next.held) })
	select {
	case <-next.gate:
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// fill copies what comes next to p.
func (r *reply) fill(p []byte) int {
	end := len(r.content)
	if r.halved && r.read < end/2 {
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
		a.call.found(CopyUnchanged, "%s of the request next was given has changed before the answer's body was closed", field)
	}
}

// state returns how much was read, and whether the body was closed.
func (r *reply) state() (read int, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read, r.closes > 0
}

// text returns what the body says. A nil r says nothing.
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

package rttest

import (
	"errors"
	"io"
	"net/url"
	"slices"
)

// compare checks that the caller's request is what it was.
func (c *call) compare(when string) {
	for _, field := range c.before.changes(c.req) {
		c.found(RequestUnchanged, "%s has changed %s", field, when)
	}
}

// receive does what a caller does with what RoundTrip returned: it reads the
// response and closes it.
func (c *call) receive() {
	c.compare("when RoundTrip had returned")
	if c.resp == nil || c.resp.Body == nil {
		return
	}
	if c.contextLives() && c.req.Context().Err() == nil {
		got, err := io.ReadAll(c.resp.Body)
		c.checkIntact(got, err)
	}
	c.compare("when the response's body was read")
	c.close()
}

// close closes the response, as callers do that do not want it.
func (c *call) close() {
	if c.resp == nil || c.resp.Body == nil {
		return
	}
	c.closeTwice()
	c.compare("when the response's body was closed")
}

// closeTwice closes the response as many callers do: at the end, and when they
// return.
func (c *call) closeTwice() {
	defer func() {
		if p := recover(); p != nil {
			c.found(NoPanic, "closing the response panics: %v", p)
		}
	}()
	_ = c.resp.Body.Close()
	_ = c.resp.Body.Close()
}

// contextLives checks that the context of the response's request has not ended.
func (c *call) contextLives() bool {
	a := c.handed()
	if a == nil || a.ctx.Err() == nil || c.req.Context().Err() != nil {
		return true
	}
	c.found(ContextLives, "the context of the request next was given ended before the response's body was closed")
	return false
}

// handed returns the attempt whose response the caller was handed, or nil if
// that is unknown.
func (c *call) handed() *attempt {
	if c.resp == nil {
		return nil
	}
	for _, a := range c.seen() {
		if a.mark() == c.resp.Header.Get(replyHeader) {
			return a
		}
	}
	return nil
}

// seen returns the attempts so far.
func (c *call) seen() []*attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.attempts)
}

func (c *call) checkIntact(got []byte, err error) {
	a := c.handed()
	switch {
	case a == nil:
		c.found(ResponseIntact, "the response is none of next's, or its header is lost")
	case err != nil:
		c.found(ResponseIntact, "the response's body cannot be read: %v", err)
	case string(got) != a.body().text():
		c.found(ResponseIntact, "the response's body reads differently")
	default:
		c.checkResponse(a)
	}
}

// checkResponse checks all of the response but its body, which has ended.
func (c *call) checkResponse(a *attempt) {
	sent := &a.original
	trailer := a.body() == nil || c.resp.Trailer.Get(replyTrailer) == a.mark()
	for _, part := range []struct {
		name string
		kept bool
	}{
		{"StatusCode", c.resp.StatusCode == sent.StatusCode},
		{"Header", contains(c.resp.Header, sent.Header)},
		{"ContentLength", c.resp.ContentLength == sent.ContentLength},
		{"Proto", c.resp.Proto == sent.Proto && c.resp.ProtoMajor == sent.ProtoMajor && c.resp.ProtoMinor == sent.ProtoMinor},
		{"TLS", c.resp.TLS == sent.TLS},
		{"Trailer", trailer},
	} {
		if !part.kept {
			c.found(ResponseIntact, "the response has another %s", part.name)
		}
	}
}

// audit checks what holds after every call, whatever next did.
func (c *call) audit() {
	if !c.returned() {
		return
	}
	if c.panicked != nil {
		c.auditPanic()
		return
	}
	c.auditOutcome()
	c.auditError()
	c.auditRequestBody()
	c.auditReplies()
}

func (c *call) auditPanic() {
	broken := NoPanic
	if c.before.URL == nil || c.before.Header == nil {
		broken = UninitializedRejected
	}
	c.found(broken, "RoundTrip panics: %v", c.panicked)
}

// auditAfterPanic checks what holds also after a panic in a function of the
// caller's.
func (c *call) auditAfterPanic() {
	if c.panicked == nil {
		c.audit()
		return
	}
	c.auditRequestBody()
	for _, a := range c.seen() {
		if r := a.body(); r != nil && !r.isClosed() {
			c.found(ResponseClosed, "the body of a response stays open after a panic")
		}
	}
}

func (c *call) auditOutcome() {
	switch {
	case c.resp != nil && c.err != nil:
		c.found(Outcome, "RoundTrip returns both a response and an error")
	case c.resp == nil && c.err == nil:
		c.found(Outcome, "RoundTrip returns neither a response nor an error")
	case c.resp != nil && c.resp.Body == nil:
		c.found(Outcome, "RoundTrip returns a response without Body")
	}
	if c.resp != nil && c.resp.Request != c.req {
		c.found(ResponseRequest, "Request of the response is not the caller's request")
	}
}

func (c *call) auditError() {
	if _, ok := errors.AsType[*url.Error](c.err); ok {
		c.found(ErrorBare, "the layer wraps the error in a *url.Error")
	}
}

func (c *call) auditRequestBody() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.body != nil && c.body.closes == 0 {
		c.found(BodyClosed, "the request's body was not closed")
	}
	if c.body != nil && c.body.closes > 1 && !c.stale {
		c.found(BodyClosedOnce, "the request's body was closed more than once")
	}
	for _, s := range c.copies {
		if s.closes == 0 {
			c.found(CopiesClosed, "a reader from GetBody was not closed")
		}
	}
}

func (c *call) auditReplies() {
	handed := c.handed()
	for _, a := range c.seen() {
		if r := a.body(); r != nil {
			c.auditReply(r, a == handed)
		}
	}
}

func (c *call) auditReply(r *reply, handed bool) {
	read, closed := r.state()
	switch {
	case !closed && handed:
		c.found(ResponseClosed, "closing the response does not close the body of next's response")
	case !closed:
		c.found(ResponseClosed, "the body of a response that was dropped stays open")
	case handed && read >= maxRead:
		c.found(ResponseStreamed, "the response is read ahead without bound")
	case read >= maxRead:
		c.found(ResponseDrained, "a response that was dropped is read without bound")
	case !handed && read < len(r.content) && !r.cut && r.ctx.Err() == nil:
		c.found(ResponseDrained, "a response that was dropped is closed unread")
	}
}

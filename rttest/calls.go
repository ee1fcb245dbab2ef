package rttest

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// checkCalls makes every kind of call with every end that it may come to.
func checkCalls(k Kit, rec *recorder) {
	for _, s := range regular(k) {
		for _, does := range scripts(k) {
			checkCall(k, rec, s, does)
		}
	}
	for _, s := range irregular(k) {
		for _, does := range mainScripts(k) {
			checkCall(k, rec, s, does)
		}
	}
}

func checkCall(k Kit, rec *recorder, s shape, does script) {
	try(k, rec, s.name+", "+does.name, k.Wrap, does, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		c.finish()
		if c.ended() {
			c.auditEnd()
		}
	})
}

// auditEnd checks that the caller gets the response or error of next.
func (c *call) auditEnd() {
	if c.script.good && c.resp == nil {
		c.found(ResponseIntact, "a good response becomes an error: %v", c.err)
	}
	if c.req.Context().Err() != nil {
		return // the call was ended, since it did not end
	}
	last := c.lastError()
	if last == nil || c.err == nil || errors.Is(c.err, errGetBody) {
		return
	}
	if !errors.Is(c.err, last) {
		c.found(ErrorKept, "errors.Is does not find the error of next in: %v", c.err)
	} else if _, ok := errors.AsType[timeout](c.err); ok && !isTimeout(c.err) {
		c.found(TimeoutKept, "an error that is a timeout does not return true from a method Timeout() bool: %v", c.err)
	}
}

// lastError returns the error by which next ended the last attempt, or nil.
func (c *call) lastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.attempts) == 0 {
		return nil
	}
	return c.attempts[len(c.attempts)-1].failed
}

// finish does what is left to do and to check when RoundTrip has returned.
func (c *call) finish() {
	if c.ended() {
		c.receive()
	}
	c.settle()
	c.audit()
}

// ended reports whether RoundTrip has returned, by a result.
func (c *call) ended() bool { return c.returned() && c.panicked == nil }

// checkRejection checks calls that the layer rejects by itself.
func checkRejection(k Kit, rec *recorder) {
	if k.Reject == nil {
		return
	}
	good := responds(k.Response, "Kit.Response")
	for _, s := range append(regular(k), irregular(k)...) {
		try(k, rec, s.name+", rejected by the layer", k.Reject, good, func(t *trial) {
			c := t.onlyCall(context.Background(), s)
			c.do()
			c.finish()
			if c.ended() && c.err == nil {
				c.found(Outcome, "the layer of Kit.Reject does not reject the call")
			}
		})
	}
}

// checkPanic checks that nothing stays open when a function of the caller's
// panics, before or after next was called.
func checkPanic(k Kit, rec *recorder) {
	if k.Panic == nil {
		return
	}
	for _, s := range append(regular(k), irregular(k)...) {
		for _, does := range mainScripts(k) {
			try(k, rec, s.name+", "+does.name+", a function of the caller's panics", k.Panic, does, func(t *trial) {
				c := t.onlyCall(context.Background(), s)
				c.do()
				if c.ended() {
					c.receive()
				}
				c.settle()
				c.auditAfterPanic()
			})
		}
	}
}

// checkNil checks calls for which next returns nothing at all.
func checkNil(k Kit, rec *recorder) {
	for _, s := range regular(k) {
		try(k, rec, s.name+", next returns neither a response nor an error", k.Wrap, returnsNothing(), func(t *trial) {
			c := t.onlyCall(context.Background(), s)
			c.do()
			c.settle()
			if c.panicked != nil {
				c.found(NilHandled, "RoundTrip panics: %v", c.panicked)
				return
			}
			c.close()
			c.auditRequestBody()
		})
	}
}

// checkRedirect checks that redirects are handed over. That none is followed
// is checked wherever next returns one.
func checkRedirect(k Kit, rec *recorder) {
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		redirect := responds(Response{Status: status, Header: http.Header{"Location": {redirectedTo}}}, "a redirect")
		for _, s := range regular(k) {
			try(k, rec, s.name+", "+redirect.name, k.Wrap, redirect, func(t *trial) {
				c := t.onlyCall(context.Background(), s)
				c.do()
				c.finish()
				if c.ended() && c.resp == nil {
					t.found(RedirectReturned, "a redirect becomes an error: %v", c.err)
				}
			})
		}
	}
}

// checkUpgrade checks that a connection stays one.
func checkUpgrade(k Kit, rec *recorder) {
	switching := responds(Response{
		Status: http.StatusSwitchingProtocols,
		Header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"rttest"}},
	}, "101")
	s := regular(k)[0]
	try(k, rec, s.name+", "+switching.name, k.Wrap, switching, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		if c.ended() && c.resp != nil && c.resp.Body != nil {
			if _, ok := c.resp.Body.(io.Writer); !ok {
				t.found(ResponseUpgraded, "the body of the response is no io.Writer")
			}
		}
		c.finish()
	})
}

// maxLayers bounds the search for next: a layer may unwrap to itself.
const maxLayers = 100

// checkChain checks what http.Client and others look for in a RoundTripper.
func checkChain(k Kit, rec *recorder) {
	try(k, rec, "no request", k.Wrap, responds(k.Response, ""), func(t *trial) {
		client := http.Client{Transport: t.top}
		client.CloseIdleConnections()
		if t.next.idle.Load() == 0 {
			t.found(IdleForwarded, "CloseIdleConnections does not reach next")
		}
		if !unwraps(t.top, t.next) {
			t.found(Unwraps, "Unwrap() http.RoundTripper does not lead to next")
		}
	})
}

func unwraps(rt http.RoundTripper, next *bottom) bool {
	for range maxLayers {
		if same(rt, next) {
			return true
		}
		u, ok := rt.(interface{ Unwrap() http.RoundTripper })
		if !ok {
			return false
		}
		rt = u.Unwrap()
	}
	return false
}

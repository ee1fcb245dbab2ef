package rttest

import (
	"context"
	"errors"
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

// auditEnd checks that the caller hears what next has said.
func (c *call) auditEnd() {
	if c.script.good && c.resp == nil {
		c.found(AnswerIntact, "a good answer becomes an error: %v", c.err)
	}
	if c.req.Context().Err() != nil {
		return // the call was ended, since it did not end
	}
	if !c.lastFailed() || c.err == nil || errors.Is(c.err, errGetBody) {
		return
	}
	if !errors.Is(c.err, errNext) {
		c.found(ErrorKept, "errors.Is does not find the error of next in: %v", c.err)
	} else if _, ok := errors.AsType[timeout](c.err); ok && !isTimeout(c.err) {
		c.found(TimeoutKept, "an error that is a timeout has no method Timeout() bool that says so: %v", c.err)
	}
}

// lastFailed reports whether the last attempt ended with the error of next.
func (c *call) lastFailed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.attempts) > 0 && c.attempts[len(c.attempts)-1].failed
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

// checkRefusal checks calls that the layer refuses by itself.
func checkRefusal(k Kit, rec *recorder) {
	if k.Refuse == nil {
		return
	}
	good := answers(k.Answer, "Kit.Answer")
	for _, s := range append(regular(k), irregular(k)...) {
		try(k, rec, s.name+", refused by the layer", k.Refuse, good, func(t *trial) {
			c := t.onlyCall(context.Background(), s)
			c.do()
			c.finish()
			if c.ended() && c.err == nil {
				c.found(Outcome, "the layer of Kit.Refuse does not refuse the call")
			}
		})
	}
}

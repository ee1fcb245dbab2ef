package rttest

import (
	"context"
	"errors"
	"slices"
	"testing/synctest"
	"time"
)

// checkContext ends the context of calls at every time at which it can end.
func checkContext(k Kit, rec *recorder) {
	for _, s := range regular(k) {
		for _, end := range ends {
			endBefore(k, rec, s, end)
			endDuring(k, rec, s, end)
			endStalled(k, rec, s, end)
			endFirstByte(k, rec, s, end)
			for _, does := range pausing(k) {
				endPause(k, rec, s, end, does)
			}
		}
		endReading(k, rec, s)
	}
}

// end is a way in which contexts end.
type end struct {
	name  string
	after time.Duration // a deadline; 0: cancelled
	err   error
	cause error // nil: err
}

// errCause is what next returns instead of context.Canceled, since that is what
// http.Transport does.
var errCause = errors.New("rttest: the cause of a context's end")

var ends = []end{
	{name: "cancelled", err: context.Canceled},
	{name: "cancelled with a cause", err: context.Canceled, cause: errCause},
	{name: "deadline", after: time.Second, err: context.DeadlineExceeded},
}

// context returns one that ends by itself if that is how it ends.
func (e end) context() context.Context {
	if e.after == 0 {
		return context.Background()
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.after)
	context.AfterFunc(ctx, cancel) // releases the timer, no sooner than it fires
	return ctx
}

// come makes c's context end, and waits for all that needs no time.
func (e end) come(c *call) {
	if e.after == 0 {
		c.cancel(e.cause)
	} else {
		time.Sleep(e.after)
	}
	synctest.Wait()
}

func endBefore(k Kit, rec *recorder, s shape, e end) {
	good := responds(k.Response, "Kit.Response")
	try(k, rec, s.name+", context ended before ("+e.name+")", k.Wrap, good, func(t *trial) {
		c := t.onlyCall(e.context(), s)
		e.come(c)
		c.start()
		synctest.Wait()
		if !c.returned() {
			t.found(ContextChecked, "RoundTrip waits")
		}
		c.wait()
		c.finish()
		switch {
		case c.outlived():
			t.found(ContextReaches, "the context given to next has not ended with the caller's")
		case c.ended():
			c.checkEnd(e, ContextChecked)
		}
	})
}

func endDuring(k Kit, rec *recorder, s shape, e end) {
	try(k, rec, s.name+", context ends in next ("+e.name+")", k.Wrap, hangs(), func(t *trial) {
		c := t.onlyCall(e.context(), s)
		c.start()
		synctest.Wait()
		c.endNow(e, true)
	})
}

// endPause ends the context while the layer waits to call next again.
func endPause(k Kit, rec *recorder, s shape, e end, does script) {
	try(k, rec, s.name+", "+does.name+", context ends in the pause ("+e.name+")", k.Wrap, does, func(t *trial) {
		c := t.onlyCall(e.context(), s)
		c.start()
		synctest.Wait()
		// A layer that knows that the deadline comes too early may return at
		// once, with what next has returned.
		c.endNow(e, !c.returned() && e.after == 0)
	})
}

func endStalled(k Kit, rec *recorder, s shape, e end) {
	if k.Stall == nil {
		return
	}
	good := responds(k.Response, "Kit.Response")
	try(k, rec, s.name+", the layer waits before next is called ("+e.name+")", k.Stall, good, func(t *trial) {
		c := t.onlyCall(e.context(), s)
		c.start()
		synctest.Wait()
		c.endNow(e, true)
	})
}

// endFirstByte ends the context while the layer waits for the first bytes of the
// response. Most do not; endReading checks those.
func endFirstByte(k Kit, rec *recorder, s shape, e end) {
	stalled := respondsWith(k.Response, "", func(r *reply) { r.stalled, r.stallAt = true, 0 })
	try(k, rec, s.name+", the response does not come ("+e.name+")", k.Wrap, stalled, func(t *trial) {
		c := t.onlyCall(e.context(), s)
		c.start()
		synctest.Wait()
		returned := c.returned()
		c.endNow(e, false)
		if !returned && c.ended() && c.err != nil { // a response may fail when it is read, as next's does
			c.checkEnd(e, ContextEnds)
		}
	})
}

// endNow ends the context and checks that the call returns at once, and, if
// must is set, that the error is the context's.
func (c *call) endNow(e end, must bool) {
	e.come(c)
	late := !c.returned()
	outlived := c.outlived()
	if late && !outlived {
		c.found(ContextEnds, "RoundTrip does not return at the instant the context ends")
	}
	c.next.release()
	c.wait()
	c.finish()
	switch {
	case outlived:
		c.found(ContextReaches, "the context given to next does not end with the caller's")
	case must && c.ended():
		c.checkEnd(e, ContextEnds)
	}
}

// checkEnd checks that the call ended with the context's error, or its cause.
func (c *call) checkEnd(e end, breaks Clause) {
	switch {
	case e.cause != nil && errors.Is(c.err, e.cause):
	case !errors.Is(c.err, e.err):
		c.found(breaks, "the error is not %v: %v", e.err, c.err)
	case e.after > 0 && !isTimeout(c.err):
		c.found(TimeoutKept, "the error of a deadline does not return true from Timeout() bool: %v", c.err)
	}
}

// outlived reports whether next was given a context that goes on, though the
// caller's has ended.
func (c *call) outlived() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.attempts, func(a *attempt) bool {
		return a.outlived || !a.returned && a.ctx.Err() == nil
	})
}

// endReading ends the context when RoundTrip has returned, but the caller has
// not read the response yet.
func endReading(k Kit, rec *recorder, s shape) {
	good := responds(k.Response, "Kit.Response")
	try(k, rec, s.name+", context ends before the response was read", k.Wrap, good, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		synctest.Wait()
		a := c.handed()
		if a == nil || !c.contextLives() {
			c.finish()
			return
		}
		c.cancel(nil)
		synctest.Wait()
		if a.ctx.Err() == nil {
			t.found(ContextReaches, "the context given to next does not end with the caller's while the response's body is read")
		}
		c.close()
		c.audit()
	})
}

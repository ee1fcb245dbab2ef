package rttest

import (
	"context"
	"io"
	"testing/synctest"
	"time"
)

// checkStream checks responses that come bit by bit, and those that do not end.
func checkStream(k Kit, rec *recorder) {
	for _, s := range regular(k) {
		halved(k, rec, s)
		cutShort(k, rec, s)
		unannounced(k, rec, s)
		endless(k, rec, s, k.Response, "the response has no end")
	}
	s := regular(k)[0]
	for _, does := range otherResponses(k) {
		endless(k, rec, s, does.response, does.name+" without end")
	}
}

// halved sends half of the response, and the rest when that was read.
func halved(k Kit, rec *recorder, s shape) {
	half := len(k.Response.Body) / 2
	if half == 0 {
		return
	}
	halves := respondsWith(k.Response, "", func(r *reply) { r.stalled, r.stallAt = true, half })
	try(k, rec, s.name+", the response comes in two halves", k.Wrap, halves, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.start()
		if !c.returnedOrStalled() {
			t.found(ResponseStreamed, "RoundTrip does not return before the whole response has come")
		} else if c.ended() && c.contextLives() {
			c.readHalf(half)
		}
		close(t.next.gate)
		synctest.Wait() // for what reads still
		c.wait()
		c.finishUnread()
	})
}

// returnedOrStalled waits until RoundTrip returns, or does not because it waits
// for the second half.
func (c *call) returnedOrStalled() bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-c.next.waiting:
	case <-timer.C:
	}
	synctest.Wait() // the goroutine that waits may have been another one
	return c.returned()
}

// readHalf checks that the first half can be read while the rest is missing.
func (c *call) readHalf(half int) {
	if c.resp == nil || c.resp.Body == nil {
		return
	}
	read := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(c.resp.Body, make([]byte, half))
		read <- err
	}()
	synctest.Wait()
	select {
	case err := <-read:
		if err != nil {
			c.found(ResponseIntact, "the first half of the response cannot be read: %v", err)
		}
	default:
		c.found(ResponseStreamed, "what has come of the response cannot be read before the rest")
	}
}

// cutShort sends half of the response, and loses the connection.
func cutShort(k Kit, rec *recorder, s shape) {
	cut := respondsWith(k.Response, "", func(r *reply) { r.cut = true })
	try(k, rec, s.name+", the response is cut in the middle", k.Wrap, cut, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		if a := c.handed(); c.ended() && a != nil && c.resp.Body != nil && c.contextLives() {
			if _, err := io.ReadAll(c.resp.Body); err == nil {
				c.found(ResponseIntact, "reading a response that is cut in the middle returns no error")
			}
		}
		c.finishUnread()
	})
}

// unannounced sends a trailer that the response does not announce.
func unannounced(k Kit, rec *recorder, s shape) {
	does := respondsWith(k.Response, "", func(r *reply) { r.unannounced = true })
	try(k, rec, s.name+", the response has a trailer at its end", k.Wrap, does, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		c.finish()
	})
}

// endless sends a response without end to a caller that closes it unread.
func endless(k Kit, rec *recorder, s shape, response Response, name string) {
	does := respondsWith(response, name, func(r *reply) { r.endless = true })
	try(k, rec, s.name+", "+name, k.Wrap, does, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		synctest.Wait() // for what reads ahead
		c.finishUnread()
	})
}

// finishUnread is finish for a caller that does not read the rest.
func (c *call) finishUnread() {
	if c.ended() {
		c.close()
	}
	c.settle()
	c.audit()
}

// checkUpload checks that a body that comes bit by bit is sent bit by bit.
func checkUpload(k Kit, rec *recorder) {
	shapes := uploadShapes(k)
	s := shapes[len(shapes)-1]
	stalled(k, rec, s.as("whose body is not read before next asks", func(c *call) {
		s.edit(c)
		c.holdAt = 0
	}))
	stalled(k, rec, s.as("whose body comes in two halves", func(c *call) {
		s.edit(c)
		c.req.Header.Del("Expect")
		c.holdAt = len(c.content) / 2
	}))
}

// stalled sends a body that stalls until next was called.
func stalled(k Kit, rec *recorder, s shape) {
	good := responds(k.Response, "Kit.Response")
	try(k, rec, s.name, k.Wrap, good, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.gate, c.waiting = make(chan struct{}), make(chan struct{})
		c.start()
		c.untilStalled()
		if len(c.seen()) == 0 && !c.returned() {
			t.found(RequestStreamed, "next is not called before the body was read")
		}
		close(c.gate)
		c.wait()
		c.finish()
	})
}

// untilStalled waits until next, or the layer before it calls next, waits for
// the rest of the body.
func (c *call) untilStalled() {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-c.waiting:
	case <-timer.C:
	}
}

package rttest

import (
	"context"
	"time"
)

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
	good := answers(k.Answer, "Kit.Answer")
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

// untilStalled waits until somebody waits for the rest of the body: next, or
// the layer before it calls next.
func (c *call) untilStalled() {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-c.waiting:
	case <-timer.C:
	}
}

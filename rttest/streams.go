package rttest

import (
	"context"
	"io"
	"testing/synctest"
	"time"
)

// checkStream checks answers that come bit by bit, and those that do not end.
func checkStream(k Kit, rec *recorder) {
	for _, s := range regular(k) {
		halved(k, rec, s)
		cutShort(k, rec, s)
		unannounced(k, rec, s)
		endless(k, rec, s, k.Answer, "the answer has no end")
	}
	s := regular(k)[0]
	for _, does := range otherAnswers(k) {
		endless(k, rec, s, does.answer, does.name+" without end")
	}
}

// halved sends half of the answer, and the rest when that was read.
func halved(k Kit, rec *recorder, s shape) {
	half := len(k.Answer.Body) / 2
	if half == 0 {
		return
	}
	halves := answersWith(k.Answer, "", func(r *reply) { r.held, r.holdAt = true, half })
	try(k, rec, s.name+", the answer comes in two halves", k.Wrap, halves, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.start()
		if !c.returnedOrHeld() {
			t.found(AnswerStreamed, "RoundTrip does not return before the whole answer has come")
		} else if c.ended() && c.contextLives() {
			c.readHalf(half)
		}
		close(t.next.gate)
		synctest.Wait() // for what reads still
		c.wait()
		c.finishUnread()
	})
}

// returnedOrHeld waits until RoundTrip returns, or does not because it waits
// for the second half.
func (c *call) returnedOrHeld() bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-c.next.held:
	case <-timer.C:
	}
	synctest.Wait() // whoever waits may have been another goroutine
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
			c.found(AnswerIntact, "the first half of the answer cannot be read: %v", err)
		}
	default:
		c.found(AnswerStreamed, "what has come of the answer cannot be read before the rest")
	}
}

// cutShort sends half of the answer, and loses the connection.
func cutShort(k Kit, rec *recorder, s shape) {
	cut := answersWith(k.Answer, "", func(r *reply) { r.cut = true })
	try(k, rec, s.name+", the answer is cut in the middle", k.Wrap, cut, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		if a := c.handed(); c.ended() && a != nil && c.resp.Body != nil && c.contextLives() {
			if _, err := io.ReadAll(c.resp.Body); err == nil {
				c.found(AnswerIntact, "that the answer's body is cut is not said by an error")
			}
		}
		c.finishUnread()
	})
}

// unannounced sends a trailer that the response does not announce.
func unannounced(k Kit, rec *recorder, s shape) {
	does := answersWith(k.Answer, "", func(r *reply) { r.unannounced = true })
	try(k, rec, s.name+", the answer has a trailer at its end", k.Wrap, does, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		c.finish()
	})
}

// endless sends an answer without end to a caller who closes it unread.
func endless(k Kit, rec *recorder, s shape, answer Answer, name string) {
	does := answersWith(answer, name, func(r *reply) { r.endless = true })
	try(k, rec, s.name+", "+name, k.Wrap, does, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		synctest.Wait() // for what reads ahead
		c.finishUnread()
	})
}

// finishUnread is finish for a caller who does not want the rest.
func (c *call) finishUnread() {
	if c.ended() {
		c.close()
	}
	c.settle()
	c.audit()
}

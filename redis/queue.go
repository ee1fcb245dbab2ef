package okredis

import (
	"context"
	"time"
)

// A queue is a list of callers in the order in which they came. A caller is
// removed from any position in constant time. The zero queue is empty.
type queue struct {
	first, last *waiter
	length      int
}

// A waiter is a caller in a queue.
type waiter struct {
	ctx        context.Context
	deadline   time.Time     // of ctx; zero: none
	ready      chan struct{} // closed when the caller may go on, or fails with err
	err        error
	queued     bool
	prev, next *waiter
}

// add appends the caller of ctx.
func (q *queue) add(ctx context.Context) *waiter {
	w := &waiter{ctx: ctx, ready: make(chan struct{}), queued: true, prev: q.last}
	w.deadline, _ = ctx.Deadline()
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.length++
	return w
}

// remove removes w, which must be in the queue.
func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	q.length--
}

// finish removes w and ends its wait, with err or, if that is nil, with the
// permission to go on.
func (q *queue) finish(w *waiter, err error) {
	q.remove(w)
	w.err = err
	close(w.ready)
}

// isLate reports whether w would be too late for a slot at this time.
func (w *waiter) isLate(slot time.Time) bool {
	return !w.deadline.IsZero() && w.deadline.Before(slot)
}

package ratelimit

import (
	"context"
	"time"
)

// line holds callers in the order in which they came. A caller leaves it from
// any place in constant time. It is guarded by whoever owns it.
type line struct {
	first, last *waiter
	length      int

	waited time.Duration // for how long somebody was in line, up to since
	since  time.Time     // when the first came into the empty line
}

// waiter is a caller in a line.
type waiter struct {
	ctx        context.Context
	ready      chan struct{} // closed when the caller may go, or with err
	err        error
	queued     bool
	prev, next *waiter
}

func (l *line) empty() bool { return l.first == nil }

// join puts the caller of ctx at the end.
func (l *line) join(ctx context.Context, now time.Time) *waiter {
	w := &waiter{ctx: ctx, ready: make(chan struct{}), queued: true, prev: l.last}
	if l.last == nil {
		l.first, l.since = w, now
	} else {
		l.last.next = w
	}
	l.last = w
	l.length++
	return w
}

// leave takes w out, wherever it stands.
func (l *line) leave(w *waiter, now time.Time) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	l.length--
	if l.empty() {
		l.waited += now.Sub(l.since)
	}
}

// busy returns for how long somebody has been in line, all in all.
func (l *line) busy(now time.Time) time.Duration {
	if l.empty() {
		return l.waited
	}
	return l.waited + now.Sub(l.since)
}

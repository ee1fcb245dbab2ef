package ratelimit

// This file has the queue that Bucket and Adaptive wait in. x/time/rate alone has
// no queue: each of its callers reserves a time in the future, which cannot move
// up when another caller leaves.

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxLate is how late a timer may wake a caller without a loss of rate: the
// calls of that time are released at once. Those of a longer time are lost.
const maxLate = 20 * time.Millisecond

// A queue is a FIFO queue in front of a token bucket: it lets callers pass one by
// one, in the order in which they came, as the bucket has tokens for them.
//
// A caller takes its token when it passes and not before. One that leaves
// therefore has nothing to give back, and a change of the rate takes effect for
// all callers that wait. A token is taken as of the time at which it was due,
// up to maxLate ago, but never as of a time before the last token: x/time/rate
// would then count the time between twice.
//
// One timer serves all callers. It runs only while callers wait.
type queue struct {
	mu      sync.Mutex   // guards all fields, and what the owner of the queue keeps beside it
	tokens  rate.Limiter // changed only under mu
	made    bool         // by init
	waiters fifo         // in the order in which they came
	timer   *time.Timer  // nil while none wait

	taken time.Time // as of when the last token was taken, or the rate changed

	opens   time.Time     // none pass earlier
	spacing time.Duration // if not 0, each caller that passes closes the queue for so long
}

// init makes q, which must be zero, a queue with a full token bucket.
func (q *queue) init(limit rate.Limit, burst int) {
	var start time.Time
	q.made = true
	q.tokens.SetBurstAt(start, max(burst, 0))
	q.tokens.SetLimitAt(start, rate.Inf) // fills it in no time
	q.tokens.SetLimitAt(start.Add(1), valid(limit))
}

// valid returns limit, 0 for a limit that is negative or not a number, and
// rate.Inf, which is finite, for +Inf. In x/time/rate a NaN would make the
// count of tokens NaN forever, and +Inf as well, over no time: 0·∞.
func valid(limit rate.Limit) rate.Limit {
	if limit > 0 {
		return min(limit, rate.Inf)
	}
	return 0
}

// tryPass lets a caller pass at once, if none are before it.
func (q *queue) tryPass(now time.Time) bool {
	return q.waiters.empty() && !now.Before(q.opens) && q.take(now)
}

// closeUntil lets none pass before opens. If spacing is not 0, it then lets one
// caller pass at a time, at that distance, until the next closeUntil.
func (q *queue) closeUntil(opens time.Time, spacing time.Duration) {
	q.opens, q.spacing = opens, spacing
}

// take takes a token as of at, if there is one.
func (q *queue) take(at time.Time) bool {
	if !q.tokens.AllowN(at, 1) {
		return false
	}
	q.taken = at
	if q.spacing > 0 {
		q.opens = at.Add(q.spacing)
	}
	return true
}

// slot returns when the caller behind ahead others may pass if nothing
// changes. It returns false if that is never.
func (q *queue) slot(ahead int) (slot time.Time, ok bool) {
	slot = q.taken
	limit := q.tokens.Limit()
	missing := float64(1+ahead) - q.tokens.TokensAt(q.taken)
	if missing > 0 && limit != rate.Inf {
		wait := timeFor(missing, limit)
		if wait == forever {
			return slot, false
		}
		slot = slot.Add(wait)
	}
	return later(slot, q.opens), true
}

// release lets all callers pass whose slots have come, and sets the timer for
// the next. A caller whose context ended takes no slot, even if it had no time
// to leave yet.
func (q *queue) release(now time.Time) {
	for !q.waiters.empty() {
		w := q.waiters.first
		if w.err = contextErr(w.ctx); w.err == nil && !q.admit(now) {
			return
		}
		q.waiters.remove(w, now)
		close(w.ready)
	}
	q.stop()
	q.timer = nil
}

// admit takes the token of the first waiter. If there is none yet, it sets the
// timer.
func (q *queue) admit(now time.Time) bool {
	slot, ok := q.slot(0)
	if !ok {
		q.stop()
		return false
	}
	if wait := slot.Sub(now); wait > 0 {
		q.wakeIn(wait)
		return false
	}
	if !q.take(later(slot, now.Add(-maxLate))) {
		q.wakeIn(maxLate) // the burst is 0 now; or a rounding error: the token is due within it
		return false
	}
	return true
}

// wait returns when w may pass or its context ends, whichever is first.
func (q *queue) wait(w *waiter) error {
	select {
	case <-w.ready:
		return w.err
	case <-w.ctx.Done():
		return q.leave(w)
	}
}

// leave removes w from the queue, unless it has passed a moment ago.
func (q *queue) leave(w *waiter) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	// It has passed, or its error is known, between the end of the context and the
	// lock. A token that was taken must be used.
	if !w.queued {
		return w.err
	}
	now := time.Now()
	q.waiters.remove(w, now)
	q.release(now)
	return contextErr(w.ctx)
}

// setLimit changes the rate, also for the callers that wait.
func (q *queue) setLimit(limit rate.Limit, now time.Time) {
	q.release(now) // at the old rate, what was due until now
	q.tokens.SetLimitAt(now, valid(limit))
	q.taken = now
	q.release(now)
}

// setBurst changes the burst, as setLimit changes the rate.
func (q *queue) setBurst(burst int, now time.Time) {
	q.release(now) // what was due until now
	q.tokens.SetBurstAt(now, max(burst, 0))
	q.taken = now
	q.release(now)
}

// fullIn returns after which time none will wait and the token bucket will be
// full.
func (q *queue) fullIn(now time.Time) time.Duration {
	missing := float64(q.tokens.Burst()+q.waiters.length) - q.tokens.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return timeFor(missing, q.tokens.Limit())
}

// timeFor returns the time in which limit brings so many tokens, which is 0
// for none; forever if it never does.
func timeFor(tokens float64, limit rate.Limit) time.Duration {
	d := math.Ceil(tokens / float64(limit) * float64(time.Second))
	if !(d < float64(forever)) {
		return forever
	}
	return time.Duration(d)
}

// later returns the later one of a and b.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// wakeIn sets the timer. The caller holds q.mu.
func (q *queue) wakeIn(d time.Duration) {
	if q.timer == nil {
		q.timer = time.AfterFunc(d, q.wake)
		return
	}
	q.timer.Reset(d)
}

// stop stops the timer. A wake that has begun finds nothing to do. The caller
// holds q.mu.
func (q *queue) stop() {
	if q.timer != nil {
		q.timer.Stop()
	}
}

// wake is called by the timer.
func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.release(time.Now())
}

// A fifo is a list of callers in the order in which they came. A caller is
// removed from any position in constant time. The zero fifo is empty. The lock
// of its queue guards it.
type fifo struct {
	first, last *waiter
	length      int

	waited time.Duration // the time in which the list was not empty, up to since
	since  time.Time     // when it was last empty
}

// A waiter is a caller in a queue.
type waiter struct {
	ctx        context.Context
	ready      chan struct{} // closed when the caller may pass, or with err
	err        error         // set before ready is closed
	queued     bool          // false: it was removed from the queue
	prev, next *waiter
}

// empty reports whether no caller waits.
func (l *fifo) empty() bool { return l.first == nil }

// add appends the caller of ctx.
func (l *fifo) add(ctx context.Context, now time.Time) *waiter {
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

// remove removes w from any position.
func (l *fifo) remove(w *waiter, now time.Time) {
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

// busy returns the total time in which callers waited.
func (l *fifo) busy(now time.Time) time.Duration {
	if l.empty() {
		return l.waited
	}
	return l.waited + now.Sub(l.since)
}

package ratelimit

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// An Adaptive is a [Limiter] that finds the rate which the server allows. It
// needs no number, and it never refuses a call on an estimate: calls wait, in
// the order in which they came.
//
// It is an [Observer]: it learns from how calls end, which [Limit] tells it. It
// begins with 10 calls per second and doubles that each second, from 150 on a
// bit less, until the server refuses. From then on it follows CUBIC, the
// congestion control of TCP (RFC 9438): it cuts the rate by 3 %, comes back to
// a ceiling fast at first and then ever slower, stays there, and goes beyond
// it slowly at first and then ever faster, until it is refused again. Unlike
// there, the ceiling is measured at each cut: it is the rate at which calls
// were accepted since the last one, if that was not a moment ago. A constant
// factor would be refused all the time at a low rate, and lose a good part of a
// high one.
//
//   - A refusal of a call that was sent before the last cut is no news.
//   - If calls are refused at once after a cut, the rate goes down by as much
//     of it as is refused.
//   - Time counts only while callers wait: what nobody asks for is not allowed
//     either.
//   - While the server says how long to wait, by Retry-After, everybody does,
//     and a call whose deadline comes first is refused. The first call after
//     that goes alone; the others wait for its answer.
//   - If the server refuses everything, as with a spent quota or a block,
//     nobody goes for 50 ms and then one call alone. Each time that is refused
//     as well, the pause grows by half, up to 10 minutes.
//
// The chart in testdata/adaptive.svg shows what a server with a burst of 10
// accepts in a simulation whose limit moves from 50 to 20 to 100 per second.
//
// An Adaptive costs no goroutine, and a timer only while somebody waits. It is
// safe for concurrent use. The zero Adaptive is not ready for use; see
// [NewAdaptive].
type Adaptive struct {
	queue  queue
	cubic  cubic
	hold   hold
	seen   time.Time     // when the rate was last brought up to date
	waited time.Duration // for how long somebody had been in line by then
	heard  int           // calls that Observe was told of
}

// NewAdaptive returns an Adaptive that keeps the rate between min and max
// calls per second. A min of 0 or less is one call in 10 seconds; a max of 0
// or less is no bound. Bounds in the wrong order are exchanged.
func NewAdaptive(min, max rate.Limit) *Adaptive {
	if !(min > 0) {
		min = 0.1
	}
	if !(max > 0) {
		max = rate.Inf
	}
	if max < min {
		min, max = max, min
	}
	a := &Adaptive{cubic: newCubic(float64(min), float64(max))}
	a.queue.init(rate.Limit(a.cubic.rate), 1)
	return a
}

// Wait returns nil when the call of ctx may be made, the error of ctx if that
// ends before, or a [*LimitedError] at once if the server has said to wait
// beyond its deadline. Each Wait that returns nil must be followed by one
// Observe, as [Limit] does: a call that goes alone holds all others back until
// then, or for a minute.
func (a *Adaptive) Wait(ctx context.Context) error {
	if err := contextErr(ctx); err != nil {
		return err
	}
	w, err := a.enter(ctx)
	if w == nil {
		return err
	}
	return a.queue.wait(w)
}

// enter passes at once, with neither a waiter nor an error, or joins the line.
func (a *Adaptive) enter(ctx context.Context) (*waiter, error) {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	now := time.Now()
	a.elapse(now)
	if a.queue.tryPass(now) {
		return nil, nil
	}
	if deadline, ok := ctx.Deadline(); ok && a.hold.told.After(deadline) {
		return nil, &LimitedError{Wait: a.hold.told.Sub(now), deadline: true, reason: "the server said to wait beyond the deadline of its context"}
	}
	w := a.queue.waiters.add(ctx, now)
	a.queue.release(now)
	return w, nil
}

// Observe learns from how a call ended. An Outcome without Sent counts as that
// of the call which has been under way for longest.
func (a *Adaptive) Observe(o Outcome) {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	now := time.Now()
	a.elapse(now)
	underWay := a.queue.count - a.heard
	a.heard = min(a.heard+1, a.queue.count)
	if o.Sent.IsZero() {
		o.Sent = a.sentFirst(underWay, now)
	}
	if o.Err == nil {
		a.cubic.heard(now.Sub(o.Sent).Seconds())
	}
	alone := a.hold.isAlone(o.Sent)
	if o.Err == nil && o.Throttled {
		a.refused(now, o, alone)
	} else if alone {
		a.open(now) // without an answer, too: that says nothing against the others
	}
	if o.Err == nil && !o.Throttled {
		a.cubic.accept(o.Sent)
	}
	a.queue.setLimit(rate.Limit(a.cubic.rate), now)
}

// sentFirst returns when the first of so many calls under way was sent,
// judging by the last one and the rate.
func (a *Adaptive) sentFirst(calls int, now time.Time) time.Time {
	if calls < 1 {
		return now // of a call that did not wait
	}
	return a.queue.passed.Add(-seconds(float64(calls-1) / a.cubic.recent))
}

// refused does what a refusal calls for.
func (a *Adaptive) refused(now time.Time, o Outcome, alone bool) {
	if o.RetryAfter > 0 {
		a.hold.tell(now, o.RetryAfter)
	}
	switch verdict := a.cubic.refuse(o.Sent, o.RetryAfter); {
	case alone || verdict == stopAll:
		a.cubic.ignore(now)
		a.hold.grow(now)
	case verdict == slowDown:
		a.cut(now)
	}
	if a.hold.on {
		a.queue.closeUntil(a.hold.until, probeTimeout)
	}
}

// cut cuts the rate. Calls that overtake each other on the way reach the server
// in bunches, for which its empty bucket needs a reserve; and after the start,
// calls that nobody will accept are still under way.
func (a *Adaptive) cut(now time.Time) {
	reserve := seconds(a.cubic.jitter / 2)
	if a.cubic.starting() {
		reserve = max(reserve, startReserve)
	}
	a.cubic.cut(now)
	a.queue.closeUntil(now.Add(reserve), 0)
}

// open ends the hold.
func (a *Adaptive) open(now time.Time) {
	a.hold = hold{}
	a.queue.closeUntil(now, 0)
}

// answered tells that the call that goes alone, if one does, was answered: it
// is not over, but nobody has to wait for it any more.
func (a *Adaptive) responded() {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	if now := time.Now(); a.hold.isAlone(now) {
		a.open(now)
		a.queue.release(now)
	}
}

// elapse brings the rate up to date. Time counts while somebody waits and is
// not kept waiting by a hold.
func (a *Adaptive) elapse(now time.Time) {
	waited := a.queue.waiters.busy(now)
	busy := waited - a.waited
	if closed := a.queue.opens; closed.After(a.seen) {
		if closed.After(now) {
			closed = now
		}
		busy -= closed.Sub(a.seen)
	}
	a.seen, a.waited = now, waited
	if busy > 0 {
		a.cubic.advance(busy.Seconds())
		a.queue.setLimit(rate.Limit(a.cubic.rate), now)
	}
}

// Limit returns the present rate, in calls per second.
func (a *Adaptive) Limit() rate.Limit {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	return rate.Limit(a.cubic.rate)
}

// fullIn tells a Keyed when nothing is lost if the key is given away but what
// was learnt about its rate.
func (a *Adaptive) fullIn(now time.Time) time.Duration {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	wait := a.queue.fullIn(now)
	if a.hold.on {
		wait = max(wait, a.hold.until.Add(a.hold.pause).Sub(now))
	}
	return wait
}

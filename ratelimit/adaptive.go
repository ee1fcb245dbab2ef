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
// It learns from how calls end, see [Observer]: [Limit] tells it. It begins
// with 10 calls per second and doubles that each second until the server
// refuses. From then on it follows CUBIC, the congestion control of TCP (RFC
// 9438): it cuts the rate by 5 %, comes back to a ceiling fast at first and
// then ever slower, stays there, and goes beyond it slowly at first and then
// ever faster, until it is refused again. Unlike there, the ceiling is measured
// at each cut: it is the mean of the rate since the last cut, times the share
// of calls that were accepted. A fixed factor would lose more than a few
// percent of a high rate, or be refused all the time at a low one.
//
//   - A refusal of a call that was sent before the last cut is no news.
//   - Time counts only while callers wait: what nobody asks for is not allowed
//     either.
//   - While the server says how long to wait, everybody does. The first call
//     after that goes alone.
//   - If the server refuses everything, as a quota does, pauses grow from 50
//     ms to 10 minutes, with one call between them.
//
// The chart in testdata/adaptive.svg shows the rate that it found in a
// simulation whose limit moves from 50 to 20 to 100 calls per second.
//
// An Adaptive costs no goroutine, and is safe for concurrent use. The zero
// Adaptive is not ready for use; see [NewAdaptive].
type Adaptive struct {
	gate   gate
	cubic  cubic
	seen   time.Time     // when the rate was last brought up to date
	waited time.Duration // busy time of the line, up to seen
	probe  time.Time     // when the call that goes alone may go; zero: none does
}

// NewAdaptive returns an Adaptive that keeps the rate between min and max
// calls per second. A min of 0 or less means one call in 10 seconds; a max of 0 or
// less, or below min, means no upper bound.
func NewAdaptive(min, max rate.Limit) *Adaptive {
	if !(min > 0) {
		min = 0.1
	}
	if !(max >= min) {
		max = 1e9
	}
	a := &Adaptive{seen: time.Now()}
	a.cubic = newCubic(float64(min), float64(max))
	a.gate.init(rate.Limit(a.cubic.rate), 1)
	return a
}

// Wait returns nil when the call of ctx may be made, or the error of ctx if
// that ends before. Each Wait that returns nil must be followed by an Observe,
// as [Limit] does: without it nothing is learnt, and after a pause nobody
// passes but one.
func (a *Adaptive) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := a.enter(ctx)
	if w == nil {
		return nil
	}
	return a.gate.wait(w)
}

func (a *Adaptive) enter(ctx context.Context) *waiter {
	a.gate.mu.Lock()
	defer a.gate.mu.Unlock()
	now := time.Now()
	a.update(now)
	if a.gate.tryPass(now) {
		return nil
	}
	w := a.gate.line.join(ctx, now)
	a.gate.release(now)
	return w
}

// Observe learns from how a call ended.
func (a *Adaptive) Observe(o Outcome) {
	a.gate.mu.Lock()
	defer a.gate.mu.Unlock()
	now := time.Now()
	a.update(now)
	if o.Err != nil {
		a.retryProbe(o.Sent)
	} else {
		a.cubic.observe(now, o)
		a.gate.opens = a.cubic.hold
		a.steer(o)
	}
	a.gate.setLimit(rate.Limit(a.cubic.rate), now)
}

// steer decides who may pass after an answer.
func (a *Adaptive) steer(o Outcome) {
	switch {
	case a.cubic.probing && a.probe != a.cubic.hold: // a new pause
		a.probe, a.gate.admits = a.cubic.hold, oneCaller
	case !a.cubic.probing:
		a.probe, a.gate.admits = time.Time{}, everybody
	}
}

// retryProbe lets another call go alone, if the one that did got no answer.
func (a *Adaptive) retryProbe(sent time.Time) {
	if a.cubic.probing && !sent.Before(a.probe) {
		a.gate.admits = oneCaller
	}
}

// update brings the rate up to date. The caller holds the lock.
func (a *Adaptive) update(now time.Time) {
	waited := a.gate.line.busy(now)
	a.cubic.advance((waited - a.waited).Seconds())
	a.waited, a.seen = waited, now
	a.gate.setLimit(rate.Limit(a.cubic.rate), now)
}

// Limit returns the present rate, in calls per second.
func (a *Adaptive) Limit() rate.Limit {
	a.gate.mu.Lock()
	defer a.gate.mu.Unlock()
	return rate.Limit(a.cubic.rate)
}

// fullIn tells a Keyed that what was learnt is lost with the key: a key whose
// ceiling is known is given away only after a while.
func (a *Adaptive) fullIn(now time.Time) time.Duration {
	if wait := a.gate.fullIn(now); wait > 0 {
		return wait
	}
	a.gate.mu.Lock()
	defer a.gate.mu.Unlock()
	return max(0, a.gate.opens.Sub(now))
}

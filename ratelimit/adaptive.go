package ratelimit

// This file has the limiter that finds the rate by itself. It joins three parts:
// the queue of callers (queue.go), the rate (cubic.go), and the back-off after calls
// were throttled (type backoff, at the end of this file).

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// An Adaptive is a [Limiter] that finds the rate that the server allows. It
// needs no number from the user, and never rejects a call because of an
// estimate: calls wait, in the order in which they came.
//
// It is an [Observer]: it learns from how calls end, which [Limit] reports. It
// starts with 10 calls per second and doubles that each second until the server
// throttles a call. From then on it follows CUBIC, the congestion control of
// TCP (RFC 9438), around a ceiling that it measures: the rate at which calls
// were accepted since the last cut. The first cut takes 42 %, the others 3 %,
// and more if the server throttles on.
//
//   - A throttled call that was sent before the last cut does not count.
//   - Time counts only while callers wait: a rate that callers do not use is
//     not tried.
//   - If calls are accepted again after cuts by more than 7 %, the rate returns
//     to what it was, doubling each second. After minutes in which a part of the
//     calls was throttled, the old rate may be forgotten, and the way back can
//     take 20 minutes.
//   - While the server asks to wait by Retry-After, all calls wait, and a call
//     whose deadline comes first is rejected. More than 10 minutes count as 10
//     minutes. Then one call goes first, the probe, and the others wait for its
//     outcome, for a second at most: the call may never end.
//   - If the server throttles every call, all calls wait for 50 ms and then one
//     probe goes. Each time that it is throttled too, the pause grows by half,
//     up to 10 minutes.
//
// The chart in testdata/adaptive.svg shows what a server with a burst of 10
// accepts in a simulation whose limit moves from 50 to 20 to 100 per second.
//
// It cannot tell a server that throttles some calls at any rate from other
// processes that use a part of the limit: it leaves them more and more of the
// limit, and its rate sinks for as long as this lasts. In a simulation of a program that makes 20 calls per
// second, of which 2 % are throttled, about half of the calls succeed in the
// first two minutes, a third in ten minutes, and a seventh in an hour. If your
// server does this, set min to the rate that you need, or use a [Bucket].
//
// # Several processes
//
// Processes that have an Adaptive each may share the limit of a server. In a
// simulation of 8 processes, with limits of 16 to 400 calls per second, they
// use all of it, and 0.7 to 2 % of the calls are throttled. At 50 calls per
// second and process that start together, each has 0.8 to 1.3 of a fair part
// after two minutes. At 10 and less, parts move slowly: a process may have a
// third or three times a fair part for minutes. One that starts when others use
// the whole limit may have a tenth. For fair parts, share a bucket with a known
// rate. The simulation is
//
//	OKRU_LONG=1 go test -run SeveralProcesses -v ./ratelimit
//
// An Adaptive costs no goroutine, and a timer only while callers wait. It is
// safe for concurrent use. The zero Adaptive and a nil one reject every call;
// use [NewAdaptive].
type Adaptive struct {
	queue   queue
	cubic   cubic
	backoff backoff

	updated time.Time     // when the rate was last brought up to date
	waited  time.Duration // the time in which callers had waited by then
}

// NewAdaptive returns an Adaptive that keeps the rate between min and max
// calls per second. A min of 0 or less is one call in 10 seconds; a max of 0
// or less is no bound. Bounds in the wrong order are exchanged.
func NewAdaptive(min, max rate.Limit) *Adaptive {
	// The negation also catches a NaN.
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

// Wait returns nil when the call of ctx may be made, the error of ctx, with its
// cause, if ctx ends first, or a [*LimitedError] at once if the server has asked
// to wait beyond the deadline of ctx. Each Wait that returns nil must be
// followed by one Observe, as [Limit] does.
func (a *Adaptive) Wait(ctx context.Context) error {
	if a == nil || !a.queue.made {
		return zero("Adaptive").Wait(ctx)
	}
	if err := contextErr(ctx); err != nil {
		return err
	}
	w, err := a.enter(ctx)
	if w == nil {
		return err
	}
	return a.queue.wait(w)
}

// enter returns nil, nil if the call of ctx passes at once. Otherwise it
// queues the call, or returns why it is rejected.
func (a *Adaptive) enter(ctx context.Context) (*waiter, error) {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	now := time.Now()
	a.update(now)
	if a.queue.tryPass(now) {
		return nil, nil
	}
	// Only what the server has asked for rejects a call. An estimate of ours may
	// be wrong.
	if deadline, ok := ctx.Deadline(); ok && a.backoff.asked.After(deadline) {
		return nil, &LimitedError{Wait: a.backoff.asked.Sub(now), deadline: true, reason: "the server asked to wait beyond the deadline of its context"}
	}
	w := a.queue.waiters.add(ctx, now)
	a.queue.release(now)
	return w, nil
}

// Observe learns from how a call ended.
func (a *Adaptive) Observe(o Outcome) {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	now := time.Now()
	a.update(now)
	if o.Sent.IsZero() {
		o.Sent = now
	}
	probe := a.backoff.isProbe(o.Sent)
	switch {
	case o.Err == nil && o.Throttled:
		a.cubic.measure(now.Sub(o.Sent).Seconds())
		a.throttled(now, o, probe)
	case probe: // also if nothing was learned: the others need not wait for that
		a.open(now)
	}
	if o.Err == nil && !o.Throttled {
		a.cubic.measure(now.Sub(o.Sent).Seconds())
		a.cubic.accept(o.Sent)
	}
	a.queue.setLimit(rate.Limit(a.cubic.rate), now)
}

// throttled reacts to a throttled call.
func (a *Adaptive) throttled(now time.Time, o Outcome, probe bool) {
	retryAfter := min(o.RetryAfter, maxRetryAfter)
	if retryAfter > 0 {
		a.backoff.obey(now, retryAfter)
	}
	switch reaction := a.cubic.throttle(o.Sent, retryAfter.Seconds()); {
	case probe || reaction == stopAll:
		a.cubic.ignore(now)
		a.backoff.grow(now)
	case reaction == slowDown:
		a.cut(now)
	}
	if a.backoff.on {
		a.queue.closeUntil(a.backoff.until, probeTimeout)
	}
}

// cut cuts the rate, and pauses a moment: calls that overtake each other on
// the way arrive in bunches, for which the empty bucket of the server needs a
// reserve. After the start, calls that it will throttle are still in flight.
func (a *Adaptive) cut(now time.Time) {
	reserve := seconds(a.cubic.jitter / 2)
	if a.cubic.starting() {
		reserve = startReserve
	}
	a.cubic.slow(now)
	a.queue.closeUntil(now.Add(reserve), 0)
}

// open ends the backoff.
func (a *Adaptive) open(now time.Time) {
	a.backoff = backoff{}
	a.queue.closeUntil(now, 0)
}

// responded ends the backoff if the probe is in flight. The probe got a
// response, although it has not ended: it will be repeated. Its next Wait would
// let others pass as well, unless it fails at once.
func (a *Adaptive) responded() {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	if now := time.Now(); a.backoff.isProbe(now) {
		a.open(now)
		a.queue.release(now)
	}
}

// update brings the rate up to date. Time counts while callers wait, except
// for what the queue is closed.
func (a *Adaptive) update(now time.Time) {
	waited := a.queue.waiters.busy(now)
	busy := waited - a.waited
	if opens := a.queue.opens; opens.After(a.updated) {
		busy -= opens.Sub(a.updated) // less than none is left if it opens later than now
	}
	a.updated, a.waited = now, waited
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

// fullIn returns when a Keyed may evict the Adaptive. What it has learned about
// the rate is lost then, but not that it backs off.
func (a *Adaptive) fullIn(now time.Time) time.Duration {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	wait := a.queue.fullIn(now)
	if a.backoff.on {
		wait = max(wait, a.backoff.until.Add(a.backoff.pause).Sub(now))
	}
	return wait
}

const (
	minPause = 50 * time.Millisecond // the first one that the server did not ask for
	maxPause = 10 * time.Minute      // as long as the longest Retry-After that counts

	// maxRetryAfter bounds what a server can ask for.
	maxRetryAfter = 10 * time.Minute

	// probeTimeout is how long other calls wait for the outcome of a probe.
	probeTimeout = time.Second

	// startReserve is the pause after the first throttled call of all.
	startReserve = 400 * time.Millisecond
)

// A backoff is the state of the back-off: a pause in which no call is made, and then
// a probe, one call that shows whether the server accepts calls again.
type backoff struct {
	on    bool          // a pause, or the wait for the outcome of its probe
	until time.Time     // when the probe may go
	asked time.Time     // the part of it that the server asked for
	pause time.Duration // the last one that the server did not ask for
}

// obey begins a pause that the server asked for.
func (b *backoff) obey(now time.Time, retryAfter time.Duration) {
	b.on = true
	b.asked = later(b.asked, now.Add(retryAfter))
	b.until = later(b.until, b.asked)
}

// grow begins a pause that is half longer than the last one. The end of an
// outage is therefore noticed within half of its length.
func (b *backoff) grow(now time.Time) {
	b.on = true
	b.pause = min(max(b.pause+b.pause/2, minPause), maxPause)
	b.until = later(b.until, now.Add(b.pause))
}

// isProbe reports whether a call that was sent at this time is the probe.
func (b *backoff) isProbe(sent time.Time) bool { return b.on && !sent.Before(b.until) }

// seconds returns s seconds as a Duration.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

package ratelimit

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// lateness is how far back a slot may lie that a late timer missed. Without
// it every late wake-up would cost the rate the time it was late; with it,
// what was missed within that time passes at once.
const lateness = 20 * time.Millisecond

// gate lets callers pass one by one, in the order in which they came, when
// its token bucket has a token for them.
//
// A caller takes its token when it passes and not before. So one that leaves
// has nothing to give back, and a change of the rate holds for all who wait.
// Tokens are taken as of the time at which they were there, which may be up to
// lateness ago, but never as of a time before the last one: the token bucket
// would then count the time between twice.
//
// One timer serves all who wait. It runs only while somebody does.
type gate struct {
	mu     sync.Mutex
	tokens rate.Limiter // used only here, under mu
	taken  time.Time    // as of when the last token was taken, or the rate changed
	line   line
	timer  *time.Timer // nil while nobody waits

	passed time.Time // when the last caller passed
	count  int       // of callers that passed

	opens time.Time     // nobody passes earlier
	alone time.Duration // if not 0, who passes closes the gate again for so long
}

// init makes g, which must be zero, a gate with a full bucket.
func (g *gate) init(limit rate.Limit, burst int) {
	var start time.Time
	g.tokens.SetBurstAt(start, max(burst, 0))
	g.tokens.SetLimitAt(start, rate.Inf) // fills it in no time
	g.tokens.SetLimitAt(start.Add(1), sane(limit))
}

// sane returns limit, or 0 for what is no rate, and rate.Inf, which is finite,
// for +Inf. In x/time/rate a NaN would poison the count of tokens for good, and
// +Inf makes one in no time: 0·∞.
func sane(limit rate.Limit) rate.Limit {
	if limit > 0 {
		return min(limit, rate.Inf)
	}
	return 0
}

// tryPass lets a caller pass at once, if nobody is before it.
func (g *gate) tryPass(now time.Time) bool {
	if !g.line.empty() {
		g.release(now) // those whose timer is late come first
	}
	return g.line.empty() && g.open(now) && g.take(now)
}

func (g *gate) open(now time.Time) bool { return !now.Before(g.opens) }

// closeUntil lets nobody pass before opens. If alone is not 0, it then lets one
// caller pass after another at that distance, until it is told otherwise.
func (g *gate) closeUntil(opens time.Time, alone time.Duration) {
	g.opens, g.alone = opens, alone
}

// take takes a token as of at, if there is one.
func (g *gate) take(at time.Time) bool {
	if !g.tokens.AllowN(at, 1) {
		return false
	}
	g.taken = at
	g.passed = at
	g.count++
	if g.alone > 0 {
		g.opens = at.Add(g.alone)
	}
	return true
}

// slot returns when the caller behind ahead others may pass, all else being
// equal. It returns false if it may not, ever.
func (g *gate) slot(ahead int) (slot time.Time, ok bool) {
	slot = g.taken
	limit := g.tokens.Limit()
	missing := float64(1+ahead) - g.tokens.TokensAt(g.taken)
	if missing > 0 && limit != rate.Inf {
		wait := timeFor(missing, limit)
		if wait == forever {
			return slot, false
		}
		slot = slot.Add(wait)
	}
	if slot.Before(g.opens) {
		slot = g.opens
	}
	return slot, true
}

// release lets everybody pass whose slot has come, and sees to it that it is
// called again for the next one. Who has given up takes no slot, even if it had
// no time to leave yet.
func (g *gate) release(now time.Time) {
	for !g.line.empty() {
		w := g.line.first
		if w.err = w.ctx.Err(); w.err == nil && !g.admit(now) {
			return
		}
		g.line.leave(w, now)
		close(w.ready)
	}
	g.stop()
	g.timer = nil
}

// admit takes the token of the first in line. If there is none yet, it sets
// the timer.
func (g *gate) admit(now time.Time) bool {
	slot, ok := g.slot(0)
	if !ok {
		g.stop()
		return false
	}
	if wait := slot.Sub(now); wait > 0 {
		g.wakeIn(wait)
		return false
	}
	if earliest := now.Add(-lateness); slot.Before(earliest) {
		slot = earliest
	}
	if !g.take(slot) { // a rounding error; the token is there a moment later
		g.wakeIn(lateness)
		return false
	}
	return true
}

// wait returns when w may pass or its context ends, in the order in which the
// two happen.
func (g *gate) wait(w *waiter) error {
	select {
	case <-w.ready:
		return w.err
	case <-w.ctx.Done():
		return g.quit(w)
	}
}

// quit takes w out of the line, unless it has passed a moment ago.
func (g *gate) quit(w *waiter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !w.queued {
		return w.err
	}
	now := time.Now()
	g.line.leave(w, now)
	g.release(now)
	return w.ctx.Err()
}

// setLimit changes the rate for those who wait, too.
func (g *gate) setLimit(limit rate.Limit, now time.Time) {
	g.release(now) // what was due until now was due at the old rate
	g.tokens.SetLimitAt(now, sane(limit))
	g.taken = now
	g.release(now)
}

// setBurst is like setLimit.
func (g *gate) setBurst(burst int, now time.Time) {
	g.release(now)
	g.tokens.SetBurstAt(now, max(burst, 0))
	g.taken = now
	g.release(now)
}

// fullIn returns after which time nobody will wait and the bucket be full.
func (g *gate) fullIn(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	missing := float64(g.tokens.Burst()+g.line.length) - g.tokens.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return timeFor(missing, g.tokens.Limit())
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

func (g *gate) wakeIn(d time.Duration) {
	if g.timer == nil {
		g.timer = time.AfterFunc(d, g.wake)
		return
	}
	g.timer.Reset(d)
}

func (g *gate) stop() {
	if g.timer != nil {
		g.timer.Stop()
	}
}

func (g *gate) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release(time.Now())
}

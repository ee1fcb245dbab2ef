package ratelimit

// This file has the control loop of Adaptive: it computes the rate, and does
// nothing else. It can therefore be simulated by itself.

import (
	"math"
	"time"
)

// The constants are tuned by the simulations in adaptive_test.go, faults_test.go
// and processes_test.go.
const (
	startRate = 10    // calls per second
	startCut  = 0.6   // the part of the rate that is left when the start ends
	cutBy     = 0.03  // the part of the rate that a cut takes
	release   = 0.005 // the part of the ceiling that a cut on the way to it takes
	step      = 0.05  // the part of the ceiling that a climb adds at first
	slowRate  = 30    // calls per second: below it the curve gets longer
	lost      = 0.93  // below this part of the rate before, a cut is undone

	// maxUnit is the largest time scale of the curve, in seconds. A longer one
	// starves a process that starts while others use the whole limit.
	maxUnit = 16

	// minWindow is the least number of calls from which a share is measured.
	minWindow = 24

	// few calls are enough if all of them end alike. If all are throttled, the
	// reason is not the rate but, for example, an outage; if all are accepted, the
	// throttling is over.
	few = 8
)

// A cubic finds the rate that a server allows from how calls end. It has
// neither clock nor lock.
//
// It follows CUBIC, the congestion control of TCP (RFC 9438): after a cut the
// rate returns to a ceiling fast and then slower, stays there, and exceeds it
// slowly and then faster. Unlike there, the ceiling is measured at each cut. A
// server with a token bucket empties it between two cuts, and one with windows
// passes some: so the rate of accepted calls is the rate that is allowed,
// whatever the burst.
type cubic struct {
	min, max float64 // the bounds of the rate
	rate     float64 // calls per second
	recent   float64 // the mean rate of about the last second

	ceiling float64 // the rate that the server allows; 0 until it throttles
	depth   float64 // the part of the ceiling by which the last cut went below
	unit    float64 // seconds: the time scale of the curve

	cut                 time.Time // when the last cut was
	busy                float64   // seconds since the cut in which callers waited
	sent                float64   // calls that the rate let pass in them
	accepted, throttled float64   // calls that were sent since the cut, by outcome

	quiet    float64 // calls accepted since one was throttled
	before   float64 // the rate before throttling began; 0: it is not known
	undoing  bool    // the rate returns to before
	pause    float64 // seconds: what the server asked for at the last throttling
	latency  float64 // seconds: the mean
	jitter   float64 // seconds: the mean deviation from it
	measured bool    // latency is known
}

// newCubic returns a cubic at its start.
func newCubic(min, max float64) cubic {
	c := cubic{min: min, max: max}
	c.rate = c.bounded(startRate)
	c.recent = c.rate
	return c
}

// bounded returns rate within the bounds that the user has set.
func (c *cubic) bounded(rate float64) float64 { return math.Min(math.Max(rate, c.min), c.max) }

// starting reports whether the server has not throttled yet.
func (c *cubic) starting() bool { return c.ceiling == 0 }

// advance lets seconds pass in which callers waited. Other time does not count:
// a rate that callers do not use is not tried.
func (c *cubic) advance(seconds float64) {
	c.busy += seconds
	c.sent += c.rate * seconds
	c.recent += (c.rate - c.recent) * (1 - math.Exp(-seconds/math.Max(1, 1/c.rate)))
	if c.before > 0 && c.quietFor(1) {
		c.undoing = c.undoing || c.rate < lost*c.before
		if !c.undoing {
			c.before = 0
		}
	}
	switch {
	case c.starting():
		c.rate = c.bounded(c.rate * math.Exp2(seconds))
	case c.undoing:
		c.undo(seconds)
	default:
		c.rate = c.bounded(c.curve(c.busy))
	}
}

// undo doubles the rate each second until it is what it was before throttling
// began. Calls are accepted again: so the server had another reason to throttle,
// such as a fault that has passed.
func (c *cubic) undo(seconds float64) {
	c.rate = c.bounded(c.rate * math.Exp2(seconds))
	if c.rate < c.before {
		return
	}
	c.rate = c.bounded(c.before)
	c.ceiling, c.depth, c.before, c.undoing = c.rate, 0, 0, false
	c.busy, c.sent, c.accepted, c.throttled = 0, 0, 0, 0
}

// plateau returns when the curve is back at the ceiling, in seconds since the
// cut.
func (c *cubic) plateau() float64 { return 4 * c.unit }

// curve returns the rate at t seconds since the cut: the cubic of RFC 9438,
// section 4.2, with a scale of its own on each side of the plateau.
func (c *cubic) curve(t float64) float64 {
	if left := 1 - t/c.plateau(); left > 0 {
		return c.ceiling * (1 - c.depth*left*left*left)
	}
	past := (t - c.plateau()) / (3 * c.unit)
	return c.ceiling * (1 + step*past*past*past)
}

// measure learns the latency of a response, in seconds.
func (c *cubic) measure(latency float64) {
	if !c.measured {
		c.latency, c.measured = latency, true
	}
	// Exponential means over about ten calls, in the way of RFC 6298, by which TCP
	// measures its round-trip time.
	c.jitter += (math.Abs(latency-c.latency) - c.jitter) / 10
	c.latency += (latency - c.latency) / 10
}

// accept learns that a call was accepted.
func (c *cubic) accept(sent time.Time) {
	if sent.After(c.cut) {
		c.accepted++
		c.quiet++
	}
}

// A reaction is what a throttled call calls for.
type reaction int8

const (
	carryOn  reaction = iota // nothing: the call is no news
	slowDown                 // cut the rate
	stopAll                  // send none, and then a probe: the rate is not the reason
)

// throttle learns that a call was throttled, with the pause that the server
// asked for, in seconds. A call that was sent before the last cut is no news,
// and one soon after a cut does not show yet whether the cut was enough.
func (c *cubic) throttle(sent time.Time, pause float64) reaction {
	if !sent.After(c.cut) {
		return carryOn
	}
	c.throttled++
	c.pause = pause
	switch {
	case c.undoing: // the rate is the reason after all
		c.before, c.undoing = 0, false
	case c.quietFor(2):
		c.before = c.ceiling
	}
	c.quiet = 0
	switch {
	case c.starting():
		return slowDown
	case c.accepted == 0 && c.throttled >= few:
		return stopAll
	case c.accepted+c.throttled < c.window():
		return carryOn
	}
	return slowDown
}

// quietFor reports whether all calls of so many seconds were accepted. A second
// counts as few calls at least.
func (c *cubic) quietFor(seconds float64) bool { return c.quiet > seconds*math.Max(few, c.rate) }

// window returns how many calls a share is measured from: those of a second, and
// minWindow at least.
func (c *cubic) window() float64 { return math.Max(minWindow, c.rate) }

// slow cuts the rate, and sets the ceiling to the measured rate.
func (c *cubic) slow(now time.Time) {
	if c.starting() {
		// Responses are late, and the burst of the server hid the limit: how
		// far the rate is beyond it is not known.
		c.before = c.rate
		c.begin(now, c.rate*startCut, c.rate*startCut)
		return
	}
	ceiling, trust := c.ceiling, 1.0
	if c.busy < c.plateau() {
		// Soon after a cut the server has no tokens left, and throttles calls
		// that overtake each other on the way: that is chance. And callers in
		// another process may need a part of the limit.
		ceiling *= 1 - release
		trust = c.busy / (c.busy + 0.5)
	}
	// The rate that the server has let pass: what was sent, times the share that
	// it has accepted. Half a standard deviation of the throttled calls is taken
	// for chance. A cut always follows one of them, when the share looks larger
	// than it is; without this, the rate would sink faster at a server that
	// throttles at any rate.
	throttled := c.throttled - math.Sqrt(c.throttled)/2
	measured := c.level() * (1 - throttled/(c.accepted+c.throttled))
	ceiling += (measured - ceiling) * trust
	c.begin(now, math.Min(c.rate, ceiling), ceiling)
}

// level returns the rate at which calls were sent since the last cut. If it
// exceeded the ceiling, only the last second counts, because the server may
// have raised the limit.
func (c *cubic) level() float64 {
	if c.busy <= 0 {
		return c.rate
	}
	mean := c.sent / c.busy
	if c.busy < c.plateau() {
		return mean
	}
	return math.Max(mean, math.Min(c.recent, c.rate))
}

// begin begins a curve a little below rate. It is the longer, the longer it
// takes to learn from it: at a low rate, at a distant server, and at one that
// makes all callers pause.
func (c *cubic) begin(now time.Time, rate, ceiling float64) {
	c.ceiling = c.bounded(ceiling)
	c.rate = c.bounded(rate * (1 - cutBy))
	c.recent = c.rate
	c.depth = math.Max(0, 1-c.rate/c.ceiling)
	unit := max(1, 6*c.latency, slowRate/c.ceiling, 10*c.pause)
	c.unit = min(unit, maxUnit)
	c.busy, c.sent, c.undoing = 0, 0, false
	c.ignore(now)
}

// ignore makes calls that were sent before now no news.
func (c *cubic) ignore(now time.Time) { c.cut, c.accepted, c.throttled = now, 0, 0 }

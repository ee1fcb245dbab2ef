package ratelimit

import (
	"math"
	"time"
)

const (
	startRate = 10 // calls per second

	// fastStart is the rate beyond which the start gains 1.65 times a second
	// instead of twice: a doubling would send too many before the first
	// refusal is heard.
	fastStart = 150

	// fewCalls since the last cut tell how bad it is, but hardly a ceiling.
	fewCalls = 8

	// manyRefusals, and no call accepted, are not a matter of the rate.
	manyRefusals = 4
)

// A cubic finds the rate that a server allows from how calls end. It knows no
// clock and no lock: it is told how much time has passed while callers waited.
//
// Between two refusals of a server with a token bucket the bucket goes from
// empty to empty, and between those of one with windows a number of windows
// passes: so the rate at which calls were accepted meanwhile is the one that
// is allowed, whatever the burst.
type cubic struct {
	min, max float64
	rate     float64 // calls per second
	recent   float64 // mean of the rate over about the last second
	curve    curve   // its ceiling is 0 until the first refusal
	settled  bool    // the ceiling was measured, not guessed
	since    since

	latency, jitter float64 // seconds: mean, and mean deviation from it
	asked           float64 // seconds: what the server uses to ask for as a pause
}

// since is what happened since the last cut.
type since struct {
	cut  time.Time
	busy float64 // seconds in which callers waited
	sent float64 // calls that the rate let pass in them

	accepted, refused float64 // answers to calls sent since the cut
	got, lost         float64 // all answers, by the same distinction
}

func newCubic(min, max float64) cubic {
	c := cubic{min: min, max: max}
	c.rate = c.bounded(startRate)
	c.recent = c.rate
	return c
}

func (c *cubic) bounded(rate float64) float64 { return math.Min(math.Max(rate, c.min), c.max) }

// starting reports whether the server has not refused anything yet.
func (c *cubic) starting() bool { return c.curve.ceiling == 0 }

// advance lets seconds pass in which callers waited. What nobody asks for is
// not allowed either, so other time does not count.
func (c *cubic) advance(seconds float64) {
	if seconds <= 0 {
		return
	}
	c.since.busy += seconds
	c.since.sent += c.rate * seconds
	c.recent += (c.rate - c.recent) * (1 - math.Exp(-seconds/math.Max(1, 1/c.rate)))
	c.rate = c.bounded(c.next(seconds))
}

func (c *cubic) next(seconds float64) float64 {
	switch {
	case !c.starting():
		return c.curve.at(c.since.busy)
	case c.rate < fastStart:
		return c.rate * math.Exp2(seconds)
	}
	return c.rate * math.Exp(seconds/2)
}

// heard learns the latency of an answer.
func (c *cubic) heard(latency float64) {
	if c.latency == 0 {
		c.latency = latency
	}
	c.jitter += (math.Abs(latency-c.latency) - c.jitter) / 10
	c.latency += (latency - c.latency) / 10
}

// accept learns that a call was accepted.
func (c *cubic) accept(sent time.Time) {
	c.since.got++
	if sent.After(c.since.cut) {
		c.since.accepted++
	}
}

// A verdict is what a refusal calls for.
type verdict int8

const (
	carryOn verdict = iota
	slowDown
	stopAll
)

// refuse learns that a call was refused; asked is the pause that the server
// asked for, or 0. A call that was sent before the last cut is no news. Nor is
// a refusal soon after it, as long as nothing at all is accepted: that is what
// the end of a window looks like.
func (c *cubic) refuse(sent time.Time, asked time.Duration) verdict {
	c.asked = math.Max(c.asked*0.7, asked.Seconds())
	c.since.lost++
	if !sent.After(c.since.cut) {
		return carryOn
	}
	c.since.refused++
	switch {
	case c.starting() || asked > 0 || c.since.accepted > 0:
		return slowDown
	case c.since.refused >= manyRefusals:
		return stopAll
	}
	return carryOn
}

// cut measures the ceiling and goes below it.
func (c *cubic) cut(now time.Time) {
	calls := c.since.accepted + c.since.refused
	switch {
	case c.starting():
		// How far the rate is beyond what is allowed depends on the burst,
		// which hides it. After few calls, the burst was all there was.
		ceiling := c.rate * (0.3 + 0.4*calls/(calls+30))
		c.begin(now, ceiling, ceiling)
	case calls < fewCalls:
		rate := c.rate * share(c.since.accepted, c.since.refused)
		c.begin(now, rate, c.towards(rate, calls))
	default:
		c.settled = true
		ceiling := c.towards(c.level()*share(c.since.got, c.since.lost), calls)
		c.begin(now, math.Min(c.rate, ceiling), ceiling)
	}
}

// share returns the part of the calls that was accepted, with two more to
// soften the word of a few.
func share(accepted, refused float64) float64 { return (accepted + 2) / (accepted + refused + 2) }

// towards returns the ceiling moved towards what was measured, the closer the
// more calls stand for it.
func (c *cubic) towards(measured, calls float64) float64 {
	return c.curve.ceiling + (measured-c.curve.ceiling)*calls/(calls+5)*c.trust()
}

// trust returns how much of a difference to the ceiling is not due to chance,
// which is at work soon after a cut: the server has nothing in reserve then,
// and refuses if calls overtake each other on the way. A climb above the
// ceiling came past that, and a server that makes everybody wait has a reserve.
func (c *cubic) trust() float64 {
	if c.since.busy > c.curve.plateau || c.pauses() {
		return 1
	}
	return c.since.busy / (c.since.busy + 1)
}

// level returns the rate at which calls were sent since the last cut. If it
// went beyond the ceiling, only the end of that time counts: a limit that was
// raised shows there.
func (c *cubic) level() float64 {
	if c.since.busy <= 0 {
		return c.rate
	}
	mean := c.since.sent / c.since.busy
	if c.since.busy > c.curve.plateau {
		return math.Max(mean, math.Min(c.recent, c.rate))
	}
	return mean
}

// begin begins anew, a bit below rate.
func (c *cubic) begin(now time.Time, rate, ceiling float64) {
	ceiling = c.bounded(ceiling)
	below := depth
	if c.pauses() {
		below = step
	}
	c.rate = c.bounded(rate * (1 - below))
	c.recent = c.rate
	c.since = since{cut: now}
	if c.settled {
		c.curve = newCurve(c.rate, ceiling, c.latency, c.asked)
	} else {
		c.curve = newSearch(c.rate, ceiling, c.latency)
	}
}

// pauses reports whether the server makes everybody wait when it refuses. That
// refills its bucket: more is accepted between two cuts than its rate, for which
// a cut is deeper.
func (c *cubic) pauses() bool { return c.asked > 0.1 }

// ignore makes a refusal of any call sent before now no news.
func (c *cubic) ignore(now time.Time) { c.since.cut, c.since.refused = now, 0 }

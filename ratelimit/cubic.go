package ratelimit

import (
	"math"
	"time"
)

// Where an Adaptive starts, and how it moves. The values were found by
// simulation, over servers with token buckets and windows of many sizes.
const (
	startRate  = 10
	drop       = 0.05 // of the ceiling: what a cut takes, and a climb adds
	fewCalls   = 12   // since the last cut: too few to measure a ceiling by
	maxPlateau = 45   // seconds
	maxClimb   = 11   // seconds
	minPause   = 50 * time.Millisecond
	maxPause   = 10 * time.Minute
)

// cubic is the rate of an Adaptive as a function of busy time, which advances
// while callers wait, and of how calls end.
type cubic struct {
	min, max, rate float64
	ceiling        float64 // 0: not known yet
	depth          float64 // how far below the ceiling the last cut went
	plateau, climb float64 // seconds from the cut to the ceiling, and from there to drop above it
	cuts           int     // at which the ceiling was measured

	busy, area, recent float64   // seconds since the cut; integral and moving mean of the rate
	cutAt              time.Time // when the last cut was
	accepted, refused  float64   // calls sent since the cut, by how they ended
	got, lost          float64   // all answers since the cut

	hold    time.Time // nobody goes before
	probing bool      // and then one alone
	pause   time.Duration
	asked   float64 // seconds that the server asks for as a rule
	rtt     float64 // mean latency, in seconds
	jitter  float64 // mean deviation from it
}

func newCubic(min, max float64) cubic {
	c := cubic{min: min, max: max}
	c.rate = c.clamp(startRate)
	c.recent = c.rate
	return c
}

func (c *cubic) clamp(r float64) float64 { return math.Min(math.Max(r, c.min), c.max) }

// advance lets seconds pass during which callers waited.
func (c *cubic) advance(seconds float64) {
	if seconds <= 0 {
		return
	}
	c.area += c.rate * seconds
	c.recent += (c.rate - c.recent) * (1 - math.Exp(-seconds/math.Max(1, 4/c.rate)))
	c.busy += seconds
	if c.ceiling == 0 {
		growth := math.Ln2
		if c.rate > 700 { // a doubling would send thousands too many before the first refusal comes
			growth /= 2
		}
		c.rate = c.clamp(c.rate * math.Exp(growth*seconds))
		return
	}
	if u := 1 - c.busy/c.plateau; u > 0 {
		c.rate = c.clamp(c.ceiling * (1 - c.depth*u*u*u))
	} else {
		u = (c.busy - c.plateau) / c.climb
		c.rate = c.clamp(c.ceiling * (1 + drop*u*u*u))
	}
}

func (c *cubic) observe(now time.Time, o Outcome) {
	c.measure(now.Sub(o.Sent).Seconds())
	if !o.Throttled {
		c.accept(o)
		return
	}
	c.lost++
	if o.RetryAfter > 0 {
		c.obey(now, o.RetryAfter)
	}
	if !o.Sent.After(c.cutAt) {
		return // sent before the last cut: no news
	}
	if c.probing && !o.Sent.Before(c.hold) && o.RetryAfter <= 0 {
		c.shut(now)
		return
	}
	c.refused++
	if !c.isChance(o) {
		c.cut(now)
	} else if c.accepted == 0 && c.refused >= 4 {
		c.shut(now)
	}
}

func (c *cubic) measure(latency float64) {
	if c.rtt == 0 {
		c.rtt = latency
	}
	c.jitter += (math.Abs(latency-c.rtt) - c.jitter) / 10
	c.rtt += (latency - c.rtt) / 10
}

func (c *cubic) accept(o Outcome) {
	c.got++
	if o.Sent.After(c.cutAt) {
		c.accepted++
		c.pause = 0
	}
	if c.probing && !o.Sent.Before(c.hold) {
		c.probing = false
	}
}

// obey does what the server says.
func (c *cubic) obey(now time.Time, wait time.Duration) {
	if end := now.Add(wait); end.After(c.hold) {
		c.hold = end
	}
	c.probing = true
	c.asked = math.Max(c.asked*0.7, wait.Seconds())
}

// isChance tells whether a refusal so soon after a cut may be the last of the
// burst that led to it.
func (c *cubic) isChance(o Outcome) bool {
	if c.ceiling == 0 || o.RetryAfter > 0 || c.accepted+c.refused >= fewCalls {
		return false
	}
	return c.refused < 2 || c.accepted == 0
}

// shut stops everything for a while, which grows from time to time: a quota
// is spent, and no rate is low enough.
func (c *cubic) shut(now time.Time) {
	c.pause = min(max(minPause, 2*c.pause), maxPause)
	c.hold = now.Add(c.pause)
	c.probing = true
	c.cutAt = now
	c.refused = 0
}

// cut measures the ceiling and goes below it.
func (c *cubic) cut(now time.Time) {
	calls, old := c.accepted+c.refused, c.ceiling
	switch {
	case old == 0: // what the start overshoots by, and the server's burst hides
		c.ceiling = c.rate * (0.33 + 0.3*calls/(calls+20))
	case calls < fewCalls:
		c.rate *= (c.accepted + 3.5) / (calls + 3.5)
		c.ceiling = mix(old, c.rate, calls/(calls+6))
	default:
		c.ceiling = mix(old, c.level()*(c.got+3.5)/(c.got+c.lost+3.5), calls/(calls+5))
		c.cuts++
	}
	c.ceiling = c.clamp(c.ceiling)
	c.begin(now)
}

// level is the rate at which calls were sent since the last cut. Once the rate
// has gone beyond the ceiling, the end of that time counts.
func (c *cubic) level() float64 {
	if c.busy <= 0 {
		return c.rate
	}
	mean := c.area / c.busy
	if recent := math.Min(c.recent, c.rate); c.busy > c.plateau && recent > mean {
		return recent
	}
	return mean
}

func mix(a, b, share float64) float64 { return (1-share)*a + share*b }

// begin begins anew, below the ceiling.
func (c *cubic) begin(now time.Time) {
	c.rate = c.clamp(math.Min(c.ceiling, c.rate) * (1 - drop))
	c.depth = math.Max(0, 1-c.rate/c.ceiling)
	unit := math.Max(1, 5*c.rtt)
	if c.cuts == 0 {
		unit = math.Max(unit, 40/c.ceiling)
		c.plateau = 2 * unit
		c.climb = math.Max(0.75*c.plateau, unit)
		if c.asked > 0 {
			c.plateau *= 3
		}
	} else {
		unit = math.Max(unit, math.Pow(20/c.ceiling, 1.5))
		c.plateau = 4 * unit
		c.climb = 0.75 * c.plateau
		c.plateau = math.Max(c.plateau, 45*c.asked)
	}
	c.plateau = math.Min(c.plateau, maxPlateau)
	c.climb = math.Min(c.climb, maxClimb)
	c.cutAt = now
	c.busy, c.area, c.recent = 0, 0, c.rate
	c.accepted, c.refused, c.got, c.lost = 0, 0, 0, 0
	if end := now.Add(time.Duration(0.85 * c.jitter * float64(time.Second))); end.After(c.hold) {
		c.hold = end
	}
}

package ratelimit

import "math"

const (
	depth = 0.03 // the part of the ceiling by which a cut goes below it
	step  = 0.05 // and by which a climb goes above it
)

// A curve is a rate over time, in calls per second and seconds since a cut:
// the cubic of RFC 9438, section 4.2, with the two halves scaled on their own.
// It comes back to the ceiling fast and then slower, stays there for a while,
// and leaves it slowly and then faster.
type curve struct {
	ceiling float64
	depth   float64 // the part of the ceiling by which it starts below
	plateau float64 // when it is back at the ceiling
	climb   float64 // how long after that it is a step above the ceiling
}

func (c curve) at(t float64) float64 {
	if t < c.plateau {
		return c.ceiling * (1 - c.depth*cube(1-t/c.plateau))
	}
	return c.ceiling * (1 + step*cube((t-c.plateau)/c.climb))
}

func cube(x float64) float64 { return x * x * x }

// The scale of a curve, in seconds. Each refusal costs a call, and each cut a
// part of the rate for a while, so there should be many calls between two: the
// fewer calls per second, the longer the curve. And a server that is far away
// must be heard before the rate is much higher.
const (
	slowRate   = 20 // calls per second, below which curves get longer
	maxPlateau = 45
	costOfWait = 45 // plateau per second that the server makes everybody wait
)

// newCurve returns the curve towards ceiling that starts at rate. latency is
// that of the server, and asked what it uses to ask for as a pause.
func newCurve(rate, ceiling, latency, asked float64) curve {
	unit := math.Max(1, math.Max(4*latency, math.Pow(slowRate/ceiling, 1.5)))
	return shaped(rate, ceiling, math.Max(4*unit, costOfWait*asked), 2*unit)
}

// newSearch returns a curve towards a ceiling that is only a guess yet. It gets
// to a refusal, which tells, as soon as that can be understood.
func newSearch(rate, ceiling, latency float64) curve {
	unit := math.Max(1, math.Max(4*latency, 20/ceiling))
	return shaped(rate, ceiling, 1.5*unit, 1.125*unit)
}

func shaped(rate, ceiling, plateau, climb float64) curve {
	return curve{
		ceiling: ceiling,
		depth:   math.Max(0, 1-rate/ceiling),
		plateau: math.Min(plateau, maxPlateau),
		climb:   climb,
	}
}

package pace

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/go-okru/okru/test/bench/internal/crowd"
)

// Callers is how many goroutines ask a limiter at a time.
const Callers = 1000

// A Pace is what a limiter lets pass.
type Pace struct {
	// Achieved is how many calls passed for each that might have.
	Achieved float64

	// Over is by how many calls the worst of all windows exceeds
	// rate·t + 1. The times are those at which callers go on, so calls that the
	// scheduler delays and releases together count as well.
	Over float64
}

// Keep lets Callers goroutines ask the limiter as fast as they can for d.
func Keep(l Limiter, perSecond float64, d time.Duration) Pace {
	passes := run(l, perSecond, d+slot(perSecond))
	if len(passes) == 0 {
		return Pace{}
	}
	// It ends halfway between two slots, so that it does not matter if a timer
	// is a bit late.
	window := d + slot(perSecond)/2
	end, _ := slices.BinarySearch(passes, passes[0]+window+1)
	passes = passes[:end]
	allowed := 1 + math.Floor(perSecond*window.Seconds())
	return Pace{Achieved: float64(len(passes)) / allowed, Over: over(passes, perSecond)}
}

func slot(perSecond float64) time.Duration { return time.Duration(float64(time.Second) / perSecond) }

// run returns the times at which calls passed, in order. It lasts for d from
// the first call on.
func run(l Limiter, perSecond float64, d time.Duration) []time.Duration {
	ctx, cancel := context.WithCancel(context.Background()) // no deadline: limiters would reject at once
	defer cancel()
	take := l.New(ctx, perSecond)
	passes := make([][]time.Duration, Callers)
	epoch := time.Now()
	var first sync.Once
	crowd.Run(Callers, func(i int) {
		first.Do(func() { time.AfterFunc(d, cancel) })
		for take() {
			passes[i] = append(passes[i], time.Since(epoch))
		}
	})
	all := slices.Concat(passes...)
	slices.Sort(all)
	return all
}

// over returns by how many calls the worst window exceeds rate·t + 1: the
// window from one pass to another, for which the passes before the first one
// exceed what was allowed by then the least.
func over(passes []time.Duration, perSecond float64) float64 {
	worst, least := 0.0, math.Inf(1)
	for i, at := range passes {
		allowed := perSecond * at.Seconds()
		least = min(least, float64(i)-allowed)
		worst = max(worst, float64(i+1)-allowed-least-1)
	}
	return worst
}

package pace

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/go-okru/okru/test/bench/internal/crowd"
	"github.com/go-okru/okru/test/bench/internal/rounds"
)

// unhindered is a rate at which no call waits.
const unhindered = 1e9

// A Cost is what a call costs that does not have to wait.
type Cost struct {
	Alone, Contended             float64 // nanoseconds, by one goroutine and by Callers
	AloneAllocs, ContendedAllocs float64
}

// Costs measures all limiters in turns, for d together.
func Costs(limiters []Limiter, d time.Duration) []Cost {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	takes := make([]func() bool, len(limiters))
	costs := make([]Cost, len(limiters))
	for i, l := range limiters {
		takes[i] = l.New(ctx, unhindered)
		costs[i].AloneAllocs = testing.AllocsPerRun(1000, func() { takes[i]() })
	}
	alone, contended := make([][]float64, len(limiters)), make([][]float64, len(limiters))
	for start := time.Now(); ; {
		for i, take := range takes {
			alone[i] = append(alone[i], serial(take))
			ns, allocs := together(take)
			contended[i] = append(contended[i], ns)
			costs[i].ContendedAllocs = allocs
		}
		if time.Since(start) > d {
			break
		}
	}
	for i := range costs {
		costs[i].Alone, costs[i].Contended = rounds.Median(alone[i]), rounds.Median(contended[i])
	}
	return costs
}

// serial returns nanoseconds per call of one goroutine.
func serial(take func() bool) float64 {
	const calls = 2000
	start := time.Now()
	for range calls {
		take()
	}
	return float64(time.Since(start)) / calls
}

// together returns nanoseconds and whole allocations per call of Callers
// goroutines. Those of the goroutines are a fraction of one.
func together(take func() bool) (ns, allocs float64) {
	const each = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	took := crowd.Run(Callers, func(int) {
		for range each {
			take()
		}
	})
	runtime.ReadMemStats(&after)
	return float64(took) / (Callers * each), float64((after.Mallocs - before.Mallocs) / (Callers * each))
}

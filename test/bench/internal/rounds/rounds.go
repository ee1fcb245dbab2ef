// Package rounds compares things that take turns in short rounds. On a noisy
// machine the median of the ratios of neighbouring rounds is more reliable than two
// figures that were measured one after the other.
package rounds

import (
	"math"
	"slices"
	"syscall"
	"testing"
	"time"
)

// A Pair is a subject and what it is measured against. Each function makes one
// call.
type Pair struct {
	Subject, Base func() error
}

// A Plan is how long to measure.
type Plan struct {
	Calls int           // of the base in a round; a slower subject makes fewer
	Time  time.Duration // for all pairs together
}

// A Result is what a Pair came to. Times are in nanoseconds per call.
type Result struct {
	Time, BaseTime float64 // medians over all rounds

	// Ratio is the median of the ratios of neighbouring rounds. Half of the
	// ratios are between Low and High.
	Ratio, Low, High float64

	// CPU is the median of the ratios of the CPU time of the process in
	// neighbouring rounds. A server in the process counts, for both.
	CPU float64

	// Allocs are allocations per call. Fractions are dropped.
	Allocs, BaseAllocs float64
}

// Extra is how many allocations a call of the subject has above its base.
func (r Result) Extra() float64 { return r.Allocs - r.BaseAllocs }

// leastCycles is how often each pair is measured, however long that takes.
const leastCycles = 5

// Measure measures all pairs in turns, so that a busy minute of the machine
// touches them all alike. It returns the first error of a call.
func Measure(plan Plan, pairs []Pair) ([]Result, error) {
	samples := make([]sample, len(pairs))
	results := make([]Result, len(pairs))
	for i, pair := range pairs {
		allocs, err := allocations(pair)
		if err != nil {
			return nil, err
		}
		results[i] = allocs
		if samples[i], err = newSample(plan.Calls, pair); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	for cycle := 0; cycle < leastCycles || time.Since(start) < plan.Time; cycle++ {
		for i, pair := range pairs {
			if err := samples[i].take(pair); err != nil {
				return nil, err
			}
		}
	}
	for i := range samples {
		samples[i].fill(&results[i])
	}
	return results, nil
}

// allocations also warms up what a pair keeps.
func allocations(p Pair) (Result, error) {
	const runs = 100
	var err error
	count := func(call func() error) float64 {
		return testing.AllocsPerRun(runs, func() {
			if e := call(); e != nil {
				err = e
			}
		})
	}
	return Result{Allocs: count(p.Subject), BaseAllocs: count(p.Base)}, err
}

// A sample has the rounds of a pair.
type sample struct {
	calls, baseCalls          int // in a round
	times, bases, ratios, cpu []float64
}

// leastCalls is how many calls a round has at the least, and warmCalls how many
// go before them unmeasured: what took its turn before has filled the caches.
const (
	leastCalls = 25
	warmCalls  = 5
)

// newSample returns a sample whose rounds take about as long for the subject as
// for the base. Of longer ones, more would be interrupted by other programs.
func newSample(calls int, p Pair) (sample, error) {
	const tries = 5
	times, bases := math.Inf(1), math.Inf(1)
	for range tries {
		base, _, err := round(leastCalls, p.Base)
		if err != nil {
			return sample{}, err
		}
		subject, _, err := round(leastCalls, p.Subject)
		if err != nil {
			return sample{}, err
		}
		times, bases = min(times, subject), min(bases, base)
	}
	fitting := int(float64(calls) * bases / times)
	return sample{calls: max(leastCalls, min(calls, fitting)), baseCalls: calls}, nil
}

func (s *sample) take(p Pair) error {
	base, baseCPU, err := round(s.baseCalls, p.Base)
	if err != nil {
		return err
	}
	subject, cpu, err := round(s.calls, p.Subject)
	if err != nil {
		return err
	}
	s.times = append(s.times, subject)
	s.bases = append(s.bases, base)
	s.ratios = append(s.ratios, subject/base)
	if baseCPU > 0 { // the clock of CPU time may be coarse
		s.cpu = append(s.cpu, cpu/baseCPU)
	}
	return nil
}

// round returns nanoseconds per call, by the clock and of the CPU.
func round(calls int, call func() error) (ns, cpu float64, err error) {
	for range warmCalls {
		if err := call(); err != nil {
			return 0, 0, err
		}
	}
	start, startCPU := time.Now(), cpuTime()
	for range calls {
		if err := call(); err != nil {
			return 0, 0, err
		}
	}
	ns, cpu = float64(time.Since(start)), float64(cpuTime()-startCPU)
	return ns / float64(calls), cpu / float64(calls), nil
}

// cpuTime returns the CPU time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (s *sample) fill(r *Result) {
	slices.Sort(s.ratios)
	r.Time, r.BaseTime = Median(s.times), Median(s.bases)
	r.Low, r.Ratio, r.High = quantile(s.ratios, 1, 4), quantile(s.ratios, 1, 2), quantile(s.ratios, 3, 4)
	if len(s.cpu) > 0 {
		r.CPU = Median(s.cpu)
	}
}

// Median returns the median of values, which it sorts.
func Median(values []float64) float64 {
	slices.Sort(values)
	return quantile(values, 1, 2)
}

// quantile returns the part/of quantile of sorted values.
func quantile(sorted []float64, part, of int) float64 { return sorted[(len(sorted)-1)*part/of] }

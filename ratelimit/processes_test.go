package ratelimit_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/ratelimit"
)

// Eight processes, each with an Adaptive of its own, share the limit of one
// server: they use all of it, few calls are throttled, and none starves.
func TestAdaptiveInSeveralProcesses(t *testing.T) {
	const processes, first, length = 8, 150, 300 // seconds
	limits := []float64{40}
	if os.Getenv("OKRU_LONG") != "" {
		limits = []float64{16, 40, 80, 400}
	}
	for _, perSecond := range limits {
		for _, atEnd := range []bool{false, true} {
			for _, apart := range []time.Duration{0, 5 * time.Second} {
				t.Run(fmt.Sprintf("%v per second, decided at the end: %t, started %v apart", perSecond, atEnd, apart), func(t *testing.T) {
					s := simulation{server: newBucketServer(perSecond, perSecond), callers: max(3, int(perSecond/20)),
						latency: 50 * time.Millisecond, atEnd: atEnd, length: length * time.Second, seed: 1, apart: apart}
					var parts []float64
					accepted, throttled := 0.0, 0.0
					for _, c := range simulateProcesses(t, s, processes) {
						a, r := c.between(first, length)
						parts = append(parts, a*processes/(perSecond*(length-first)))
						accepted, throttled = accepted+a, throttled+r
					}
					used, lost := accepted/(perSecond*(length-first)), throttled/(accepted+throttled)
					t.Logf("%.1f %% of the limit used, %.2f %% of the calls throttled; the processes have between %.2f and %.2f of a fair part (index of Jain %.2f)",
						100*used, 100*lost, slices.Min(parts), slices.Max(parts), jain(parts))
					if used < 0.98 || lost > 0.02 || slices.Min(parts) < 0.08 {
						t.Error("want 98 % used, 2 % throttled at most, and no process with less than 0.08 of a fair part")
					}
				})
			}
		}
	}
}

func simulateProcesses(t *testing.T, s simulation, processes int) (counts []outcomes) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		time.AfterFunc(s.length, func() { close(done) })
		limiters := make([]*ratelimit.Adaptive, processes)
		for i := range limiters {
			limiters[i] = ratelimit.NewAdaptive(0.1, 1e6)
		}
		counts = s.runAll(limiters, done)
		<-done
	})
	return counts
}

// jain is the fairness index of Jain: 1 if all parts are equal.
func jain(parts []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, p := range parts {
		sum += p
		squares += p * p
	}
	return math.Pow(sum, 2) / (float64(len(parts)) * squares)
}

package ratelimit_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/ratelimit"
)

// A fault is what a server does to a share of the calls, whatever their rate.
type fault struct {
	share   float64
	outcome ratelimit.Outcome // throttled, or an error
	hang    bool              // no response arrives before the deadline
}

var faults = map[string]fault{
	"code 8":               {share: 0.2, outcome: ratelimit.Outcome{Throttled: true}},
	"429 with Retry-After": {share: 0.2, outcome: ratelimit.Outcome{Throttled: true, RetryAfter: time.Second}},
	"connections break":    {share: 0.2, outcome: ratelimit.Outcome{Err: errors.New("connection reset")}},
	"calls hang":           {share: 0.06, outcome: ratelimit.Outcome{Err: context.DeadlineExceeded}, hang: true},
}

// faultyRun sends perSecond calls at random times through l, each with a
// deadline, and returns the share that succeeded. now returns the fault of a
// call, or nil.
func faultyRun(l ratelimit.Limiter, perSecond float64, length time.Duration, seed uint64, now func(time.Duration, *rand.Rand) *fault) float64 {
	var succeeded atomic.Int64
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 0))
	observer, _ := l.(ratelimit.Observer)
	start := time.Now()
	total := 0
	var group sync.WaitGroup
	for time.Since(start) < length {
		mu.Lock()
		pause := time.Duration(rng.ExpFloat64() / perSecond * float64(time.Second))
		deadline := 300*time.Millisecond + time.Duration(rng.Int64N(int64(5*time.Second)))
		mu.Unlock()
		time.Sleep(pause)
		total++
		group.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), deadline)
			defer cancel()
			if l.Wait(ctx) != nil {
				return
			}
			o := ratelimit.Outcome{Sent: time.Now()}
			time.Sleep(20 * time.Millisecond)
			mu.Lock()
			f := now(time.Since(start), rng)
			mu.Unlock()
			if f != nil {
				o.Throttled, o.RetryAfter, o.Err = f.outcome.Throttled, f.outcome.RetryAfter, f.outcome.Err
				if f.hang {
					<-ctx.Done()
				}
			} else {
				succeeded.Add(1)
			}
			if observer != nil {
				observer.Observe(o)
			}
		})
	}
	group.Wait()
	return float64(succeeded.Load()) / float64(total)
}

// Faults that do not depend on the rate must cost an Adaptive few more calls
// than a Bucket, which does not learn. They last for 2 s of every 7.
func TestAdaptiveUnderFaults(t *testing.T) {
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			now := func(at time.Duration, rng *rand.Rand) *fault {
				if at%(7*time.Second) >= 5*time.Second && rng.Float64() < f.share {
					return &f
				}
				return nil
			}
			synctest.Test(t, func(t *testing.T) {
				with := func(l ratelimit.Limiter) float64 { return faultyRun(l, 100, 2*time.Minute, 1, now) }
				bucket, adaptive := with(ratelimit.NewBucket(400, 50)), with(ratelimit.NewAdaptive(0, 0))
				t.Logf("%.1f %% of the calls succeed with a Bucket, %.1f %% with an Adaptive", 100*bucket, 100*adaptive)
				if adaptive < 0.9*bucket {
					t.Error("want 0.9 times as many with an Adaptive")
				}
			})
		})
	}
}

// A server that throttles calls at any rate, now more and now less, must not slow
// an Adaptive down much. The shares are those of ten seconds each in a soak.
func TestAdaptiveUnderThrottlingAtAnyRate(t *testing.T) {
	const perSecond, seeds = 5, 10
	shares := []float64{.105, .116, .043, .119, .003, .049, .091, .044, .031, .04, .214, .064, .254, 0, .06}
	now := func(at time.Duration, rng *rand.Rand) *fault {
		if rng.Float64() >= shares[int(at/(10*time.Second))%len(shares)] {
			return nil
		}
		f := faults["code 8"]
		if rng.Float64() < 0.23 {
			f = faults["429 with Retry-After"]
		}
		return &f
	}
	var bucket, adaptive float64
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			with := func(l ratelimit.Limiter) float64 {
				return faultyRun(l, perSecond, time.Duration(len(shares))*10*time.Second, seed, now)
			}
			bucket += with(ratelimit.NewBucket(400, 50)) / seeds
			adaptive += with(ratelimit.NewAdaptive(2, 0)) / seeds
		})
	}
	t.Logf("%.1f %% of the calls succeed with a Bucket, %.1f %% with an Adaptive", 100*bucket, 100*adaptive)
	if adaptive < 0.8*bucket {
		t.Error("want 0.8 times as many with an Adaptive")
	}
}

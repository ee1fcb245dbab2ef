package pace_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/test/bench/internal/pace"
)

func TestLimitersKeepTheRate(t *testing.T) {
	for _, l := range pace.Limiters() {
		for _, perSecond := range []float64{10, 1000} {
			for20Calls := time.Duration(20 / perSecond * float64(time.Second))
			t.Run(l.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					got := pace.Keep(l, perSecond, for20Calls)
					if got.Achieved != 1 || math.Abs(got.Over) > 1e-3 {
						t.Errorf("at %v/s %+v; want what is allowed and no more", perSecond, got)
					}
				})
			})
		}
	}
}

// A limiter that is too slow, and one that lets calls pass in bunches.
func TestKeepTells(t *testing.T) {
	every := func(d time.Duration, calls int) pace.Limiter {
		return pace.Limiter{New: func(ctx context.Context, _ float64) func() bool {
			passes := make(chan struct{})
			go func() {
				defer close(passes)
				for ctx.Err() == nil {
					for range calls {
						select {
						case passes <- struct{}{}:
						case <-ctx.Done():
						}
					}
					time.Sleep(d)
				}
			}()
			return func() bool { _, ok := <-passes; return ok }
		}}
	}
	for name, test := range map[string]struct {
		limiter pace.Limiter
		want    pace.Pace
	}{
		"half the rate":      {every(20*time.Millisecond, 1), pace.Pace{Achieved: 101.0 / 201}},
		"10 at a time":       {every(100*time.Millisecond, 10), pace.Pace{Achieved: 210.0 / 201, Over: 9}},
		"10 percent above":   {every(100*time.Millisecond, 11), pace.Pace{Achieved: 231.0 / 201, Over: 30}},
		"nothing but silent": {every(time.Hour, 0), pace.Pace{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := pace.Keep(test.limiter, 100, 2*time.Second)
				if math.Abs(got.Achieved-test.want.Achieved) > 1e-9 || math.Abs(got.Over-test.want.Over) > 1e-9 {
					t.Errorf("%+v, want %+v", got, test.want)
				}
			})
		})
	}
}

func TestCosts(t *testing.T) {
	limiters := pace.Limiters()
	costs := pace.Costs(limiters, 0)
	for i, c := range costs {
		if c.Alone <= 0 || c.Contended <= 0 {
			t.Errorf("%s costs %+v; want more than nothing", limiters[i].Name, c)
		}
		if limiters[i].Ours && c.AloneAllocs != 0 {
			t.Errorf("%s has %v allocations per call; want 0", limiters[i].Name, c.AloneAllocs)
		}
	}
}

package rounds_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/test/bench/internal/rounds"
)

var sink *int

// steady takes this long and allocates that often.
func steady(d time.Duration, allocs int) func() error {
	return func() error {
		time.Sleep(d)
		for range allocs {
			sink = new(int)
		}
		return nil
	}
}

func TestMeasure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pairs := []rounds.Pair{
			{Subject: steady(3*time.Millisecond, 5), Base: steady(time.Millisecond, 2)},
			{Subject: steady(time.Millisecond, 0), Base: steady(2*time.Millisecond, 0)},
		}
		start := time.Now()
		got, err := rounds.Measure(rounds.Plan{Calls: 30, Time: time.Minute}, pairs)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < time.Minute || took > 65*time.Second {
			t.Errorf("it took %v; want a minute and a little", took)
		}
		want := []rounds.Result{
			{Time: 3e6, BaseTime: 1e6, Ratio: 3, Low: 3, High: 3, Allocs: 5, BaseAllocs: 2},
			{Time: 1e6, BaseTime: 2e6, Ratio: 0.5, Low: 0.5, High: 0.5},
		}
		for i := range want {
			got[i].Allocs -= got[1].BaseAllocs // what time.Sleep allocates in a bubble
			got[i].BaseAllocs -= got[1].BaseAllocs
			got[i].CPU = 0 // the clock of the CPU is not that of the bubble
			if got[i] != want[i] {
				t.Errorf("pair %d: %+v, want %+v", i, got[i], want[i])
			}
		}
		if extra := got[0].Extra(); extra != 3 {
			t.Errorf("%v allocations above the base, want 3", extra)
		}
	})
}

// Rounds of a slow subject are as long as those of its base.
func TestMeasureRoundsAreOfOneLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var spent [2]time.Duration
		counting := func(i int, d time.Duration) func() error {
			return func() error {
				spent[i] += d
				return steady(d, 0)()
			}
		}
		_, err := rounds.Measure(rounds.Plan{Calls: 200, Time: time.Minute},
			[]rounds.Pair{{Subject: counting(0, 5*time.Millisecond), Base: counting(1, time.Millisecond)}})
		if err != nil {
			t.Fatal(err)
		}
		if share := float64(spent[0]) / float64(spent[1]); share < 0.9 || share > 1.2 {
			t.Errorf("the subject had %v and its base %v; want about the same", spent[0], spent[1])
		}
	})
}

// The median forgets rounds in which something else had the processor.
func TestMeasureForgetsDisturbances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		disturbed := func() error {
			if calls++; calls%70 == 0 {
				time.Sleep(time.Second)
			}
			return steady(2*time.Millisecond, 0)()
		}
		got, err := rounds.Measure(rounds.Plan{Calls: 1, Time: time.Minute},
			[]rounds.Pair{{Subject: disturbed, Base: steady(time.Millisecond, 0)}})
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Ratio != 2 || got[0].Time != 2e6 {
			t.Errorf("ratio %v, %v ns per call; want 2 and 2e6", got[0].Ratio, got[0].Time)
		}
	})
}

func TestMeasureStopsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	for name, failAt := range map[string]int{"while warming up": 50, "in a trial": 120, "in a round": 260} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			fail := func() error {
				if calls++; calls >= failAt {
					return broken
				}
				return nil
			}
			_, err := rounds.Measure(rounds.Plan{Calls: 10, Time: time.Hour},
				[]rounds.Pair{{Subject: fail, Base: steady(0, 0)}})
			if !errors.Is(err, broken) {
				t.Errorf("error %v, want %v", err, broken)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{1: {1}, 2: {3, 1, 2}, 2.5: {9, 2.5, 1, 4}} {
		if got := rounds.Median(values); got != want {
			t.Errorf("median of %v is %v, want %v", values, got, want)
		}
	}
}

package chaos

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// On a machine with time to spare the pace rises to the highest rate.
func TestPaceRises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var p pace
		p.follow(ctx)
		if got := p.rate(); got != highestRate {
			t.Errorf("after 20 s without a late tick, the rate is %v, want %v", got, highestRate)
		}
		if p.starved() || p.mean() <= firstRate {
			t.Errorf("starved: %v, mean rate %v", p.starved(), p.mean())
		}
	})
}

func TestPaceYields(t *testing.T) {
	for _, test := range []struct {
		name   string
		late   int // ticks of 20 that are late
		lowest bool
	}{
		{"none", 0, false},
		{"one in 20", 1, false},
		{"three in 20", 3, true},
		{"all", 20, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p pace
			rate := float64(firstRate)
			for n := range 1000 {
				late := time.Duration(0)
				if n%20 < test.late {
					late = 2 * lateTick
				}
				rate = adapted(rate, late)
				p.note(rate)
			}
			if lowest := rate < lowestRate+5; lowest != test.lowest {
				t.Errorf("the rate is %v", rate)
			}
			if rate < lowestRate || rate > highestRate {
				t.Errorf("the rate is %v, beyond %v to %v", rate, lowestRate, highestRate)
			}
			if got, want := p.starved(), test.late == 20; got != want {
				t.Errorf("starved: %v, want %v", got, want)
			}
		})
	}
}

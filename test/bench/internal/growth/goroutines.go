// Package growth measures how costs grow with goroutines, keys and bytes in a
// response.
package growth

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/test/bench/internal/crowd"
	"github.com/go-okru/okru/test/bench/internal/rounds"
	"github.com/go-okru/okru/test/bench/internal/subject"
)

// A Crowd is what a call costs that many goroutines make through one client,
// in nanoseconds of the clock: with two processors half of what each of them
// spends.
type Crowd struct {
	Goroutines           int
	Bare, Stack, Limited float64

	// Ratio is the median of the ratios of neighbouring rounds, of the whole
	// stack to the bare client.
	Ratio float64
}

// CallsPerSecond is what the whole stack does.
func (c Crowd) CallsPerSecond() float64 { return 1e9 / c.Stack }

// Goroutines measures clients in memory in turns, for d at each count.
func Goroutines(counts []int, d time.Duration) ([]Crowd, error) {
	target := subject.InMemory()
	stack, err := subject.NewStack(target, nil)
	if err != nil {
		return nil, err
	}
	limited, err := subject.NewStack(target, ratelimit.NewBucket(target.Rate, 1))
	if err != nil {
		return nil, err
	}
	clients := []*http.Client{{Transport: target.Base}, stack, limited}
	var crowds []Crowd
	for _, n := range counts {
		c, err := perCrowd(clients, target.URL, n, d)
		if err != nil {
			return nil, fmt.Errorf("%d goroutines: %w", n, err)
		}
		crowds = append(crowds, c)
	}
	return crowds, nil
}

// perCrowd measures clients, which are in the order of the fields of a Crowd.
func perCrowd(clients []*http.Client, url string, goroutines int, d time.Duration) (Crowd, error) {
	costs := make([][]float64, len(clients))
	calls := make([][]subject.Call, len(clients))
	for i, client := range clients {
		var err error
		if calls[i], err = newCalls(client, url, goroutines); err != nil {
			return Crowd{}, err
		}
	}
	const leastCycles = 3
	start := time.Now()
	for cycle := 0; cycle < leastCycles || time.Since(start) < d; cycle++ {
		for i := range clients {
			ns, err := together(calls[i])
			if err != nil {
				return Crowd{}, err
			}
			costs[i] = append(costs[i], ns)
		}
	}
	ratios := make([]float64, len(costs[0]))
	for i := range ratios {
		ratios[i] = costs[1][i] / costs[0][i]
	}
	return Crowd{
		Goroutines: goroutines,
		Bare:       rounds.Median(costs[0]), Stack: rounds.Median(costs[1]), Limited: rounds.Median(costs[2]),
		Ratio: rounds.Median(ratios),
	}, nil
}

// newCalls returns n calls through client, each with a request of its own.
func newCalls(client *http.Client, url string, n int) ([]subject.Call, error) {
	calls := make([]subject.Call, n)
	for i := range calls {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		calls[i] = subject.Through(client, r)
	}
	return calls, nil
}

// leastCalls and leastEach are how many calls a round has and a goroutine
// makes, at the least: fewer would be over before they can be measured.
const (
	leastCalls = 500
	leastEach  = 20
)

// together has each call made equally often by a goroutine of its own, and
// returns nanoseconds per call.
func together(calls []subject.Call) (float64, error) {
	each := max(leastEach, leastCalls/len(calls))
	errs := make([]error, len(calls))
	took := crowd.Run(len(calls), func(i int) {
		for range each {
			if err := calls[i](io.Discard); err != nil {
				errs[i] = err
				return
			}
		}
	})
	return float64(took) / float64(each*len(calls)), errors.Join(errs...)
}

// Package growth tells what becomes of costs when there is more of something:
// goroutines, keys, bytes in an answer.
package growth

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-okru/okru/bench/internal/crowd"
	"github.com/go-okru/okru/bench/internal/rounds"
	"github.com/go-okru/okru/bench/internal/subject"
	"github.com/go-okru/okru/ratelimit"
)

// A Crowd is what a call costs that many goroutines make through one client,
// in nanoseconds of the clock: with two processors half of what each of them
// spends.
type Crowd struct {
	Goroutines           int
	Bare, Stack, Limited float64
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
		costs, err := perClient(clients, target.URL, n, d)
		if err != nil {
			return nil, fmt.Errorf("%d goroutines: %w", n, err)
		}
		crowds = append(crowds, Crowd{Goroutines: n, Bare: costs[0], Stack: costs[1], Limited: costs[2]})
	}
	return crowds, nil
}

// perClient returns nanoseconds per call of each client.
func perClient(clients []*http.Client, url string, goroutines int, d time.Duration) ([]float64, error) {
	costs := make([][]float64, len(clients))
	calls := make([][]subject.Call, len(clients))
	for i, client := range clients {
		for range goroutines {
			r, err := http.NewRequest(http.MethodGet, url, nil)
			if err != nil {
				return nil, err
			}
			calls[i] = append(calls[i], subject.Through(client, r))
		}
	}
	const leastCycles = 3
	start := time.Now()
	for cycle := 0; cycle < leastCycles || time.Since(start) < d; cycle++ {
		for i := range clients {
			ns, err := together(calls[i])
			if err != nil {
				return nil, err
			}
			costs[i] = append(costs[i], ns)
		}
	}
	medians := make([]float64, len(clients))
	for i := range medians {
		medians[i] = rounds.Median(costs[i])
	}
	return medians, nil
}

// leastCalls and leastEach are how many calls a round has and a goroutine
// makes, at the least: fewer would be over before they can be measured.
const (
	leastCalls = 2000
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

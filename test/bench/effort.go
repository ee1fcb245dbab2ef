package main

import (
	"time"

	"github.com/go-okru/okru/test/bench/internal/rounds"
)

// An effort is how long to measure, and how far to go.
type effort struct {
	memory, loopback, secure, duels rounds.Plan

	pace, cost time.Duration // per limiter and rate; for all limiters together

	crowd      time.Duration // per count of goroutines
	goroutines []int
	keys       []int
	answers    []int64
}

// full takes about four minutes.
var full = effort{
	memory:     rounds.Plan{Calls: 200, Time: 45 * time.Second},
	loopback:   rounds.Plan{Calls: 20, Time: 70 * time.Second},
	secure:     rounds.Plan{Calls: 50, Time: 30 * time.Second},
	duels:      rounds.Plan{Calls: 200, Time: 20 * time.Second},
	pace:       2 * time.Second,
	cost:       10 * time.Second,
	crowd:      4 * time.Second,
	goroutines: []int{1, 10, 100, 1000, 10_000},
	keys:       []int{1, 10, 100, 1000, 10_000, 100_000, 1_000_000},
	answers:    []int64{64, 64 << 10, 1 << 20, 64 << 20},
}

// short takes seconds.
var short = effort{
	memory:     rounds.Plan{Calls: 200, Time: time.Second},
	loopback:   rounds.Plan{Calls: 10, Time: time.Second},
	secure:     rounds.Plan{Calls: 25, Time: time.Second},
	duels:      rounds.Plan{Calls: 200, Time: time.Second},
	pace:       200 * time.Millisecond,
	goroutines: []int{1, 100},
	keys:       []int{1, 1000, 20_000},
	answers:    []int64{64, 1 << 20},
}

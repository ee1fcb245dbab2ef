package main

import (
	"context"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
)

// The rate of OK is not documented. These only bound the search for it.
const (
	slowest rate.Limit = 1
	fastest rate.Limit = 1000
)

// A meter is the limiter of the client, and counts what it sees: every attempt
// waits for it, repeats included, and it learns how each one ended.
type meter struct {
	*ratelimit.Adaptive
	attempts, throttled atomic.Int64
}

func newMeter() *meter { return &meter{Adaptive: ratelimit.NewAdaptive(slowest, fastest)} }

// Wait implements [ratelimit.Limiter].
func (m *meter) Wait(ctx context.Context) error {
	err := m.Adaptive.Wait(ctx)
	if err == nil {
		m.attempts.Add(1)
	}
	return err
}

// Observe implements [ratelimit.Observer].
func (m *meter) Observe(o ratelimit.Outcome) {
	if o.Throttled {
		m.throttled.Add(1)
	}
	m.Adaptive.Observe(o)
}

// rate returns the rate that the limiter has found, in calls per second.
func (m *meter) rate() float64 { return float64(m.Adaptive.Limit()) }

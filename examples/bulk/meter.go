package main

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// The rate of OK is not documented. These only bound the search for it.
const (
	slowest rate.Limit = 1
	fastest rate.Limit = 1000
)

// A meter is the limiter of the client, which learns how each attempt ended, and
// counts what a Trace of the calls reports.
type meter struct {
	*ratelimit.Adaptive
	attempts, throttled atomic.Int64
	waits, waited       atomic.Int64 // for the limiter: how many, and how long in nanoseconds
}

func newMeter() *meter { return &meter{Adaptive: ratelimit.NewAdaptive(slowest, fastest)} }

// traced returns a context whose calls the meter counts.
func (m *meter) traced(ctx context.Context) context.Context {
	return transport.WithTrace(ctx, &transport.Trace{
		Limited: func(i transport.LimitedInfo) {
			m.waits.Add(1)
			m.waited.Add(int64(i.Wait))
		},
		Attempt: func(transport.AttemptInfo) { m.attempts.Add(1) },
	})
}

// meanWait returns how long an attempt waited for the limiter on average.
func (m *meter) meanWait() time.Duration {
	return time.Duration(m.waited.Load() / max(1, m.waits.Load()))
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

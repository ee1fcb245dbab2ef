// Package pace measures how well limiters keep a rate in real time, and what
// they cost when no call waits.
package pace

import (
	"context"
	"time"

	uber "go.uber.org/ratelimit"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
)

// A Limiter is a limiter of calls per second with a burst of 1.
type Limiter struct {
	Name string
	Ours bool

	// New returns a function that waits for the next slot. It returns false
	// once ctx has ended.
	New func(ctx context.Context, perSecond float64) (take func() bool)
}

// Limiters returns those that are compared.
func Limiters() []Limiter {
	return []Limiter{
		{Name: "`ratelimit.Bucket`", Ours: true, New: func(ctx context.Context, perSecond float64) func() bool {
			return waiting(ctx, ratelimit.NewBucket(rate.Limit(perSecond), 1))
		}},
		{Name: "`x/time/rate`", New: func(ctx context.Context, perSecond float64) func() bool {
			return waiting(ctx, rate.NewLimiter(rate.Limit(perSecond), 1))
		}},
		{Name: "`go.uber.org/ratelimit`", New: newUber},
	}
}

func waiting(ctx context.Context, l ratelimit.Limiter) func() bool {
	return func() bool { return l.Wait(ctx) == nil }
}

// newUber leaves out the slack, which is a burst of 10.
func newUber(ctx context.Context, perSecond float64) func() bool {
	l := uber.New(int(perSecond), uber.WithoutSlack, uber.WithClock(clock{ctx}))
	return func() bool {
		l.Take()
		return ctx.Err() == nil
	}
}

// clock wakes all callers when the measurement ends. Take has no other way
// out, and at 10 per second the last of 1,000 callers would sleep for 100 s.
type clock struct{ ctx context.Context }

// Now implements [uber.Clock].
func (c clock) Now() time.Time { return time.Now() }

// Sleep implements [uber.Clock].
func (c clock) Sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
	}
}

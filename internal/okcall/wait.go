package okcall

// This file lets package ratelimit report a wait to a transport.Trace, although
// neither imports the other.

import (
	"context"
	"time"
)

// A Tracer reports what happens to a call. Package transport implements it by
// its Trace, which packages below it cannot import.
type Tracer interface {
	// Waited reports how long an attempt waited for a limiter, and the error if
	// the wait has failed.
	Waited(attempt int, wait time.Duration, err error)
}

// Traced reports whether the context has a Tracer. o may be nil.
func (o *Options) Traced() bool { return o != nil && o.Tracer != nil }

// A Wait is a wait for a limiter. The zero Wait reports nothing.
type Wait struct {
	options *Options
	began   time.Time
}

// BeginWait begins the wait of the attempt with ctx.
func BeginWait(ctx context.Context) Wait {
	if o := FromContext(ctx); o.Traced() {
		return Wait{o, time.Now()}
	}
	return Wait{}
}

// End reports the wait to the Tracer of its context, if there is one. Its hook
// may panic.
func (w Wait) End(err error) {
	if w.options != nil {
		w.options.Tracer.Waited(w.options.Attempt, time.Since(w.began), err)
	}
}

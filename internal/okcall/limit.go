package okcall

// This file has what package ratelimit exchanges with packages that it does not
// import, nor they it: the key of a session, from a source of package oauth, and
// the report of a wait, to a Trace of package transport.

import (
	"context"
	"time"
)

// A LimitKeyer is a token source that reports the key of its session for
// limits. The key is no secret, and it is the same in every process that has
// the session. "" means that the source has none.
type LimitKeyer interface{ LimitKey() string }

// LocalKey is the beginning of a default key for limits that this process made
// up: it means nothing in another one.
const LocalKey = "session "

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
	options *Options      // with the Tracer; nil: there is none
	began   time.Duration // by Clock
}

// BeginWait begins the wait of the attempt with ctx.
func BeginWait(ctx context.Context) Wait {
	if o := FromContext(ctx); o.Traced() {
		return Wait{o, Clock()}
	}
	return Wait{}
}

// Traced reports whether there is a Tracer.
func (w Wait) Traced() bool { return w.options != nil }

// End reports the wait to the Tracer of its context, if there is one. Its hook
// may panic.
func (w Wait) End(err error) {
	if w.Traced() {
		w.options.Tracer.Waited(w.options.Attempt, Clock()-w.began, err)
	}
}

// Clock returns how long the program has run. It reads one clock of the system,
// and time.Now reads two: what happens on every call measures by Clock.
func Clock() time.Duration { return time.Since(started) }

var started = time.Now()

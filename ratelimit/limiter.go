package ratelimit

import (
	"context"
	"time"
)

// A Limiter says when a call may be made. [*golang.org/x/time/rate.Limiter]
// is one.
//
// Wait returns nil when the call may be made now, and an error if it may not:
// the error of ctx if it ended first. It is called by many goroutines at once.
type Limiter interface {
	Wait(ctx context.Context) error
}

// A Keyer has a limiter for each key. [Limit] asks it, once per attempt, for
// the limiter of the request's key; if that is nil, the key has no limit.
// [*Keyed] is one.
type Keyer interface {
	For(key string) Limiter
}

// An Observer is a [Limiter] that learns from how calls end. [Limit] finds it
// by a type assertion and calls Observe exactly once for each Wait that
// granted a call. [*Adaptive] is one.
type Observer interface {
	Observe(o Outcome)
}

// An Outcome is how one call ended, as far as a limit is concerned.
type Outcome struct {
	// Sent is when the call was let through. If it is zero, an [Adaptive] takes
	// the outcome for that of the call that has been under way for longest.
	Sent time.Time

	// Throttled is true if the server refused the call because of too many
	// calls: status 429 or 503, or API code 8 or 9.
	Throttled bool

	// RetryAfter is the pause the server asked for, by a header of the same
	// name; 0 if it asked for none.
	RetryAfter time.Duration

	// Err is why no answer came. If it is not nil, nothing is known of the
	// server, and Throttled is false.
	Err error
}

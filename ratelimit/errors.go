package ratelimit

// This file has the error of a call that a limiter rejected. It is final for a
// Retry: a repeat would wait in the same queue.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru/internal/roundtrip"
)

// ErrLimited matches, by [errors.Is], every error of a call that a limiter of
// this package rejected: the call was not sent. If the deadline of the call's
// context is the reason, the error also matches [context.DeadlineExceeded],
// although the context has not ended yet.
//
// It does not match the error of a context that ended while the call waited.
var ErrLimited = errors.New("okru: rejected by the local rate limit")

// forever is a wait that does not end.
const forever = time.Duration(math.MaxInt64)

// A LimitedError is the error of a call that a limiter rejected. This program
// made it, not the server. The same call at the same moment would be rejected
// again.
type LimitedError struct {
	// Key is the key whose limiter rejected the call; empty if the limiter has
	// no keys. See [Limit.Key].
	Key string

	// Wait is how long the call would have had to wait. It is the largest
	// Duration if no wait is long enough, and 0 if the limiter does not say.
	Wait time.Duration

	reason   string // why, for the text; empty: by a limiter of another package
	deadline bool   // the deadline is the reason
	cause    error  // the error of another package's limiter
}

// Error returns why the call was not sent.
func (e *LimitedError) Error() string {
	text := "okru: not sent, because of the local rate limit"
	if e.Key != "" {
		text += fmt.Sprintf(" of key %q", e.Key)
	}
	if e.reason != "" {
		text += ": " + e.reason
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	if e.Wait > 0 && e.Wait != forever {
		text += fmt.Sprintf(" (it would wait %v)", e.Wait.Round(time.Millisecond))
	}
	return text
}

// Is reports whether target is [ErrLimited] or, if the deadline is the reason,
// [context.DeadlineExceeded].
func (e *LimitedError) Is(target error) bool {
	return target == ErrLimited || e.deadline && target == context.DeadlineExceeded
}

// Unwrap returns the error of a limiter of another package, or nil.
func (e *LimitedError) Unwrap() error { return e.cause }

// Timeout reports whether the deadline is the reason, as the method of
// [context.DeadlineExceeded] does.
func (e *LimitedError) Timeout() bool { return e.deadline }

// Terminal returns true: a retry would be rejected too.
func (e *LimitedError) Terminal() bool { return true }

// withKey returns err, the error of a Wait, with the key in it.
func withKey(err error, key string) error {
	limited, ok := errors.AsType[*LimitedError](err)
	if !ok || limited.Key != "" || key == "" {
		return err
	}
	copied := *limited
	copied.Key = key
	return &copied
}

// waitError returns the error of a call whose Wait failed with err. A limiter
// of another package that fails while the context goes on has rejected the
// call. That of x/time/rate does so because of a burst of 0 or the deadline, and
// says which only in its text.
func waitError(ctx context.Context, err error, s slot) error {
	if ctx.Err() != nil {
		return contextErr(ctx)
	}
	if errors.Is(err, ErrLimited) {
		return withKey(err, s.key)
	}
	l, ok := s.limiter.(*rate.Limiter)
	return &LimitedError{Key: s.key, cause: err, deadline: ok && l.Burst() > 0}
}

// contextErr returns the error of ctx and its cause, or nil.
func contextErr(ctx context.Context) error { return roundtrip.ContextErr(ctx) }

package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"
)

// ErrLimited is what every refusal by a limiter of this package is, in the
// sense of [errors.Is]: the call was not sent. If the deadline of the call's
// context is why, the refusal is [context.DeadlineExceeded] as well, although
// the context has not ended yet.
//
// The error of a context that ended during the wait is not a refusal: it is
// returned as it is.
var ErrLimited = errors.New("okru: refused by the local rate limit")

// forever is a wait that does not end.
const forever = time.Duration(math.MaxInt64)

// A LimitedError is a refusal. It comes from this program, never from the
// server, and the same call at the same moment would be refused again.
type LimitedError struct {
	// Key is the key whose limiter refused the call, as the Keyed or the
	// function Key of a Limit has it; empty if the limiter has no keys. The
	// default key is a hash of the session.
	Key string

	// Wait is how long the call would have had to wait. It is the largest
	// Duration if no wait would do, and 0 if that is not known.
	Wait time.Duration

	reason string
	late   bool  // the deadline is why
	cause  error // the error of another package's limiter
}

// Error says why the call was not sent.
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

// Is reports whether target is [ErrLimited] or, if the deadline is why,
// [context.DeadlineExceeded].
func (e *LimitedError) Is(target error) bool {
	return target == ErrLimited || e.late && target == context.DeadlineExceeded
}

// Unwrap returns the error of a limiter that is not of this package, or nil.
func (e *LimitedError) Unwrap() error { return e.cause }

// Timeout reports whether the deadline is why, as that of
// [context.DeadlineExceeded] does.
func (e *LimitedError) Timeout() bool { return e.late }

// Terminal returns true: a retry would be refused as well.
func (e *LimitedError) Terminal() bool { return true }

// named returns err, the error of a Wait, as one that names the key.
func named(err error, key string) error {
	limited, ok := errors.AsType[*LimitedError](err)
	if !ok || limited.Key != "" || key == "" {
		return err
	}
	copied := *limited
	copied.Key = key
	return &copied
}

// refusal returns the error of a limiter as one of this package. The limiter
// of another one that has an error while the context goes on refuses; that of
// x/time/rate does so for the burst or, in words only, for the deadline.
func refusal(ctx context.Context, err error, s slot) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if errors.Is(err, ErrLimited) {
		return named(err, s.key)
	}
	_, hasDeadline := ctx.Deadline()
	l, ok := s.limiter.(*rate.Limiter)
	return &LimitedError{Key: s.key, cause: err, late: ok && hasDeadline && l.Burst() > 0}
}

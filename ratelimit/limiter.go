package ratelimit

// This file has the interfaces between the layer and limiters, also those of other
// packages, and the limiters that stand for mistakes in the settings.

import (
	"context"
	"fmt"
	"reflect"
	"time"
)

// A Limiter decides when a call may be made. [*golang.org/x/time/rate.Limiter]
// is one.
type Limiter interface {
	// Wait returns nil when the call may be made now, and an error if it may
	// not: the error of ctx if ctx ended first. Many goroutines call it at once.
	Wait(ctx context.Context) error
}

// A Keyer has a limiter for each key. [Limit] asks it, once per attempt, for
// the limiter of the request's key. [*Keyed] is a Keyer.
type Keyer interface {
	// For returns the limiter of key. If it is nil, the key has no limit. Many
	// goroutines call it at once.
	For(key string) Limiter
}

// An Observer is a [Limiter] that learns from how calls end. [Limit] finds it
// by a type assertion. [*Adaptive] is an Observer.
type Observer interface {
	// Observe learns how a call ended. It is called exactly once for each Wait
	// that returned nil, also if the call panics, by many goroutines at once.
	Observe(o Outcome)
}

// An Outcome describes how one call ended, as far as a limit is concerned.
type Outcome struct {
	// Sent is when Wait let the call through. If it is zero, an [Adaptive]
	// assumes that the call took no time.
	Sent time.Time

	// Throttled reports that the server rejected the call because of too many
	// calls: status 429 or 503, or API code 8 or 9.
	Throttled bool

	// RetryAfter is the pause that the server asked for by the header of this
	// name, at most 10 minutes; 0 if it asked for none.
	RetryAfter time.Duration

	// Err is why nothing was learned about the server: no response arrived,
	// the call was not sent, or it went to a host that is not the API's. If it
	// is not nil, Throttled is false.
	Err error
}

// unlimited is a Limiter without a limit.
type unlimited struct{}

// Wait implements [Limiter].
func (unlimited) Wait(ctx context.Context) error { return contextErr(ctx) }

// unusable is a Limiter that rejects every call, because the program gave one
// that cannot work.
type unusable struct{ reason string }

// Wait implements [Limiter].
func (u unusable) Wait(context.Context) error { return &LimitedError{Wait: forever, reason: u.reason} }

// usable returns l, or a Limiter that rejects every call if l is a nil pointer
// in an interface: its methods would panic.
func usable(l Limiter) Limiter {
	if v := reflect.ValueOf(l); v.Kind() == reflect.Pointer && v.IsNil() {
		return unusable{fmt.Sprintf("the limiter is a nil %T; leave it out, or make one", l)}
	}
	return l
}

// zero returns the Limiter that a zero or nil limiter of this package is.
func zero(name string) Limiter {
	return unusable{fmt.Sprintf("a zero or nil %s lets no call pass; make one with ratelimit.New%[1]s", name)}
}

package oktest

import (
	"cmp"
	"errors"
	"math"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

// A Limit is a rate that the server allows. Only calls that would otherwise
// run count, and those rejected by it do not.
//
// PerSecond and Burst make a token bucket, full at first. Calls and Window
// make a quota: so many calls in each window, whose windows begin at round
// times, as minutes and days do. A Limit may have both.
type Limit struct {
	// PerSecond is how fast the bucket fills. If 0, there is no bucket.
	PerSecond float64

	// Burst is the capacity of the bucket, in calls. If 0, one call.
	Burst int

	// Calls is how many calls a window may have. If 0, there is no window.
	Calls int

	// Window is how long a window is. If 0, one second.
	Window time.Duration

	// Per is which calls share the limit.
	Per Scope

	// Method is the method that is limited. If empty, all of them together.
	Method string

	// Code is the API error of a rejected call. If 0, 8, FLOOD_BLOCKED. OK
	// sends 11, LIMIT_REACHED, for a quota.
	Code okerrors.Code

	// Status, if set, rejects with this HTTP status, such as 429, and an HTML
	// page instead of an API error.
	Status int

	// RetryAfter, if positive, is sent with a rejection as Retry-After, in
	// seconds, rounded up. TellWait sends the time until a call is allowed
	// again instead. OK was seen to send neither.
	RetryAfter time.Duration
	TellWait   bool
}

// Scope is which calls share a [Limit].
type Scope int

// The scopes of a limit.
const (
	PerApplication Scope = iota
	PerSession           // each session on its own, and all calls without one
	PerUser              // each user on its own, and all calls without one
	PerIP
)

// Limit replaces all limits: a call must be within every one. Without
// arguments it lifts them. The usage so far is forgotten.
func (s *Server) Limit(limits ...Limit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = nil
	for _, l := range limits {
		l.Window = cmp.Or(l.Window, time.Second)
		l.Burst = max(l.Burst, 1)
		s.limits = append(s.limits, &limiter{Limit: l, used: make(map[string]*usage)})
	}
}

type limiter struct {
	Limit
	used map[string]*usage
}

// usage is the part of a limit that one key has used.
type usage struct {
	tokens float64
	filled time.Time // when tokens was right
	window time.Time // when the window began
	calls  int
}

// limitedError is the rejection of a call by a limit.
type limitedError struct {
	cause *okerrors.Error
	limit *Limit
	wait  time.Duration // until a call is allowed
}

func (e limitedError) Error() string { return e.cause.Error() }
func (e limitedError) Unwrap() error { return e.cause }

// checkLimits charges every limit that the call is subject to, or none.
func (c *apiCall) checkLimits() error {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	var charged []*usage
	for _, l := range s.limits {
		if l.Method != "" && l.Method != c.Method {
			continue
		}
		u := l.usageOf(c)
		if wait := l.wait(u); wait > 0 {
			return l.rejection(wait)
		}
		charged = append(charged, u)
	}
	for _, u := range charged {
		u.tokens--
		u.calls++
	}
	return nil
}

// usageOf returns the usage that c counts for, as of now.
func (l *limiter) usageOf(c *apiCall) *usage {
	now := time.Now()
	key := l.key(c)
	u := l.used[key]
	if u == nil {
		u = &usage{tokens: float64(l.Burst), filled: now}
		l.used[key] = u
	}
	if elapsed := now.Sub(u.filled).Seconds(); elapsed > 0 {
		u.tokens = math.Min(float64(l.Burst), u.tokens+elapsed*l.PerSecond)
		u.filled = now
	}
	if window := now.Truncate(l.Window); window.After(u.window) {
		u.window, u.calls = window, 0
	}
	return u
}

func (l *limiter) key(c *apiCall) string {
	switch l.Per {
	case PerSession:
		return c.token()
	case PerUser:
		return c.UserID
	case PerIP:
		return c.remoteIP()
	default:
		return ""
	}
}

// wait returns how long it takes until u allows a call, 0 if it does now.
func (l *limiter) wait(u *usage) time.Duration {
	var wait time.Duration
	if l.PerSecond > 0 && u.tokens < 1-1e-9 {
		wait = time.Duration((1 - u.tokens) / l.PerSecond * float64(time.Second))
	}
	if l.Calls > 0 && u.calls >= l.Calls {
		wait = max(wait, time.Until(u.window.Add(l.Window)))
	}
	return wait
}

func (l *limiter) rejection(wait time.Duration) error {
	err := usualFailure(cmp.Or(l.Code, okerrors.CodeFloodBlocked))
	return limitedError{err, &l.Limit, wait}
}

// reject answers a call that was not admitted.
func (c *apiCall) reject(err error) response {
	a := c.failure(err)
	limited, ok := errors.AsType[limitedError](err)
	if !ok {
		return a
	}
	if status := limited.limit.Status; status != 0 {
		c.Code = 0
		a = statusPage(status)
	}
	after := limited.limit.RetryAfter
	if limited.limit.TellWait {
		after = limited.wait
	}
	return a.withRetryAfter(after)
}

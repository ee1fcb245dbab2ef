package transport

import (
	"math"
	"math/rand/v2"
	"time"
)

// pause returns how long to wait after a, and false if there is no point in
// waiting: the server or the caller's deadline does not allow it.
func (t *retrier) pause(a Attempt) (time.Duration, bool) {
	wait := retryAfter(a.Response)
	if wait > t.settings.MaxDelay {
		return 0, false
	}
	delay, ok := t.delay(a, wait)
	if deadline, has := a.Request.Context().Deadline(); has && delay >= time.Until(deadline) {
		return 0, false
	}
	return delay, ok
}

// delay returns a pause of at least wait, and false if the pause would have to
// be longer than any allowed.
func (t *retrier) delay(a Attempt, wait time.Duration) (time.Duration, bool) {
	s := &t.settings
	if s.Backoff != nil {
		return max(wait, s.Backoff(s.MinDelay, s.MaxDelay, a.N-1, a.Response)), true
	}
	delay := add(wait, upTo(ceiling(s.MinDelay, s.MaxDelay, a.N-1)))
	if !isFlood(a) {
		return delay, true
	}
	half := s.MaxDelay / 2
	return max(delay, half+upTo(s.MaxDelay-half)), s.MaxDelay > 0
}

// ceiling returns min(longest, shortest·2^n).
func ceiling(shortest, longest time.Duration, n int) time.Duration {
	if shortest > 0 && (n > 62 || shortest > longest>>n) {
		return longest
	}
	return shortest << n // of zero, and else without overflow
}

// upTo returns a random duration from [0, longest].
func upTo(longest time.Duration) time.Duration {
	return time.Duration(rand.Uint64N(uint64(longest) + 1))
}

// add returns a+b or, if that is too long for a Duration, the longest.
func add(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

package transport

// This file decides how long a Retry pauses before a repeat, and whether its
// budget allows one.

import (
	"math"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/roundtrip"
)

// pause returns how long to wait after a, and false if the request must not be
// repeated because the server asks for a longer pause than MaxDelay, or because
// the pause would reach the deadline of the caller.
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

// jitterPart is the part of a Retry-After that the jitter on top of it may be:
// callers that were given the same time must not all come back at it.
const jitterPart = 5

// delay returns a pause of at least wait, which the server asks for. It returns
// false if the pause would have to be longer than MaxDelay.
func (t *retrier) delay(a Attempt, wait time.Duration) (time.Duration, bool) {
	s := &t.settings
	if s.Backoff != nil {
		return max(wait, s.Backoff(s.MinDelay, s.MaxDelay, a.N-1, a.Response)), true
	}
	delay := add(wait, upTo(max(ceiling(s.MinDelay, s.MaxDelay, a.N-1), wait/jitterPart)))
	if e := a.apiError(); e == nil || e.Code != okerrors.CodeFloodBlocked {
		return delay, true
	}
	// Flood protection counts calls over a time that OK does not publish. A short
	// pause spends the attempts and changes nothing.
	half := s.MaxDelay / 2
	return max(delay, half+upTo(s.MaxDelay-half)), s.MaxDelay > 0
}

// retryAfter returns how long resp asks to wait; 0 if it does not.
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	wait, _ := roundtrip.RetryAfter(resp.Header, time.Now())
	return wait
}

// ceiling returns min(longest, shortest·2^n).
func ceiling(shortest, longest time.Duration, n int) time.Duration {
	if shortest > 0 && (n > 62 || shortest > longest>>n) {
		return longest
	}
	return shortest << n // cannot overflow: it is 0 or at most longest
}

// upTo returns a random duration from [0, longest].
func upTo(longest time.Duration) time.Duration {
	return time.Duration(rand.Uint64N(uint64(longest) + 1))
}

// add returns a+b, or the longest Duration if that is more.
func add(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// A budget is a token bucket that only successes fill: during an outage there
// are none, however long it lasts. See the section on throttling in
// https://github.com/grpc/proposal/blob/master/A6-client-retries.md.
type budget struct{ left atomic.Int64 }

// A success earns 1, a repeat costs several.
const (
	repeatCost = 5
	budgetSize = 200 * repeatCost
)

// newBudget returns a full budget.
func newBudget() *budget {
	b := new(budget)
	b.left.Store(budgetSize)
	return b
}

func (b *budget) full() bool { return b.left.Load() >= budgetSize }

// take pays for a repeat. It returns false if too little is left.
func (b *budget) take() bool {
	for {
		left := b.left.Load()
		if left < repeatCost {
			return false
		}
		if b.left.CompareAndSwap(left, left-repeatCost) {
			return true
		}
	}
}

// refund returns the cost of a repeat that was not sent.
func (b *budget) refund() { b.add(repeatCost) }

// earn adds what a success is worth.
func (b *budget) earn() { b.add(1) }

// add adds n, up to the size of the budget. Without a lock: all calls of a
// client share it, and nearly none changes it.
func (b *budget) add(n int64) {
	for {
		left := b.left.Load()
		if b.left.CompareAndSwap(left, min(left+n, budgetSize)) {
			return
		}
	}
}

package ratelimit

import (
	"testing"
	"testing/synctest"
	"time"
)

// waiting returns a queue of one call per 10 ms, whose token was taken at start,
// and callers in it.
func waiting(t *testing.T, callers int) (q *queue, start time.Time) {
	q, start = new(queue), time.Now()
	q.init(100, 1)
	if !q.tryPass(start) {
		t.Fatal("the first caller waits")
	}
	for range callers {
		q.waiters.add(t.Context(), start)
	}
	return q, start
}

// A timer that is late costs no rate, if it is not later than maxLate: who was
// due passes, and the next slot is where it was.
func TestQueueMakesUpForALateTimer(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		at     time.Duration // when the timer fires
		passed int
		next   time.Duration // the slot of who is first then
	}{
		{9 * ms, 0, 10 * ms},
		{10 * ms, 1, 20 * ms},
		{19 * ms, 1, 20 * ms},
		{25 * ms, 2, 30 * ms},
		{30 * ms, 3, 40 * ms},
		{95 * ms, 3, 105 * ms}, // as of 75, 85 and 95
	} {
		synctest.Test(t, func(t *testing.T) {
			q, start := waiting(t, 8)
			q.release(start.Add(test.at))
			next, ok := q.slot(0)
			if passed := 8 - q.waiters.length; passed != test.passed || !ok || next.Sub(start) != test.next {
				t.Errorf("after %v, %d callers pass, and the next may at %v, %t; want %d and %v", test.at, passed, next.Sub(start), ok, test.passed, test.next)
			}
			q.stop()
		})
	}
}

// A timer runs only while callers wait.
func TestQueueStopsItsTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, start := waiting(t, 1)
		q.release(start)
		if q.timer == nil {
			t.Fatal("no timer runs while a caller waits")
		}
		_ = q.leave(q.waiters.first)
		if q.timer != nil {
			t.Error("a timer runs after the last caller has left")
		}
	})
}

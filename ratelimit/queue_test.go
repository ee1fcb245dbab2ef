package ratelimit

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
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

// A change comes after what was due until then, also if the timer is late.
func TestQueueReleasesBeforeAChange(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		change func(q *queue, now time.Time)
		next   time.Duration
	}{
		"setLimit": {func(q *queue, now time.Time) { q.setLimit(10, now) }, 75 * ms}, // half a token is there
		"setBurst": {func(q *queue, now time.Time) { q.setBurst(5, now) }, 30 * ms},
	} {
		synctest.Test(t, func(t *testing.T) {
			q, start := waiting(t, 8)
			test.change(q, start.Add(25*ms))
			next, ok := q.slot(0)
			if passed := 8 - q.waiters.length; passed != 2 || !ok || next.Sub(start) != test.next {
				t.Errorf("%s: %d callers pass, and the next may at %v, %t; want 2 and %v", name, passed, next.Sub(start), ok, test.next)
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

// A queue is full when none wait and all tokens are there.
func TestQueueFullIn(t *testing.T) {
	q, start := waiting(t, 8)
	for _, test := range []struct{ at, want time.Duration }{
		{0, 90 * time.Millisecond},                     // for 8 callers, and one token to keep
		{50 * time.Millisecond, 80 * time.Millisecond}, // there is one for a caller now
	} {
		if got := q.fullIn(start.Add(test.at)); got != test.want {
			t.Errorf("after %v with 8 callers it is full in %v, want %v", test.at, got, test.want)
		}
	}
	q, start = waiting(t, 0)
	for _, test := range []struct{ at, want time.Duration }{
		{0, 10 * time.Millisecond}, {4 * time.Millisecond, 6 * time.Millisecond}, {10 * time.Millisecond, 0}, {time.Hour, 0},
	} {
		if got := q.fullIn(start.Add(test.at)); got != test.want {
			t.Errorf("after %v it is full in %v, want %v", test.at, got, test.want)
		}
	}
	q.setLimit(0, start.Add(time.Hour))
	if got := q.fullIn(start.Add(time.Hour)); got != 0 {
		t.Errorf("at rate 0, full, it is full in %v", got)
	}
}

// An object that was collected has no id any more.
func TestIdentitiesForget(t *testing.T) {
	var m identities
	p := new([64]byte)
	id := m.of(unsafe.Pointer(p))
	if other := m.of(unsafe.Pointer(new([64]byte))); other == id || m.of(unsafe.Pointer(p)) != id {
		t.Errorf("one object has the ids %d and %d, another %d", id, m.of(unsafe.Pointer(p)), other)
	}
	m.forget(uintptr(unsafe.Pointer(p)), id+100) // of an object that had the address before
	if m.of(unsafe.Pointer(p)) != id {
		t.Error("the id of another object was forgotten")
	}
	runtime.KeepAlive(p)
	for range 100 {
		runtime.GC()
		m.mu.RLock()
		left := len(m.known)
		m.mu.RUnlock()
		if left == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d objects that were collected still have ids", len(m.known))
}

package ratelimit

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// The mean latency and its mean deviation are over about ten calls.
func TestCubicMeasuresLatency(t *testing.T) {
	c := newCubic(0.1, 1000)
	for _, test := range []struct{ measured, latency, jitter float64 }{
		{0.1, 0.1, 0}, {0.2, 0.11, 0.01}, {0.05, 0.104, 0.015}, {0.104, 0.104, 0.0135},
	} {
		c.measure(test.measured)
		near(t, "the latency", c.latency, test.latency)
		near(t, "the jitter", c.jitter, test.jitter)
	}
}

// The curve is the longer, the longer it takes to learn from it.
func TestCubicTimeScale(t *testing.T) {
	for _, test := range []struct{ ceiling, latency, pause, unit float64 }{
		{100, 0.01, 0, 1},
		{30, 0, 0, 1},
		{10, 0, 0, 3},     // a low rate
		{100, 0.5, 0, 3},  // a distant server
		{100, 0, 0.4, 4},  // one that makes callers pause
		{1, 0, 0, 16},     // never longer
		{100, 0, 9, 16},   // never longer
		{100, 9, 0.4, 16}, // never longer
	} {
		c := newCubic(0.1, 1000)
		c.latency, c.pause = test.latency, test.pause
		c.begin(time.Now(), test.ceiling, test.ceiling)
		near(t, "the unit", c.unit, test.unit)
		near(t, "the plateau", c.plateau(), 4*test.unit)
		near(t, "the rate", c.rate, 0.97*test.ceiling)
		near(t, "the depth", c.depth, 0.03)
		near(t, "the rate after half of the time", c.curve(2*test.unit), test.ceiling*(1-0.03/8))
		near(t, "the rate at the plateau", c.curve(4*test.unit), test.ceiling)
		near(t, "the rate after as much again", c.curve(7*test.unit), test.ceiling*1.05)
		near(t, "the rate much later", c.curve(10*test.unit), test.ceiling*(1+0.05*8))
	}
}

// At the start the rate doubles each second, up to its bound.
func TestCubicStart(t *testing.T) {
	c := newCubic(0.1, 100)
	near(t, "the rate at first", c.rate, 10)
	c.advance(1.5)
	near(t, "the rate after 1.5 s", c.rate, 10*math.Sqrt(8))
	near(t, "the calls sent", c.sent, 15)
	c.advance(5)
	near(t, "the rate after 6.5 s", c.rate, 100)
	near(t, "the busy time", c.busy, 6.5)
}

// The mean rate of the last second, or of the last call if those are fewer.
func TestCubicMeanRate(t *testing.T) {
	for _, test := range []struct{ rate, lag float64 }{{100, 1}, {1, 1}, {0.2, 5}} {
		c := newCubic(0.1, 1000)
		near(t, "the mean at first", c.recent, 10)
		c.rate = test.rate
		c.advance(2)
		near(t, "the mean after 2 s", c.recent, 10+(test.rate-10)*(1-math.Exp(-2/test.lag)))
	}
}

// A cut sets the ceiling to the rate at which calls were accepted, the less so the
// sooner it comes after the last one. Half of a standard deviation of the throttled
// calls counts as accepted: 4 of 64, 2 of 16 and 1 of 4.
func TestCubicCuts(t *testing.T) {
	for _, test := range []struct {
		name                            string
		busy, sent, accepted, throttled float64
		recent                          float64 // the mean rate of the last second
		ceiling                         float64 // that is wanted
	}{
		{"after the plateau", 5, 500, 540, 60 + 4, 100, 100 * 544. / 604},
		{"after the plateau, faster at last", 5, 500, 540, 60 + 4, 120, 120 * 544. / 604},
		{"before the plateau", 1.5, 150, 84, 14 + 2, 0, 99.5 - (99.5-86)*0.75},
		{"at the plateau", 4, 400, 540, 60 + 4, 120, 120 * 544. / 604},
		{"soon", 0.5, 60, 46, 3 + 1, 0, 99.5 + (120*0.94-99.5)*0.5},
		{"at once", 0, 0, 84, 14 + 2, 0, 99.5},
		{"one call", 5, 500, 99, 1, 100, 99.5},
	} {
		c := newCubic(0.1, 1000)
		start := time.Now()
		c.begin(start, 100, 100)
		c.busy, c.sent, c.recent, c.accepted, c.throttled = test.busy, test.sent, test.recent, test.accepted, test.throttled
		if test.recent > c.rate {
			c.rate = test.recent
		}
		rate := c.rate
		c.slow(start.Add(time.Minute))
		near(t, "the ceiling "+test.name, c.ceiling, test.ceiling)
		near(t, "the rate "+test.name, c.rate, math.Min(rate, test.ceiling)*0.97)
		if c.busy != 0 || c.sent != 0 || c.accepted != 0 || c.throttled != 0 || c.cut != start.Add(time.Minute) || c.recent != c.rate {
			t.Errorf("%s: the counts begin with %+v", test.name, c)
		}
	}
}

// A throttled call is news if it was sent after the last cut. It cuts the rate if
// as many calls as those of a second have ended since, and 24 at least.
func TestCubicReactions(t *testing.T) {
	start := time.Now()
	for _, test := range []struct {
		name                string
		rate                float64
		accepted, throttled float64 // before
		sent                time.Duration
		want                reaction
	}{
		{"sent before the cut", 10, 100, 0, 0, carryOn},
		{"sent after it", 10, 100, 0, 1, slowDown},
		{"too few calls", 40, 38, 0, 1, carryOn},
		{"just enough calls", 40, 39, 0, 1, slowDown},
		{"too few calls at a low rate", 2, 22, 0, 1, carryOn},
		{"just enough calls at a low rate", 2, 23, 0, 1, slowDown},
		{"none accepted", 100, 0, 7, 1, stopAll},
		{"none accepted, too few", 100, 0, 6, 1, carryOn},
		{"one accepted", 100, 1, 7, 1, carryOn},
	} {
		c := newCubic(0.1, 1000)
		c.begin(start, 100, 100)
		c.rate, c.accepted, c.throttled = test.rate, test.accepted, test.throttled
		if got := c.throttle(start.Add(test.sent), 0.5); got != test.want {
			t.Errorf("%s: the reaction is %v, want %v", test.name, got, test.want)
		}
		if isNews := test.sent > 0; (c.throttled == test.throttled+1) != isNews || (c.pause == 0.5) != isNews {
			t.Errorf("%s: %v calls were throttled, the pause is %v", test.name, c.throttled, c.pause)
		}
	}
	c := newCubic(0.1, 1000)
	if got := c.throttle(start, 0); got != slowDown {
		t.Errorf("the reaction to the first throttled call of all is %v, want slowDown", got)
	}
}

// If calls are accepted again after deep cuts, the rate doubles each second until it
// is what it was. If one is throttled meanwhile, it does not.
func TestCubicUndoesCuts(t *testing.T) {
	start := time.Now()
	cutTo := func(rate float64) *cubic {
		c := newCubic(0.1, 1000)
		c.begin(start, 100, 100)
		c.quiet = 2*c.window() + 1 // calls were accepted for two seconds
		c.throttle(start.Add(1), 0)
		near(t, "the rate before", c.before, 100)
		c.begin(start, rate, rate)
		return &c
	}
	c := cutTo(40)
	for range 50 { // more than a second of them
		c.accept(start.Add(1))
	}
	rate := c.rate
	c.advance(0.5)
	near(t, "the rate after half a second", c.rate, rate*math.Sqrt2)
	if !c.undoing {
		t.Error("a deep cut is not undone")
	}
	c.advance(0.5)
	near(t, "the rate after a second", c.rate, rate*2)
	c.advance(1)
	near(t, "the rate at last", c.rate, 100)
	if c.undoing || c.before != 0 || c.ceiling != 100 || c.depth != 0 || c.busy != 0 || c.sent != 0 || c.accepted != 0 {
		t.Errorf("after that it is %+v", c)
	}

	c = cutTo(40)
	for range 50 {
		c.accept(start.Add(1))
	}
	c.advance(0.5)
	c.throttle(start.Add(1), 0)
	if c.before != 0 || c.quiet != 0 {
		t.Errorf("a call that is throttled meanwhile does not end it: %+v", c)
	}

	// Too few calls to cut: the rate is that of the curve again.
	c = cutTo(40)
	for range 41 {
		c.accept(start.Add(1))
	}
	c.advance(0.5)
	if got := c.throttle(start.Add(1), 0); got != carryOn {
		t.Fatalf("the reaction to 1 throttled call of 42 at %v per second is %v, want carryOn", c.rate, got)
	}
	c.advance(0.5)
	near(t, "the rate after the end of an undo", c.rate, 40*(1-0.03*0.75*0.75*0.75))

	c = cutTo(95) // little
	for range 100 {
		c.accept(start.Add(1))
	}
	c.advance(0.5)
	if c.undoing || c.before != 0 {
		t.Errorf("a small cut is undone: %+v", c)
	}

	c = cutTo(40) // and too few are accepted to know
	for range 30 {
		c.accept(start.Add(1))
	}
	c.accept(start) // sent before the cut
	c.advance(0.5)
	if c.undoing || c.before != 100 || c.accepted != 30 || c.quiet != 30 {
		t.Errorf("30 calls undo a cut: %+v", c)
	}
}

// What is not more than a bound does not count as more.
func TestCubicBounds(t *testing.T) {
	start := time.Now()
	for _, test := range []struct {
		name                string
		rate, before, quiet float64
		undoing, known      bool // afterwards
	}{
		{"as many calls as in a second", 40, 100, 40, false, true},
		{"one more", 40, 100, 41, true, true},
		{"0.93 of the rate before", 93, 100, 94, false, false},
		{"a little less", 92.9, 100, 94, true, true},
		{"at a low rate", 0.1, 0.5, 9, true, true},
	} {
		c := newCubic(0.01, 1000)
		c.begin(start, 100, 100)
		c.rate, c.before, c.quiet = test.rate, test.before, test.quiet
		c.advance(0.001)
		if c.undoing != test.undoing || c.before > 0 != test.known {
			t.Errorf("%s: undoing is %t, and the rate before %v", test.name, c.undoing, c.before)
		}
	}
	for quiet, before := range map[float64]float64{200: 0, 201: 100} { // of two seconds, or more
		c := newCubic(0.01, 1000)
		c.begin(start, 100, 100)
		c.rate, c.quiet = 100, quiet
		c.throttle(start.Add(1), 0)
		near(t, "the rate before", c.before, before)
	}
}

// A cut pauses for half of the jitter.
func TestAdaptivePausesForTheJitter(t *testing.T) {
	a, now := NewAdaptive(0, 0), time.Now()
	a.cubic.begin(now, 100, 100)
	a.cubic.jitter = 0.1
	a.cut(now)
	if pause := a.queue.opens.Sub(now); pause != 50*time.Millisecond {
		t.Errorf("the pause is %v, want 50ms", pause)
	}
}

// Every response tells the latency, whatever it says.
func TestAdaptiveMeasuresEachResponse(t *testing.T) {
	for _, o := range []Outcome{{}, {Throttled: true}, {Err: errNoCall}} {
		a := NewAdaptive(0, 0)
		o.Sent = time.Now().Add(-time.Hour)
		a.Observe(o)
		if want := o.Err == nil; a.cubic.measured != want || want && math.Abs(a.cubic.latency-3600) > 60 {
			t.Errorf("%+v: the latency is %v, measured: %t", o, a.cubic.latency, a.cubic.measured)
		}
	}
}

// A probe that gets a response, or none, ends the backoff as a whole. A call that was
// sent before does not.
func TestAdaptiveProbeEndsTheBackoff(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		sent time.Time
		ends bool
	}{{now.Add(-time.Second), true}, {now.Add(-3 * time.Second), false}} {
		for _, err := range []error{nil, errNoCall} {
			a := NewAdaptive(0, 0)
			a.backoff = backoff{on: true, until: now.Add(-2 * time.Second), asked: now.Add(-2 * time.Second), pause: time.Minute}
			a.queue.closeUntil(now.Add(time.Hour), probeTimeout)
			a.Observe(Outcome{Sent: test.sent, Err: err})
			if ended := a.backoff == (backoff{}); ended != test.ends || a.queue.opens.After(now.Add(time.Minute)) == ended || (a.queue.spacing == 0) != ended {
				t.Errorf("sent %v before, with %v: the backoff is %+v, the queue opens %v and spaces by %v", now.Sub(test.sent), err, a.backoff, a.queue.opens, a.queue.spacing)
			}
		}
	}
}

// Time counts while callers wait, except for what the queue is closed.
func TestAdaptiveCountsBusyTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, start := NewAdaptive(0, 0), time.Now()
		rate := func(at time.Duration, want float64) {
			t.Helper()
			a.update(start.Add(at))
			near(t, "the rate", a.cubic.rate, want)
		}
		rate(0, 10)
		rate(time.Minute, 10) // none wait
		for range 1000 {
			a.queue.waiters.add(t.Context(), start.Add(time.Minute))
		}
		rate(time.Minute+time.Second, 20)
		a.queue.closeUntil(start.Add(time.Minute+3*time.Second), 0)
		rate(time.Minute+2*time.Second, 20)
		rate(time.Minute+4*time.Second, 40) // it is open for the last second
		rate(time.Minute+5*time.Second, 80)
		a.queue.stop()
	})
}

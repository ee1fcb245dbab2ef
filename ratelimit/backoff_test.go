package ratelimit_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// While the server says how long to wait, everybody waits, and one goes first.
func TestAdaptiveObeysRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := ratelimit.NewAdaptive(1, 100)
		must(t, a.Wait(t.Context()))
		start := time.Now()
		a.Observe(ratelimit.Outcome{Sent: start, Throttled: true, RetryAfter: 3 * time.Second})
		passed := make(chan time.Time, 5)
		for range cap(passed) {
			go func() {
				if a.Wait(t.Context()) == nil {
					passed <- time.Now()
				}
			}()
		}
		time.Sleep(3*time.Second - 1)
		synctest.Wait()
		if len(passed) != 0 {
			t.Errorf("%d calls passed while the server asked to wait", len(passed))
		}
		time.Sleep(time.Second / 2)
		synctest.Wait()
		if len(passed) != 1 {
			t.Fatalf("%d calls passed before the first was answered; want 1", len(passed))
		}
		a.Observe(ratelimit.Outcome{Sent: <-passed})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(passed) != 4 {
			t.Errorf("%d calls passed after the first was accepted; want 4", len(passed))
		}
	})
}

// held returns an Adaptive whose server asked to wait for a minute.
func held(t *testing.T) *ratelimit.Adaptive {
	t.Helper()
	a := ratelimit.NewAdaptive(0, 0)
	must(t, a.Wait(t.Context()))
	a.Observe(ratelimit.Outcome{Sent: time.Now(), Throttled: true, RetryAfter: time.Minute})
	return a
}

func TestAdaptiveRefusesWhatTheServerMakesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := held(t)
		ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
		defer cancel()
		checkRejected(t, a.Wait(ctx), time.Minute, true)
		ctx, cancel = context.WithTimeout(t.Context(), 61*time.Second)
		defer cancel()
		must(t, a.Wait(ctx))
	})
}

// An Adaptive never rejects on an estimate.
func TestAdaptiveRefusesNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := ratelimit.NewAdaptive(0.001, 0.001)
		must(t, a.Wait(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := a.Wait(ctx); err != context.DeadlineExceeded || time.Since(start) != time.Minute {
			t.Errorf("Wait = %v after %v; want the error of the context when it ends", err, time.Since(start))
		}
	})
}

// A call that went alone and was never heard of does not hold the others back
// for good, and one that got no response not at all.
func TestAdaptiveOutlivesACallThatWentAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := held(t)
		must(t, a.Wait(t.Context()))
		start := time.Now()
		must(t, a.Wait(t.Context()))
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("a call after one that never ended waited %v; want 1s at most", waited)
		}
		a.Observe(ratelimit.Outcome{Sent: time.Now(), Err: errors.New("no response")})
		start = time.Now()
		must(t, a.Wait(t.Context()))
		if waited := time.Since(start); waited > time.Second/2 {
			t.Errorf("a call after one without a response waited %v", waited)
		}
	})
}

// The call that goes alone may be one that is repeated with a renewed session:
// the repeat must not wait for the call that it is a part of.
func TestAdaptiveIsChargedByTheCallThatGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := held(t)
		limit := ratelimit.Limit{Limiter: a}
		rt := limit.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			if err := limit.Charge(r); err != nil {
				return nil, err
			}
			return response(r, http.StatusOK, "{}"), nil
		}))
		start := time.Now()
		send(t, rt, newRequest(t.Context(), "users.getInfo"))
		if took := time.Since(start); took > 61*time.Second {
			t.Errorf("the call took %v; want the minute that the server asked for", took)
		}
	})
}

// While everybody is held back the rate stays: it was not tried.
func TestAdaptiveLearnsNothingWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := held(t)
		before := a.Limit()
		must(t, a.Wait(t.Context()))
		go func() { _ = a.Wait(t.Context()) }()
		time.Sleep(30 * time.Second) // for the response of the first one
		a.Observe(ratelimit.Outcome{Sent: time.Now().Add(-30 * time.Second)})
		if after := a.Limit(); after != before {
			t.Errorf("the rate went from %v to %v", before, after)
		}
		synctest.Wait()
	})
}

// An outage costs few calls, and the rate is there again when it is over.
func TestAdaptiveOutlivesAnOutage(t *testing.T) {
	for name, retryAfter := range map[string]time.Duration{"silent": 0, "with Retry-After": time.Second} {
		t.Run(name, func(t *testing.T) {
			s := &brokenServer{server: newBucketServer(50, 10), from: 60, to: 180}
			count := simulate(t, simulation{server: s, callers: 100, latency: 50 * time.Millisecond, retryAfter: retryAfter,
				length: 400 * time.Second, seed: 1, onSecond: func(second int) { s.second = second }})
			if _, throttled := count.between(61, 180); throttled > 30 {
				t.Errorf("%v calls were throttled in an outage of 2 minutes; want growing pauses", throttled)
			}
			accepted, throttled := count.between(320, 400)
			if accepted < 0.93*50*80 || throttled > 0.02*accepted {
				t.Errorf("after the outage %.1f calls per second were accepted and %.1f throttled; want 50 and few", accepted/80, throttled/80)
			}
		})
	}
}

// The end of an outage is noticed within half of its length.
func TestAdaptiveNoticesTheEndOfAnOutage(t *testing.T) {
	for _, length := range []int{5, 30, 300} {
		for _, latency := range []time.Duration{20 * time.Millisecond, 200 * time.Millisecond} {
			end := 60 + length
			s := &brokenServer{server: newBucketServer(50, 10), from: 60, to: end}
			count := simulate(t, simulation{server: s, callers: 100, latency: latency, jitter: 0.5, seed: 1,
				length: time.Duration(end+length) * time.Second, onSecond: func(second int) { s.second = second }})
			if accepted, _ := count.between(end, end+length/2+1); accepted == 0 {
				t.Errorf("latency %v: no call was accepted in the %d s after an outage of %d s", latency, length/2+1, length)
			}
		}
	}
}

// brokenServer throttles everything for a while.
type brokenServer struct {
	server
	second, from, to int
}

func (s *brokenServer) allows(at time.Time) bool {
	return !(s.from <= s.second && s.second < s.to) && s.server.allows(at)
}

func TestAdaptiveIsALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := ratelimit.NewAdaptive(10, 10)
		must(t, a.Wait(t.Context()))
		gone, leave := context.WithCancel(t.Context())
		for range 100 {
			go func() { _ = a.Wait(gone) }()
		}
		synctest.Wait()
		start := time.Now()
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				must(t, a.Wait(t.Context()))
				a.Observe(ratelimit.Outcome{})
			})
		}
		synctest.Wait()
		leave()
		group.Wait()
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("100 callers behind 100 cancelled ones took %v; want 10s", took)
		}
	})
}

// Of several pauses, the one that ends last counts, whatever their order: the
// server asks for some, and one follows when it throttles every call.
func TestAdaptiveTakesTheLongestPause(t *testing.T) {
	times := func(n int, retryAfter time.Duration) (all []time.Duration) {
		for range n {
			all = append(all, retryAfter)
		}
		return all
	}
	for name, test := range map[string]struct {
		asked []time.Duration // by one throttled call each, a millisecond apart
		want  time.Duration   // from the last of them on
	}{
		"a shorter one after a longer one":     {[]time.Duration{time.Minute, time.Second}, time.Minute - time.Millisecond},
		"a longer one after a shorter one":     {[]time.Duration{time.Second, time.Minute}, time.Minute},
		"every call throttled, and asked for":  {times(9, time.Minute), time.Minute},
		"asked for less than its own, at last": {append(times(9, 0), 10*time.Millisecond), 49 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := ratelimit.NewAdaptive(100, 0)
				for _, asked := range test.asked {
					time.Sleep(time.Millisecond)
					a.Observe(ratelimit.Outcome{Sent: time.Now(), Throttled: true, RetryAfter: asked})
				}
				start := time.Now()
				if test.want > time.Second { // otherwise it may be the own pause, for which calls wait
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					checkRejected(t, a.Wait(ctx), test.want, true)
				}
				must(t, a.Wait(t.Context()))
				if waited := time.Since(start); waited != test.want {
					t.Errorf("the next call waited %v, want %v", waited, test.want)
				}
			})
		})
	}
}

// However long an outage lasts, a probe goes every 10 minutes.
func TestAdaptiveProbesForDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := ratelimit.NewAdaptive(0, 0)
		start, probes := time.Now(), 0
		for time.Since(start) < 48*time.Hour {
			must(t, a.Wait(t.Context()))
			if time.Since(start) > 24*time.Hour {
				probes++
			}
			a.Observe(ratelimit.Outcome{Sent: time.Now(), Throttled: true})
		}
		if probes < 144 || probes > 145 {
			t.Errorf("%d probes went on the second day, want 144", probes)
		}
	})
}

// If all calls are throttled, and the server does not say for how long, the pauses
// grow by half each: 50 ms, 75 ms and so on, up to 10 minutes.
func TestAdaptivePausesGrowByHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := ratelimit.NewAdaptive(1000, 0)
		for range 9 {
			time.Sleep(time.Millisecond)
			a.Observe(ratelimit.Outcome{Sent: time.Now(), Throttled: true})
		}
		for want := 50 * time.Millisecond; want < 10*time.Minute; want += want / 2 {
			start := time.Now()
			must(t, a.Wait(t.Context()))
			if waited := time.Since(start); waited != want {
				t.Errorf("the probe waited %v, want %v", waited, want)
			}
			a.Observe(ratelimit.Outcome{Sent: time.Now(), Throttled: true})
		}
		start := time.Now()
		must(t, a.Wait(t.Context()))
		if waited := time.Since(start); waited != 10*time.Minute {
			t.Errorf("the last probe waited %v, want 10m", waited)
		}
	})
}

// The first throttled call of all makes the others pause for 400 ms, and then the
// rate is 0.97 times 0.6 of what it was.
func TestAdaptiveFirstThrottledCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := ratelimit.NewAdaptive(0, 0)
		must(t, a.Wait(t.Context()))
		start := time.Now()
		a.Observe(ratelimit.Outcome{Sent: start, Throttled: true})
		if got, want := float64(a.Limit()), 10*0.6*0.97; math.Abs(got-want) > 1e-9 {
			t.Errorf("the rate is %v, want %v", got, want)
		}
		must(t, a.Wait(t.Context()))
		if waited := time.Since(start); waited != 400*time.Millisecond {
			t.Errorf("the next call waited %v, want 400ms", waited)
		}
	})
}

// A probe that is repeated with a renewed session got a response: the others go.
func TestAdaptiveProbeThatIsChargedFreesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := held(t)
		limit := ratelimit.Limit{Limiter: a}
		start := time.Now()
		rt := limit.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("method") == "a.probe" {
				must(t, limit.Charge(r))
				time.Sleep(time.Hour)
			}
			return response(r, http.StatusOK, "{}"), nil
		}))
		var calls sync.WaitGroup
		calls.Go(func() { send(t, rt, newRequest(t.Context(), "a.probe")) })
		synctest.Wait()
		var other time.Time
		calls.Go(func() {
			send(t, rt, newRequest(t.Context(), "a.other"))
			other = time.Now()
		})
		calls.Wait()
		if waited := other.Sub(start); waited < time.Minute || waited > time.Minute+time.Second/2 {
			t.Errorf("another call waited %v; want the minute that the server asked for, and a slot", waited)
		}
	})
}

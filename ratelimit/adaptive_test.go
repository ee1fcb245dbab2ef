package ratelimit_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
)

var errDone = errors.New("the simulation has ended")

func simulate(t *testing.T, s simulation) (count outcomes) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		time.AfterFunc(s.length, func() { close(done) })
		count = s.run(ratelimit.NewAdaptive(0.1, 1e6), done)
		<-done
	})
	return count
}

// The servers that a rate must be found for, whatever the way there.
var servers = []struct {
	name      string
	perSecond float64
	make      func() server
	callers   int
	length    time.Duration
}{
	{"5 per second, burst 5", 5, func() server { return newBucketServer(5, 5) }, 50, 70 * time.Second},
	{"50 per second, burst 10", 50, func() server { return newBucketServer(50, 10) }, 100, 70 * time.Second},
	{"500 per second, burst 100", 500, func() server { return newBucketServer(500, 100) }, 400, 40 * time.Second},
	{"window of a second, 50 calls", 50, func() server { return &windowServer{calls: 50, window: time.Second} }, 100, 70 * time.Second},
}

// ways are those that a call may go: how long it takes and what the limiter observes of it.
func ways() (all []simulation) {
	for _, latency := range []time.Duration{20 * time.Millisecond, 200 * time.Millisecond} {
		for _, jitter := range []float64{0.25, 0.5} {
			for _, atEnd := range []bool{false, true} {
				all = append(all, simulation{latency: latency, jitter: jitter, atEnd: atEnd})
			}
		}
		all = append(all, simulation{latency: latency, noSent: true})
	}
	return all
}

func TestAdaptiveFindsTheRate(t *testing.T) {
	seeds := uint64(1)
	if os.Getenv("OKRU_LONG") != "" {
		seeds = 2
	}
	for _, server := range servers {
		for _, s := range ways() {
			name := fmt.Sprintf("%s, latency %v ± %v %%, decided at the end: %t, without Sent: %t", server.name, s.latency, 100*cmp.Or(s.jitter, 0.25), s.atEnd, s.noSent)
			t.Run(name, func(t *testing.T) {
				for seed := range seeds {
					s.server, s.callers, s.length, s.seed = server.make(), server.callers, server.length, seed+1
					used, throttled := simulate(t, s).score(server.perSecond)
					t.Logf("seed %d: %.1f %% used, %.2f %% throttled", s.seed, 100*used, 100*throttled)
					if used < 0.95 || throttled > 0.02 {
						t.Errorf("seed %d: %.1f %% of what the server allows was used, and %.2f %% of the calls were throttled; want 95 and 2 %%", s.seed, 100*used, 100*throttled)
					}
				}
			})
		}
	}
}

func TestAdaptiveFollowsAMovingLimit(t *testing.T) {
	for _, latency := range []time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond} {
		t.Run(latency.String(), func(t *testing.T) {
			s := newBucketServer(50, 10)
			limits := map[int]float64{0: 50, 60: 20, 120: 100}
			count := simulate(t, simulation{server: s, callers: 200, latency: latency, jitter: 0.5, atEnd: true, length: 180 * time.Second, seed: 1,
				onSecond: func(second int) {
					if limit, ok := limits[second]; ok {
						s.SetLimitAt(time.Now(), rate.Limit(limit))
					}
				}})
			for from, limit := range limits {
				accepted, throttled := count.between(from+20, from+60)
				t.Logf("limit %v: %.1f %% used, %.2f %% throttled", limit, accepted/limit/0.4, 100*throttled/(accepted+throttled))
				if accepted < 0.95*limit*40 || throttled > 0.02*(accepted+throttled) {
					t.Errorf("20 s after the limit became %v, %.1f calls were accepted and %.1f throttled per second", limit, accepted/40, throttled/40)
				}
			}
		})
	}
}

// A quota that is spent until the minute or the day is over is not hammered.
func TestAdaptivePausesForLongWindows(t *testing.T) {
	count := simulate(t, simulation{server: &windowServer{calls: 100, window: time.Hour}, callers: 50,
		latency: 20 * time.Millisecond, length: time.Hour, seed: 1})
	_, throttled := count.between(60, len(count))
	t.Logf("%.0f calls throttled from the second minute on", throttled)
	if throttled > 40 {
		t.Errorf("a spent quota was asked %.0f times in an hour; want growing pauses", throttled)
	}
}

// Whatever the server, its burst and the way there. The worst is logged; a
// bucket of one or two calls at the end of a way that jitters is beyond what
// can be learned from throttled calls.
func TestAdaptiveDrawnServers(t *testing.T) {
	const seed = 1
	draws := 5
	if os.Getenv("OKRU_LONG") != "" {
		draws = 50
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	var used, throttled []float64
	bad := 0
	for range draws {
		perSecond := 2 * math.Pow(1000, rng.Float64())
		burst := perSecond * (0.1 + 1.9*rng.Float64())
		latency := time.Duration(5 * math.Pow(100, rng.Float64()) * float64(time.Millisecond))
		callers := 20 + int(2*perSecond*latency.Seconds())
		count := simulate(t, simulation{server: newBucketServer(perSecond, burst), callers: callers, latency: latency, length: 50 * time.Second, seed: seed})
		u, r := count.score(perSecond)
		if u < 0.95 || r > 0.02 {
			bad++
			t.Logf("%.1f/s, burst %.0f, latency %v: %.1f %% used, %.2f %% throttled", perSecond, burst, latency, 100*u, 100*r)
		}
		used, throttled = append(used, u), append(throttled, r)
	}
	slices.Sort(used)
	slices.Sort(throttled)
	t.Logf("%d servers, seed %d: median %.1f %% used, %.2f %% throttled; worst %.1f %% and %.2f %%; %d beyond 95 and 2 %%",
		draws, seed, 100*used[draws/2], 100*throttled[draws/2], 100*used[0], 100*throttled[draws-1], bad)
	if used[draws/2] < 0.97 || throttled[draws/2] > 0.015 || 4*bad > draws {
		t.Errorf("the rate is not found for %d of %d servers", bad, draws)
	}
}

func TestAdaptiveKeepsItsBounds(t *testing.T) {
	nan := rate.Limit(math.NaN())
	for _, test := range []struct{ min, max, atFirst, atLast rate.Limit }{
		{0, 0, 10, 0.1},
		{-1, -1, 10, 0.1},
		{nan, nan, 10, 0.1},
		{0, 5, 5, 0.1},
		{20, 0, 20, 20},
		{20, 40, 20, 20},
		{40, 20, 20, 20},
		{5, 2, 5, 2},
		{1, rate.Inf, 10, 1},
		{0, 1, 1, 0.1},
		{0.5, 0.5, 0.5, 0.5},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := ratelimit.NewAdaptive(test.min, test.max)
			if got := a.Limit(); got != test.atFirst {
				t.Errorf("NewAdaptive(%v, %v) starts at %v; want %v", test.min, test.max, got, test.atFirst)
			}
			for range 2000 { // cut by cut
				a.Observe(ratelimit.Outcome{})
				a.Observe(ratelimit.Outcome{Throttled: true, Sent: time.Now().Add(time.Hour)})
				time.Sleep(time.Hour)
			}
			if got := a.Limit(); got != test.atLast {
				t.Errorf("NewAdaptive(%v, %v) goes down to %v; want %v", test.min, test.max, got, test.atLast)
			}
		})
	}
}

// The rate grows while callers wait, also if no call has ended yet.
func TestAdaptiveGrowsWhileCallsAreInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := ratelimit.NewAdaptive(0, 0)
		ctx, cancel := context.WithCancel(t.Context())
		var passed atomic.Int32
		for range 300 { // one each 10 ms
			go func() {
				if a.Wait(ctx) == nil {
					passed.Add(1)
				}
			}()
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		// At 10 per second it would be 31, and at 10, 20 and 40 in the three seconds
		// 70 and more.
		if n := passed.Load(); n < 70 || n > 110 {
			t.Errorf("%d calls passed in the first 3 s, want 70 to 110", n)
		}
		cancel()
	})
}

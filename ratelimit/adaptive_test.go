package ratelimit_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
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

func TestAdaptiveFindsTheRate(t *testing.T) {
	for _, server := range []struct {
		name       string
		perSecond  float64
		make       func() server
		callers    int
		retryAfter time.Duration
	}{
		{"5 per second, burst 5", 5, func() server { return newBucketServer(5, 5) }, 50, 0},
		{"50 per second, burst 10", 50, func() server { return newBucketServer(50, 10) }, 100, 0},
		{"500 per second, burst 100", 500, func() server { return newBucketServer(500, 100) }, 400, 0},
		{"window of a second, 50 calls", 50, func() server { return &windowServer{calls: 50, window: time.Second} }, 100, 0},
	} {
		for _, latency := range []time.Duration{20 * time.Millisecond, 200 * time.Millisecond} {
			t.Run(fmt.Sprintf("%s, latency %v", server.name, latency), func(t *testing.T) {
				count := simulate(t, simulation{server: server.make(), callers: server.callers, latency: latency,
					retryAfter: server.retryAfter, length: 70 * time.Second, seed: 1})
				used, refused := count.score(server.perSecond)
				t.Logf("%.1f %% used, %.2f %% refused", 100*used, 100*refused)
				if used < 0.95 || refused > 0.02 {
					t.Errorf("%.1f %% of what the server allows was used, and %.2f %% of the calls were refused; want 95 and 2 %%", 100*used, 100*refused)
				}
			})
		}
	}
}

func TestAdaptiveFollowsAMovingLimit(t *testing.T) {
	s := newBucketServer(50, 10)
	limits := map[int]float64{0: 50, 60: 20, 120: 100}
	count := simulate(t, simulation{server: s, callers: 200, latency: 50 * time.Millisecond, length: 180 * time.Second, seed: 1,
		onSecond: func(second int) {
			if limit, ok := limits[second]; ok {
				s.SetLimitAt(time.Now(), rate.Limit(limit))
			}
		}})
	for from, limit := range limits {
		accepted, refused := count.between(from+20, from+60)
		t.Logf("limit %v: %.1f %% used, %.2f %% refused", limit, accepted/limit/0.4, 100*refused/(accepted+refused))
		if accepted < 0.95*limit*40 || refused > 0.02*(accepted+refused) {
			t.Errorf("20 s after the limit became %v, %.1f calls were accepted and %.1f refused per second", limit, accepted/40, refused/40)
		}
	}
}

// A quota that is spent until the minute or the day is over is not hammered.
func TestAdaptivePausesForLongWindows(t *testing.T) {
	count := simulate(t, simulation{server: &windowServer{calls: 100, window: time.Hour}, callers: 50,
		latency: 20 * time.Millisecond, length: time.Hour, seed: 1})
	_, refused := count.between(60, len(count))
	t.Logf("%.0f calls refused from the second minute on", refused)
	if refused > 40 {
		t.Errorf("a spent quota was asked %.0f times in an hour; want growing pauses", refused)
	}
}

// Whatever the server, its burst and the way there. The worst is told; a
// bucket of one or two calls at the end of a way that jitters is beyond what
// can be learnt from refusals.
func TestAdaptiveDrawnServers(t *testing.T) {
	draws, seed := 5, uint64(1)
	if os.Getenv("OKRU_LONG") != "" {
		draws, seed = 50, rand.Uint64()
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	var used, refused []float64
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
			t.Logf("%.1f/s, burst %.0f, latency %v: %.1f %% used, %.2f %% refused", perSecond, burst, latency, 100*u, 100*r)
		}
		used, refused = append(used, u), append(refused, r)
	}
	slices.Sort(used)
	slices.Sort(refused)
	t.Logf("%d servers, seed %d: median %.1f %% used, %.2f %% refused; worst %.1f %% and %.2f %%; %d beyond 95 and 2 %%",
		draws, seed, 100*used[draws/2], 100*refused[draws/2], 100*used[0], 100*refused[draws-1], bad)
	if used[draws/2] < 0.97 || refused[draws/2] > 0.015 || 4*bad > draws {
		t.Errorf("the rate is not found for %d of %d servers", bad, draws)
	}
}

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
			t.Errorf("%d calls passed while the server said to wait", len(passed))
		}
		time.Sleep(10 * time.Second)
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

// Code 11 pauses one method of one key, longer each time, and no other.
func TestQuotaPausesTheMethod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := map[string]int{}
		base := func(r *http.Request) (*http.Response, error) {
			method := r.URL.Query().Get("method")
			asked[method]++
			text := `{}`
			if method == "notifications.sendSimple" {
				text = `{"error_code":11,"error_msg":"LIMIT_REACHED : x"}`
			}
			return answer(r, http.StatusOK, text), nil
		}
		rt := ratelimit.Limit{Limiter: ratelimit.NewAdaptive(1, 1000)}.Wrap(roundTrip(base))
		send := func(method string) {
			r, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.ok.ru/fb.do?method="+method, nil)
			must(t, err)
			resp, err := rt.RoundTrip(r)
			must(t, err)
			resp.Body.Close()
		}
		start := time.Now()
		send("notifications.sendSimple")
		send("users.getInfo")
		if waited := time.Since(start); waited > 500*time.Millisecond {
			t.Errorf("another method waited %v", waited)
		}
		for range 6 { // after 1, 2, 4 … seconds
			send("notifications.sendSimple")
		}
		if waited := time.Since(start); waited < 63*time.Second || waited > 70*time.Second {
			t.Errorf("six more calls took %v; want pauses of 1 to 32 s", waited)
		}
	})
}

var update = flag.Bool("update", false, "draw the charts anew")

// The chart in the documentation is what the simulation gives today.
func TestAdaptiveChart(t *testing.T) {
	s := newBucketServer(50, 10)
	count := simulate(t, simulation{server: s, callers: 1, latency: 0, length: 120 * time.Second, seed: 1,
		onSecond: func(second int) {
			for at, limit := range map[int]rate.Limit{40: 20, 80: 100} {
				if second == at {
					s.SetLimitAt(time.Now(), limit)
				}
			}
		}})
	const file = "testdata/adaptive.svg"
	chart := drawChart(count)
	if *update {
		if err := os.WriteFile(file, chart, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(file)
	if err != nil || string(old) != string(chart) {
		t.Errorf("%s is not what the simulation gives; draw it by go test -run Chart -update (%v)", file, err)
	}
}

// drawChart draws accepted and refused calls per second.
func drawChart(count outcomes) []byte {
	const width, height, top = 720.0, 240.0, 110.0
	x := func(second int) float64 { return 40 + width*float64(second)/float64(len(count)) }
	y := func(calls float64) float64 { return 10 + height*(1-calls/top) }
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%v" height="%v" font-family="sans-serif" font-size="11">`+"\n", width+60, height+40)
	svg += `<rect width="100%" height="100%" fill="#fff"/>` + "\n"
	for calls := 0.0; calls <= 100; calls += 20 {
		svg += fmt.Sprintf(`<path d="M40 %.1fH%v" stroke="#ddd"/><text x="10" y="%.1f">%v</text>`+"\n", y(calls), 40+width, y(calls)+4, calls)
	}
	svg += fmt.Sprintf(`<path d="M%.1f %.1fH%.1fV%.1fH%.1fV%.1fH%.1f" fill="none" stroke="#999" stroke-dasharray="4 3"/>`+"\n",
		x(0), y(50), x(40), y(20), x(80), y(100), x(len(count)))
	line := ""
	for second, c := range count {
		line += fmt.Sprintf("%.1f,%.1f ", x(second), y(float64(c.accepted)))
		if c.refused > 0 {
			svg += fmt.Sprintf(`<path d="M%.1f %.1fV%.1f" stroke="#c33" stroke-width="3"/>`+"\n", x(second), y(0), y(float64(c.refused)))
		}
	}
	svg += fmt.Sprintf(`<polyline points="%s" fill="none" stroke="#26c" stroke-width="1.5"/>`+"\n", line)
	svg += fmt.Sprintf(`<text x="40" y="%v">seconds 0 to %d; calls per second: accepted (blue), refused (red), allowed (dashed)</text>`+"\n</svg>\n", height+30, len(count))
	return []byte(svg)
}

package okredis_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	okredis "github.com/go-okru/okru/redis"
)

// Variables of the processes that tests start.
const (
	envRedis  = "OKRU_TEST_REDIS"
	envServer = "OKRU_TEST_SERVER"
	envRate   = "OKRU_TEST_RATE"
)

const (
	testProcesses  = 8
	testGoroutines = 100 // in each
	testBurst      = 10
)

func init() { roles["limited"] = runLimited }

// runLimited makes calls to a server within a shared limit, until its standard
// input ends. It prints how many calls it made.
func runLimited() int {
	perSecond, err := strconv.ParseFloat(os.Getenv(envRate), 64)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	c := redis.NewClient(&redis.Options{Addr: os.Getenv(envRedis)})
	defer c.Close()
	b := okredis.NewBucket(c, "okru:{limit}", rate.Limit(perSecond), testBurst)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var calls atomic.Int64
	var failed atomic.Bool
	var wg sync.WaitGroup
	server, err := net.Dial("udp", os.Getenv(envServer))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for range testGoroutines {
		wg.Go(func() {
			for {
				err := b.Wait(ctx)
				if ctx.Err() != nil {
					return
				}
				if err == nil {
					_, err = server.Write([]byte{1})
				}
				if err != nil {
					fmt.Println("a call failed:", err)
					failed.Store(true)
					return
				}
				calls.Add(1)
			}
		})
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	cancel()
	wg.Wait()
	fmt.Println(calls.Load())
	if failed.Load() {
		return 1
	}
	return 0
}

// limitedProcesses runs processes within one limit while during runs. It
// returns the log of the server that they call, and when during began.
func limitedProcesses(t *testing.T, s *redisServer, perSecond float64, during func()) (log []time.Duration, began time.Duration) {
	t.Helper()
	j := startJudge(t)
	var processes []*process
	for range testProcesses {
		processes = append(processes, startProcess(t, "limited",
			envRedis+"="+s.addr, envServer+"="+j.addr, fmt.Sprintf("%s=%v", envRate, perSecond)))
	}
	eventually(t, 20*time.Second, "all processes make calls", func() bool {
		n, err := s.client().ZCard(t.Context(), "okru:{limit}:processes").Result()
		return err == nil && n == testProcesses
	})
	time.Sleep(time.Second) // until all know of each other
	stalls.longest()
	beganAt := time.Now()
	during()
	for _, p := range processes {
		p.stdin.Close()
	}
	calls := 0
	for _, p := range processes {
		calls += atoi(t, p.wait(t, 30*time.Second))
	}
	log = j.stop()
	t.Logf("%d processes made %d calls, the server has seen %d", testProcesses, calls, len(log))
	if len(log) < calls*999/1000 || len(log) > calls {
		t.Errorf("the server has seen %d of %d calls", len(log), calls)
	}
	return log, beganAt.Sub(j.start)
}

// Eight processes with 100 goroutines each stay within one limit, and make use
// of it.
func TestProcessesLimit(t *testing.T) {
	long(t)
	for _, test := range []struct {
		rate, tolerance, roundTrips float64
	}{{500, 0.01, 1.2}, {10_000, 0.05, 0.2}} {
		t.Run(fmt.Sprintf("%v per second", test.rate), func(t *testing.T) {
			s := startRedis(t)
			const d = 10 * time.Second
			var ran float64
			var spent time.Duration
			before := stalls.total()
			log, began := limitedProcesses(t, s, test.rate, func() {
				c := s.client()
				n0, spent0 := scripts(t, c)
				time.Sleep(d)
				n1, spent1 := scripts(t, c)
				ran, spent = n1-n0, spent1-spent0
			})
			stalled := stalls.total() - before
			calls := between(log, began, began+d)
			share := float64(calls) / (test.rate * d.Seconds())
			t.Logf("%v/s: %.2f %% of the limit, fullest window %+.1f calls over rate·t (allowed %.0f), %.3f scripts per call, %v of Redis per script, stalls of %v",
				test.rate, share*100, windowExcess(log, test.rate), testBurst+test.rate*0.02, ran/float64(calls),
				(spent / time.Duration(math.Max(ran, 1))).Round(time.Microsecond), stalled)
			stalls.skipIfBusy(t)
			checkWindows(t, log, test.rate, testBurst)
			if share < 1-test.tolerance-stalled.Seconds() {
				t.Errorf("%.2f %% of the limit was used", share*100)
			}
			if got := ran / float64(calls); got > test.roundTrips {
				t.Errorf("%.2f scripts per call, want at most %v", got, test.roundTrips)
			}
		})
	}
}

// Redis is killed for five seconds. No call fails, the limit holds, and soon
// the processes have the full rate again.
func TestProcessesOutage(t *testing.T) {
	long(t)
	s := startRedis(t)
	const perSecond, tail = 500.0, 4 * time.Second
	var gone, back time.Duration
	log, began := limitedProcesses(t, s, perSecond, func() {
		start := time.Now()
		time.Sleep(2 * time.Second)
		s.kill()
		gone = time.Since(start)
		time.Sleep(5 * time.Second)
		s.start()
		back = time.Since(start)
		time.Sleep(tail)
	})
	without := between(log, began+gone+time.Second, began+back)
	full := time.Duration(0)
	const step = 250 * time.Millisecond
	for ; full < tail-step; full += 50 * time.Millisecond {
		if from := began + back + full; between(log, from, from+step) >= int(0.97*perSecond*step.Seconds()) {
			break
		}
	}
	after := between(log, began+back+1500*time.Millisecond, began+back+3500*time.Millisecond)
	t.Logf("without Redis %.1f %% of the rate, full rate %v after Redis was back, then %.1f %%, fullest window %+.1f calls over rate·t (allowed %.0f)",
		float64(without)/(perSecond*(back-gone-time.Second).Seconds())*100, full, float64(after)/(2*perSecond)*100, windowExcess(log, perSecond), testBurst+perSecond*0.02)
	stalls.skipIfBusy(t)
	checkWindows(t, log, perSecond, testBurst)
	if full > 1500*time.Millisecond {
		t.Errorf("the full rate was back after %v, want 1.5s", full)
	}
}

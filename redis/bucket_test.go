package okredis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/ratelimit"
	okredis "github.com/go-okru/okru/redis"
)

// The names that programs use.
var (
	_ ratelimit.Limiter = (*okredis.Bucket)(nil)
	_ ratelimit.Limiter = (*okredis.Keyed)(nil)
	_ ratelimit.Keyer   = (*okredis.Keyed)(nil)

	_ func(redis.UniversalClient, string, rate.Limit, int) *okredis.Bucket  = okredis.NewBucket
	_ func(redis.UniversalClient, string, rate.Limit, int) *okredis.Keyed   = okredis.NewKeyed
	_ func(redis.UniversalClient, string, okredis.StoreOptions) oauth.Store = okredis.NewStore
	_                                                                       = okredis.Bucket{Share: 1, OnError: func(error) {}}
	_                                                                       = okredis.Keyed{Share: 1, OnError: func(error) {}, Max: 1}
	_                                                                       = okredis.StoreOptions{Lease: 1, Expire: 1, Encrypt: []byte{}, Decrypt: [][]byte{}}
)

// passes calls Wait n times from goroutines of their own and returns when they
// passed, in order, since the first call.
func passes(t testing.TB, n int, limiters ...ratelimit.Limiter) []time.Duration {
	t.Helper()
	start := time.Now()
	times := make([]time.Duration, n)
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() {
			if err := limiters[i%len(limiters)].Wait(t.Context()); err != nil {
				t.Error(err)
			}
			times[i] = time.Since(start)
		})
	}
	wg.Wait()
	slices.Sort(times)
	return times
}

// checkWindows fails the test if any window has more passes than a limit
// allows. A goroutine notes that it passed only when it runs, so the time that
// goroutines of this test waited for a processor is added.
func checkWindows(t testing.TB, times []time.Duration, perSecond float64, burst int) {
	t.Helper()
	late := stalls.longest()
	if excess := windowExcess(times, perSecond) - float64(burst) - perSecond*(0.02+late.Seconds()); excess > 0 {
		t.Errorf("a window has %.1f calls more than rate·t + burst + rate·0.02 (goroutines were late by %v)", excess, late)
	}
}

// windowExcess returns by how many calls the fullest window exceeds rate·t. It
// is the deepest fall of rate·t - calls.
func windowExcess(times []time.Duration, perSecond float64) float64 {
	excess, lowest := 0.0, 0.0
	for i, at := range times {
		before := float64(i) - perSecond*at.Seconds() // calls before this one, above the rate
		if i == 0 || before < lowest {
			lowest = before
		}
		excess = max(excess, before+1-lowest)
	}
	return excess
}

func TestBucketRateAndBurst(t *testing.T) {
	noGoroutines(t)
	s := startRedis(t)
	for _, test := range []struct {
		rate     rate.Limit
		burst, n int
	}{{100, 1, 51}, {100, 20, 70}, {2000, 1, 1001}, {3, 3, 6}} {
		t.Run(fmt.Sprintf("%v/s burst %d", test.rate, test.burst), func(t *testing.T) {
			key := t.Name()
			var limiters []ratelimit.Limiter
			for range 3 { // as three processes
				limiters = append(limiters, okredis.NewBucket(s.client(), key, test.rate, test.burst))
			}
			want := time.Duration(float64(test.n-test.burst) / float64(test.rate) * float64(time.Second))
			within(t, want+want/10+100*time.Millisecond, "all calls", func() {
				times := passes(t, test.n, limiters...)
				checkWindows(t, times, float64(test.rate), test.burst)
				if got := times[len(times)-1]; got < want-20*time.Millisecond {
					t.Errorf("%d calls took only %v, want %v", test.n, got, want)
				}
			})
		})
	}
}

// Callers pass in the order in which they came.
func TestBucketOrder(t *testing.T) {
	s := startRedis(t)
	b := okredis.NewBucket(s.client(), "order", 200, 1)
	var mu sync.Mutex
	var got []int
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if err := b.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			got = append(got, i)
		})
		time.Sleep(time.Millisecond) // to come after the one before
	}
	wg.Wait()
	inverted := 0
	for i := 1; i < len(got); i++ {
		if got[i] < got[i-1] {
			inverted++
		}
	}
	if inverted > 2 { // those released together run in any order
		t.Errorf("callers passed in the order %v", got)
	}
}

// A call whose slot comes after its deadline is rejected at once, and does not
// reserve a slot.
func TestBucketDeadline(t *testing.T) {
	s := startRedis(t)
	a := okredis.NewBucket(s.client(), "deadline", 2, 1)
	b := okredis.NewBucket(s.client(), "deadline", 2, 1)
	within(t, 600*time.Millisecond, "the second call", func() { // 0.5 s, if rejected calls reserve no slots
		if err := a.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		first := time.Now()
		within(t, 150*time.Millisecond, "20 rejected calls", func() {
			for range 20 {
				rejectedAtOnce(t, b, first)
			}
		})
		if err := b.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// rejectedAtOnce waits with a deadline that comes before the slot, which is
// half a second after first.
func rejectedAtOnce(t *testing.T, b *okredis.Bucket, first time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	passed := time.Since(first)
	if passed > 150*time.Millisecond {
		return // the machine is so busy that the slot may come before the deadline
	}
	err := b.Wait(ctx)
	if !errors.Is(err, ratelimit.ErrLimited) || !errors.Is(err, context.DeadlineExceeded) || ctx.Err() == context.DeadlineExceeded {
		t.Fatalf("Wait: %v, want ErrLimited because of the deadline", err)
	}
	limited, ok := errors.AsType[*ratelimit.LimitedError](err)
	if !ok || limited.Wait < 300*time.Millisecond || limited.Wait > 500*time.Millisecond {
		t.Fatalf("Wait: %#v, want a LimitedError with a wait of 0.3 to 0.5 s", limited)
	}
	terminal, ok := errors.AsType[interface {
		error
		Terminal() bool
		Timeout() bool
	}](err)
	if !ok || !terminal.Terminal() || !terminal.Timeout() {
		t.Fatalf("Wait: %v is not final", err)
	}
}

// In a queue, those that would be too late are rejected at once, and those with
// time enough are not, however many came before. A caller whose slot was lost,
// because the machine was busy, may learn at its deadline that it is too late.
func TestBucketDeadlineInQueue(t *testing.T) {
	s := startRedis(t)
	b := okredis.NewBucket(s.client(), "queue", 20, 10)
	b.Wait(t.Context())
	var passed, late atomic.Int32
	rejected := make(chan struct{}, 100)
	var wg sync.WaitGroup
	within(t, 300*time.Millisecond, "the rejection of 60 calls", func() {
		for range 100 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				switch err := b.Wait(ctx); {
				case err == nil:
					passed.Add(1)
				case errors.Is(err, ratelimit.ErrLimited):
					rejected <- struct{}{}
				case errors.Is(err, context.DeadlineExceeded):
					late.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		for range 60 {
			<-rejected
		}
	})
	wg.Wait()
	if n := passed.Load(); n < 20 || n > 30 { // 9 at once, and 20 within the second
		t.Errorf("%d calls passed within a second, and %d ended at their deadline; want 29 and 0", n, late.Load())
	}
}

// The context of a caller ends its wait, with its error and its cause. Its slot
// goes to the next one, and if there is none, back to Redis.
func TestBucketCancel(t *testing.T) {
	noGoroutines(t)
	s := startRedis(t)
	a := okredis.NewBucket(s.client(), "cancel", 5, 1)
	b := okredis.NewBucket(s.client(), "cancel", 5, 1)
	if err := a.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("the user has left")
	// Canceled callers return their slots, so it passes after 0.2 s.
	within(t, 350*time.Millisecond, "the call after canceled ones", func() {
		for range 10 {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(10*time.Millisecond, func() { cancel(cause) })
			if err := a.Wait(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
				t.Fatalf("Wait: %v, want the error of the context and its cause", err)
			}
		}
		if err := b.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// 100 callers behind 100 canceled ones are not delayed by them.
func TestBucketManyCanceled(t *testing.T) {
	s := startRedis(t)
	b := okredis.NewBucket(s.client(), "canceled", 100, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { _ = b.Wait(ctx) })
	}
	time.Sleep(50 * time.Millisecond)
	time.AfterFunc(10*time.Millisecond, cancel)
	within(t, 1150*time.Millisecond, "100 calls at 100/s", func() { passes(t, 100, b) })
	wg.Wait()
}

// A step back of the clock of Redis counts as no time.
func TestBucketClockStepsBack(t *testing.T) {
	s := startRedis(t)
	c := s.client()
	b := okredis.NewBucket(c, "clock", 20, 1)
	passes(t, 5, b)
	state, err := c.Get(t.Context(), "clock").Result()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(state)
	fields[1] = fmt.Sprint(time.Now().Add(time.Hour).UnixMicro()) // the clock was an hour ahead
	if err := c.Set(t.Context(), "clock", strings.Join(fields, " "), time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	within(t, 700*time.Millisecond, "11 calls at 20/s", func() { checkWindows(t, passes(t, 11, b), 20, 1) })
}

// Keys expire soon after their limit is full again.
func TestBucketExpiry(t *testing.T) {
	s := startRedis(t)
	c := s.client()
	b := okredis.NewBucket(c, "expiry", 10, 5)
	passes(t, 5, b)
	for key, longest := range map[string]time.Duration{"expiry": 1600 * time.Millisecond, "expiry:processes": 10 * time.Second} {
		if ttl := c.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > longest {
			t.Errorf("%s expires in %v, want at most %v", key, ttl, longest)
		}
	}
}

func TestBucketBadInput(t *testing.T) {
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer c.Close()
	for _, test := range []struct {
		name string
		b    *okredis.Bucket
		want string
	}{
		{"zero", new(okredis.Bucket), "use NewBucket"},
		{"nil client", okredis.NewBucket(nil, "key", 1, 1), "use NewBucket"},
		{"no key", okredis.NewBucket(c, "", 1, 1), "key"},
		{"no rate", okredis.NewBucket(c, "key", 0, 1), "rate"},
		{"negative rate", okredis.NewBucket(c, "key", -1, 1), "rate"},
		{"tiny rate", okredis.NewBucket(c, "key", 1e-9, 1), "rate"},
		{"not a rate", okredis.NewBucket(c, "key", rate.Limit(nan()), 1), "rate"},
		{"no burst", okredis.NewBucket(c, "key", 1, 0), "burst"},
		{"huge burst", okredis.NewBucket(c, "key", 1e-3, 1e9), "burst"},
	} {
		if err := test.b.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Wait: %v, want an error about %q", test.name, err, test.want)
		}
	}
	for _, share := range []float64{-1, 2, nan()} {
		b := okredis.NewBucket(c, "key", 1, 1)
		b.Share = share
		if err := b.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "Share") {
			t.Errorf("Share %v: Wait: %v", share, err)
		}
	}
	if err := okredis.NewBucket(c, "key", rate.Inf, 0).Wait(t.Context()); err != nil {
		t.Errorf("no limit: Wait: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := okredis.NewBucket(c, "key", rate.Inf, 0).Wait(ctx); err != context.Canceled {
		t.Errorf("no limit, canceled: Wait: %v", err)
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

// Everything works in a Cluster and behind a Sentinel.
func TestBucketCluster(t *testing.T) {
	noGoroutines(t)
	addrs := startCluster(t)
	var limiters []ratelimit.Limiter
	for range 2 {
		c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
		t.Cleanup(func() { c.Close() })
		b := okredis.NewBucket(c, "bucket", 100, 1)
		b.OnError = func(err error) { t.Error(err) }
		limiters = append(limiters, b)
	}
	within(t, 700*time.Millisecond, "51 calls at 100/s", func() { checkWindows(t, passes(t, 51, limiters...), 100, 1) })
}

func TestBucketSentinel(t *testing.T) {
	long(t)
	noGoroutines(t)
	master, _, sentinel := startSentinel(t)
	c := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: []string{sentinel}})
	t.Cleanup(func() { c.Close() })
	b := okredis.NewBucket(c, "bucket", 100, 1)
	var outages atomic.Int32
	b.OnError = func(error) { outages.Add(1) }
	checkWindows(t, passes(t, 51, b), 100, 1)
	master.kill()
	passes(t, 50, b)
	eventually(t, 20*time.Second, "the full rate is back after a failover", func() bool {
		start := time.Now()
		passes(t, 20, b)
		return c.Ping(t.Context()).Err() == nil && time.Since(start) < 300*time.Millisecond
	})
	if n := outages.Load(); n != 1 {
		t.Errorf("OnError was called %d times, want once", n)
	}
}

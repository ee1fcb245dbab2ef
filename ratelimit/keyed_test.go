package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
)

// pass tells whether a call of key may be made at once.
func pass(k *ratelimit.Keyed, key string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
	return k.For(key).Wait(ctx) == nil
}

func TestKeyedKeepsKeysApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewBucket(1, 2) })
		for _, key := range []string{"", "alice", "bob"} {
			for i, want := range []bool{true, true, false} {
				if got := pass(k, key); got != want {
					t.Errorf("call %d of key %q passes: %t, want %t", i+1, key, got, want)
				}
			}
		}
		if k.Len() != 3 {
			t.Errorf("%d keys, want 3", k.Len())
		}
	})
}

// A drained key does not come back full by being evicted: a new key waits until
// an old one has lost nothing.
func TestKeyedKeepsDrainedKeys(t *testing.T) {
	for name, newLimiter := range map[string]func(string) ratelimit.Limiter{
		"Bucket":       func(string) ratelimit.Limiter { return ratelimit.NewBucket(0.1, 1) },
		"rate.Limiter": func(string) ratelimit.Limiter { return rate.NewLimiter(0.1, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := ratelimit.NewKeyed(2, newLimiter)
				must(t, k.For("alice").Wait(t.Context()))
				time.Sleep(time.Second)
				must(t, k.For("bob").Wait(t.Context()))
				start := time.Now()
				must(t, k.For("carol").Wait(t.Context())) // in the place of alice, once she is full again
				if waited := time.Since(start); waited < 9*time.Second || waited > 11*time.Second {
					t.Errorf("the third key waited %v; want 9 s", waited)
				}
				if k.Len() != 2 || pass(k, "bob") == false && time.Since(start) > 10*time.Second {
					t.Errorf("%d keys, want 2", k.Len())
				}
			})
		})
	}
}

// The key that was not used for longest goes first, of those that are full.
func TestKeyedEvictsTheOldestFullKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := map[string]int{}
		k := ratelimit.NewKeyed(3, func(key string) ratelimit.Limiter {
			made[key]++
			return ratelimit.NewBucket(1, 1)
		})
		for _, key := range []string{"a", "b", "c", "a", "d"} { // b is the oldest
			must(t, k.For(key).Wait(t.Context()))
			time.Sleep(2 * time.Second)
		}
		must(t, k.For("a").Wait(t.Context()))
		must(t, k.For("c").Wait(t.Context()))
		if made["a"] != 1 || made["c"] != 1 || k.Len() != 3 {
			t.Errorf("limiters made: %v; want b to have lost its place", made)
		}
	})
}

// A key with a call in flight is never evicted, and its end makes room.
func TestKeyedKeepsKeysInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ratelimit.NewKeyed(1, func(string) ratelimit.Limiter { return rate.NewLimiter(rate.Inf, 1) })
		release := make(chan struct{})
		limit := ratelimit.Limit{Limiter: k, Key: func(r *http.Request) string { return r.URL.Query().Get("method") }}
		rt := limit.Wrap(roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("method") == "slow" {
				<-release
			}
			return answer(r, 200, "{}"), nil
		}))
		var group sync.WaitGroup
		group.Go(func() { _, _ = rt.RoundTrip(newRequest(t.Context(), "slow")) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := rt.RoundTrip(newRequest(ctx, "other")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a new key took the place of one in flight: %v", err)
		}
		group.Go(func() {
			if _, err := rt.RoundTrip(newRequest(t.Context(), "other")); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second)
		close(release)
		group.Wait()
	})
}

func TestKeyedUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ratelimit.NewKeyed(10, func(string) ratelimit.Limiter { return ratelimit.NewBucket(100, 1) })
		var group sync.WaitGroup
		for i := range 200 {
			group.Go(func() {
				for j := range 10 {
					if err := k.For(fmt.Sprint((i + j) % 30)).Wait(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if k.Len() > 10 {
			t.Errorf("%d keys, want no more than 10", k.Len())
		}
	})
}

func TestKeyedWithoutLimits(t *testing.T) {
	for _, k := range []*ratelimit.Keyed{ratelimit.NewKeyed(0, nil), ratelimit.NewKeyed(-1, func(string) ratelimit.Limiter { return nil })} {
		for i := range 100 {
			must(t, k.For(fmt.Sprint(i)).Wait(t.Context()))
		}
		must(t, k.Wait(t.Context()))
	}
}

// Memory per key, whatever their number.
func BenchmarkKeyedMemory(b *testing.B) {
	for _, keys := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			for b.Loop() {
				before := heap()
				k := ratelimit.NewKeyed(-1, func(string) ratelimit.Limiter { return ratelimit.NewBucket(1, 1) })
				for i := range keys {
					k.For(fmt.Sprintf("session %016x", i))
				}
				b.ReportMetric(float64(heap()-before)/float64(keys), "B/key")
				runtime.KeepAlive(k)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

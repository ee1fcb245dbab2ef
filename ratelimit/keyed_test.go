package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

var (
	_ ratelimit.Limiter = (*ratelimit.Keyed)(nil)
	_ ratelimit.Keyer   = (*ratelimit.Keyed)(nil)
)

// counted is a set whose limiters are counted by key as they are made.
type counted struct {
	*ratelimit.Keyed
	made map[string]int
}

func newCounted(max int, newLimiter func() ratelimit.Limiter) counted {
	c := counted{made: make(map[string]int)}
	c.Keyed = ratelimit.NewKeyed(max, func(key string) ratelimit.Limiter {
		c.made[key]++
		return newLimiter()
	})
	return c
}

func perSecond() ratelimit.Limiter { return ratelimit.NewBucket(1, 5) }

func TestKeyedKeysAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCounted(0, func() ratelimit.Limiter { return ratelimit.NewBucket(1, 1) })
		for _, key := range []string{"", "a", "b"} {
			start := time.Now()
			must(t, k.For(key).Wait(t.Context()))
			must(t, k.For(key).Wait(t.Context()))
			if took := time.Since(start); took != time.Second {
				t.Errorf("two calls of key %q took %v; want 1s", key, took)
			}
			if k.made[key] != 1 || k.For(key) != k.For(key) {
				t.Errorf("key %q has %d limiters; want 1", key, k.made[key])
			}
		}
	})
}

// The session of a context is the key of a Wait that has none.
func TestKeyedWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCounted(0, perSecond)
		alice := transport.WithToken(t.Context(), &oauth2.Token{AccessToken: "a"})
		must(t, k.Wait(t.Context()))
		must(t, k.Wait(alice))
		must(t, k.Wait(alice))
		if k.Len() != 2 || k.made[""] != 1 {
			t.Errorf("limiters are made for %v; want for the empty key and a session", k.made)
		}
	})
}

func TestKeyedGivesAwayTheFullAndIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, newLimiter := range map[string]func() ratelimit.Limiter{
			"Bucket": perSecond, "Adaptive": func() ratelimit.Limiter { return ratelimit.NewAdaptive(0, 0) },
			"rate.Limiter": func() ratelimit.Limiter { return rate.NewLimiter(1, 5) },
			"no limit":     func() ratelimit.Limiter { return nil }, "foreign": func() ratelimit.Limiter { return new(recorder) },
		} {
			k := newCounted(3, newLimiter)
			for _, key := range []string{"a", "b", "c", "a"} {
				must(t, k.For(key).Wait(t.Context()))
			}
			time.Sleep(time.Minute)
			must(t, k.For("d").Wait(t.Context()))
			must(t, k.For("a").Wait(t.Context()))
			if k.Len() != 3 || k.made["a"] != 1 {
				t.Errorf("%s: %d keys, made %v; want 3, and b given away", name, k.Len(), k.made)
			}
			must(t, k.For("b").Wait(t.Context()))
			if k.Len() != 3 || k.made["b"] != 2 {
				t.Errorf("%s: %d keys, made %v; want b made anew", name, k.Len(), k.made)
			}
		}
	})
}

// A key whose limiter is drained keeps it: a fresh one would be full.
func TestKeyedDrainedKeysStay(t *testing.T) {
	for name, newLimiter := range map[string]func() ratelimit.Limiter{
		"Bucket": perSecond, "rate.Limiter": func() ratelimit.Limiter { return rate.NewLimiter(1, 5) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newCounted(2, newLimiter)
				start := time.Now()
				for range 5 {
					must(t, k.For("drained").Wait(t.Context()))
				}
				must(t, k.For("used").Wait(t.Context()))
				must(t, k.For("new").Wait(t.Context()))
				if took := time.Since(start); took < time.Second || took > 1100*time.Millisecond {
					t.Errorf("a new key found a place after %v; want 1s, when the other key is full again", took)
				}
				must(t, k.For("newer").Wait(t.Context()))
				if k.made["drained"] != 1 {
					t.Errorf("the drained key was given away")
				}
				if took := time.Since(start); took < 2*time.Second || took > 2100*time.Millisecond {
					t.Errorf("another one after %v; want 2s", took)
				}
			})
		})
	}
}

// A key whose server asked to wait stays until long after that.
func TestKeyedBackoffStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ratelimit.NewKeyed(1, func(string) ratelimit.Limiter { return ratelimit.NewAdaptive(1, 100) })
		rt := ratelimit.Limit{Limiter: k, Key: func(r *http.Request) string { return r.URL.Query().Get("method") }}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			resp := response(r, http.StatusTooManyRequests, "")
			resp.Header.Set("Retry-After", "60")
			return resp, nil
		}))
		start := time.Now()
		send(t, rt, newRequest(t.Context(), "throttled"))
		send(t, rt, newRequest(t.Context(), "other"))
		if waited := time.Since(start); waited < time.Minute || waited > 62*time.Second {
			t.Errorf("another key found a place after %v; want a minute, when the pause is over", waited)
		}
	})
}

// A key with a call under way keeps its place, however long that takes.
func TestKeyedKeysInFlightStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCounted(1, perSecond)
		limit := ratelimit.Limit{Limiter: k, Key: func(r *http.Request) string { return r.URL.Query().Get("method") }}
		rt := limit.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Hour)
			return response(r, http.StatusOK, "{}"), nil
		}))
		start := time.Now()
		var group sync.WaitGroup
		group.Go(func() { send(t, rt, newRequest(t.Context(), "a.long")) })
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := rt.RoundTrip(newRequest(ctx, "b.new")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a new key in a full set: %v; want to wait until the context ends", err)
		}
		group.Go(func() { send(t, rt, newRequest(t.Context(), "b.new")) })
		group.Wait()
		if took := time.Since(start); took != 2*time.Hour || k.made["a.long"] != 1 {
			t.Errorf("the new key was done after %v; want 2h, one call after the other", took)
		}
	})
}

// Keys that wait for a place get one in the order in which they came, and one
// that gives up delays no other.
func TestKeyedNewKeysWaitInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCounted(1, perSecond)
		must(t, k.For("first").Wait(t.Context()))
		var mu sync.Mutex
		var order []string
		gone, leave := context.WithCancel(t.Context())
		for i := range 6 {
			ctx := t.Context()
			if i%3 == 0 {
				ctx = gone
			}
			go func() {
				if key := strconv.Itoa(i); k.For(key).Wait(ctx) == nil {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, key)
				}
			}()
			synctest.Wait()
		}
		leave()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := fmt.Sprint(order); got != "[1 2 4 5]" {
			t.Errorf("keys got the place in the order %v; want 1 2 4 5", got)
		}
	})
}

// A limiter that was asked for before its key lost the place is still the
// key's, and not a second one.
func TestKeyedOldHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCounted(1, perSecond)
		old := k.For("a")
		k.For("b")
		must(t, old.Wait(t.Context()))
		for range 4 {
			must(t, k.For("a").Wait(t.Context()))
		}
		start := time.Now()
		must(t, old.Wait(t.Context()))
		if took := time.Since(start); took != time.Second {
			t.Errorf("the sixth call passed after %v; want 1s", took)
		}
	})
}

// The bound holds for keys that come in great numbers.
func TestKeyedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ratelimit.NewKeyed(100, func(string) ratelimit.Limiter { return ratelimit.NewBucket(1000, 1) })
		var group sync.WaitGroup
		for i := range 5000 {
			group.Go(func() { must(t, k.For(strconv.Itoa(i)).Wait(t.Context())) })
		}
		group.Wait()
		if k.Len() > 100 {
			t.Errorf("the set has %d keys; want no more than 100", k.Len())
		}
	})
}

// Without a number the bound is 10,000.
func TestKeyedDefaultBound(t *testing.T) {
	k := ratelimit.NewKeyed(0, nil)
	for i := range 10_001 {
		must(t, k.For(strconv.Itoa(i)).Wait(t.Context()))
	}
	if k.Len() != 10_000 {
		t.Errorf("the set has %d keys; want 10,000", k.Len())
	}
}

// A new key waits no longer than until the first of the others is full.
func TestKeyedRoomComesSoon(t *testing.T) {
	for name, newLimiter := range map[string]func() ratelimit.Limiter{
		"Bucket": func() ratelimit.Limiter { return ratelimit.NewBucket(100, 1) }, "rate.Limiter": func() ratelimit.Limiter { return rate.NewLimiter(100, 1) },
	} {
		synctest.Test(t, func(t *testing.T) {
			k := newCounted(3, newLimiter)
			start := time.Now()
			for i := range 3 {
				must(t, k.For(fmt.Sprint("old", i)).Wait(t.Context()))
				time.Sleep(time.Millisecond)
			}
			must(t, k.For("new").Wait(t.Context()))
			if took := time.Since(start); took != 10*time.Millisecond {
				t.Errorf("%s: a new key found room after %v; want 10ms", name, took)
			}
			if k.made["old0"] != 1 || k.Len() != 3 {
				t.Errorf("%s: %d keys, made %v", name, k.Len(), k.made)
			}
			time.Sleep(time.Second)
			k.For("later") // no other waits any more
			if k.made["later"] != 1 {
				t.Errorf("%s: a new key does not get room at once", name)
			}
		})
	}
}

// A new key gets room as soon as the call of another has ended.
func TestKeyedRoomAfterACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newCounted(1, func() ratelimit.Limiter { return nil })
		rt := ratelimit.Limit{Limiter: k, Key: ratelimit.ByMethod}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("method") == "a.slow" {
				time.Sleep(1500 * time.Millisecond)
			}
			return response(r, http.StatusOK, "{}"), nil
		}))
		start := time.Now()
		var calls sync.WaitGroup
		calls.Go(func() { send(t, rt, newRequest(t.Context(), "a.slow")) })
		synctest.Wait()
		send(t, rt, newRequest(t.Context(), "b.fast"))
		if took := time.Since(start); took != 1500*time.Millisecond {
			t.Errorf("the new key found room after %v; want 1.5s", took)
		}
		calls.Wait()
	})
}

// refilled is a limiter of another package that does not say when it is full.
type refilled struct {
	recorder
	at time.Time
}

func (l *refilled) Burst() int { return 1 }

func (l *refilled) Tokens() float64 {
	if time.Now().Before(l.at) {
		return 0
	}
	return 1
}

// A new key does not overtake one that waits for room.
func TestKeyedNewKeysDoNotOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		k := ratelimit.NewKeyed(1, func(string) ratelimit.Limiter { return &refilled{at: start.Add(1200 * time.Millisecond)} })
		k.For("first")
		passed := make(map[string]time.Duration)
		var mu sync.Mutex
		var keys sync.WaitGroup
		wait := func(key string) {
			keys.Go(func() {
				must(t, k.For(key).Wait(t.Context()))
				mu.Lock()
				defer mu.Unlock()
				passed[key] = time.Since(start)
			})
		}
		wait("second")
		time.Sleep(1500 * time.Millisecond)
		wait("third")
		keys.Wait()
		if passed["second"] != 2*time.Second || passed["third"] != 2*time.Second {
			t.Errorf("keys found room after %v; want both after 2s, when the second tries again", passed)
		}
	})
}

// An outcome goes to the limiter that the key has now.
func TestKeyedOldHandleObserves(t *testing.T) {
	made := make(map[string][]*recorder)
	k := ratelimit.NewKeyed(1, func(key string) ratelimit.Limiter {
		l := new(recorder)
		made[key] = append(made[key], l)
		return l
	})
	old := k.For("a")
	k.For("b")
	old.(ratelimit.Observer).Observe(ratelimit.Outcome{}) // a is not in the set
	k.For("a")
	old.(ratelimit.Observer).Observe(ratelimit.Outcome{Throttled: true})
	if a := made["a"]; len(a) != 2 || len(a[0].seen) != 1 || len(a[1].seen) != 1 || !a[1].seen[0].Throttled {
		t.Errorf("the limiters of a are %v", a)
	}
	if b := made["b"]; len(b) != 1 || len(b[0].seen) != 0 {
		t.Errorf("the limiters of b are %v", b)
	}
}

func TestKeyedTellsTheLimiterOfTheKey(t *testing.T) {
	made := make(map[string]*recorder)
	k := ratelimit.NewKeyed(0, func(key string) ratelimit.Limiter {
		made[key] = new(recorder)
		return made[key]
	})
	k.For("a")
	o := ratelimit.Outcome{Throttled: true}
	k.For("b").(ratelimit.Observer).Observe(o)
	if len(made["a"].seen) != 0 || len(made["b"].seen) != 1 || made["b"].seen[0] != o {
		t.Errorf("a observed %v and b %v; want b only", made["a"].seen, made["b"].seen)
	}
}

// BenchmarkKeyed reports what a key costs in memory, and a look-up in time.
func BenchmarkKeyed(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			keys := make([]string, n)
			for i := range keys {
				keys[i] = strconv.Itoa(i)
			}
			before := heap()
			k := ratelimit.NewKeyed(-1, func(string) ratelimit.Limiter { return ratelimit.NewBucket(5, 5) })
			for _, key := range keys {
				k.For(key)
			}
			perKey := float64(heap()-before) / float64(n)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				k.For(keys[i%n])
				i++
			}
			b.ReportMetric(perKey, "B/key")
			runtime.KeepAlive(k)
		})
	}
}

// BenchmarkKeyedChurn is a new key in a full set.
func BenchmarkKeyedChurn(b *testing.B) {
	k := ratelimit.NewKeyed(10_000, func(string) ratelimit.Limiter { return ratelimit.NewBucket(5, 5) })
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		k.For(strconv.Itoa(i))
		i++
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// By default, the Graph calls of each group have a limit of their own.
func TestGraphCallsAreLimitedByGroup(t *testing.T) {
	k := ratelimit.NewKeyed(10, func(string) ratelimit.Limiter {
		b := ratelimit.NewBucket(0.001, 1)
		b.MaxWait = 1
		return b
	})
	rt := ratelimit.Limit{Limiter: k}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}))
	for _, test := range []struct {
		token, path string
		passes      bool
	}{
		{"tkn:1", "/graph/me/chats", true},
		{"tkn:2", "/graph/me/chats", true},
		{"tkn:1", "/graph/me/info", false},
		{"", "/graph/me/chats", true},
		{"tkn:2", "/fb.do?method=users.getInfo", false}, // no Graph call: the key of all without a session
	} {
		ctx := t.Context()
		if test.token != "" {
			ctx = transport.WithGroupToken(ctx, test.token)
		}
		r, _ := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru"+test.path, nil)
		if _, err := rt.RoundTrip(r); (err == nil) != test.passes {
			t.Errorf("%s of %q: %v", test.path, test.token, err)
		} else if err != nil {
			canary.Check(t, err, test.token)
		}
	}
}

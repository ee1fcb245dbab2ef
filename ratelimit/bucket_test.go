package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/ratelimit"
	"golang.org/x/time/rate"
)

var (
	_ ratelimit.Limiter = (*rate.Limiter)(nil)
	_ ratelimit.Limiter = (*ratelimit.Bucket)(nil)
)

func TestBucketKeepsTheRate(t *testing.T) {
	for _, perSecond := range []float64{0.5, 10, 100, 1000, 10_000} {
		t.Run(fmt.Sprint(perSecond), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { keepTheRate(t, perSecond) })
		})
	}
}

func keepTheRate(t *testing.T, perSecond float64) {
	const callers = 1000
	seconds := 2.0
	if os.Getenv("OKRU_LONG") != "" || perSecond <= 1000 {
		seconds = 10
	}
	b := ratelimit.NewBucket(rate.Limit(perSecond), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds*float64(time.Second)))
	defer cancel()
	ctx = noDeadline{ctx}
	var p passes
	counts := make([]int, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for b.Wait(ctx) == nil {
				p.add()
				counts[i]++
			}
		})
	}
	group.Wait()
	p.within(t, perSecond, 1)
	want := perSecond * seconds
	if math.Abs(float64(len(p.at))-want) > max(1, want/100) {
		t.Errorf("%d calls passed in %v s; want %v", len(p.at), seconds, want)
	}
	if least, most := slices.Min(counts), slices.Max(counts); want >= 10*callers && most > least+2 && 5*most > 6*least {
		// Two more are had by those who came before the others had started.
		t.Errorf("one caller passed %d times, another %d times; want no more than 1.2 times as often", least, most)
	}
}

func TestBucketLetsABurstPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(10, 5)
		var p passes
		for range 25 {
			must(t, b.Wait(t.Context()))
			p.add()
		}
		p.within(t, 10, 5)
		if took := p.at[24].Sub(p.at[0]); took != 2*time.Second {
			t.Errorf("25 calls at 10/s with a burst of 5 took %v; want 2s", took)
		}
	})
}

func TestBucketIsALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(10, 1)
		must(t, b.Wait(t.Context()))
		var mu sync.Mutex
		var order []int
		for i := range 50 {
			go func() {
				must(t, b.Wait(t.Context()))
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			}()
			synctest.Wait()
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(order) != 50 || !slices.IsSorted(order) {
			t.Errorf("callers passed in the order %v; want that of their coming", order)
		}
	})
}

func TestBucketCancelledWaitersFreeTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(100, 1)
		must(t, b.Wait(t.Context()))
		gone, leave := context.WithCancel(t.Context())
		for range 100 {
			go func() {
				if err := b.Wait(gone); !errors.Is(err, context.Canceled) {
					t.Errorf("Wait of a cancelled caller = %v; want context.Canceled", err)
				}
			}()
		}
		synctest.Wait()
		start := time.Now()
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() { must(t, b.Wait(t.Context())) })
		}
		synctest.Wait()
		leave()
		group.Wait()
		if took := time.Since(start); took != time.Second {
			t.Errorf("100 callers behind 100 cancelled ones took %v; want 1s", took)
		}
		if tokens := b.Tokens(); tokens < -1e-6 || tokens > 1e-6 {
			t.Errorf("%v tokens are left; want 0: no debt of those who left", tokens)
		}
	})
}

func TestBucketCancelledHeadFreesItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(1, 1)
		must(t, b.Wait(t.Context()))
		start := time.Now()
		head, leave := context.WithCancel(t.Context())
		go b.Wait(head)
		synctest.Wait()
		time.AfterFunc(999*time.Millisecond, leave)
		must(t, b.Wait(t.Context()))
		if took := time.Since(start); took != time.Second {
			t.Errorf("the second in the queue passed after %v; want 1s, the slot of the first", took)
		}
	})
}

func TestBucketCancelledInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(1, 1)
		must(t, b.Wait(t.Context()))
		start := time.Now()
		passed := make([]time.Duration, 4)
		middle, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for i := range passed {
			ctx := t.Context()
			if i == 1 {
				ctx = middle
			}
			group.Go(func() {
				if err := b.Wait(ctx); (err != nil) != (i == 1) {
					t.Errorf("caller %d: %v", i, err)
				}
				passed[i] = time.Since(start)
			})
			synctest.Wait()
		}
		time.Sleep(time.Second / 2)
		leave()
		group.Wait()
		if want := []time.Duration{time.Second, time.Second / 2, 2 * time.Second, 3 * time.Second}; !slices.Equal(passed, want) {
			t.Errorf("the callers returned after %v; want %v", passed, want)
		}
	})
}

// Calls that wait stay queued while the burst is 0.
func TestBucketWithoutABurstForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(rate.Every(1010*time.Millisecond), 1)
		must(t, b.Wait(t.Context()))
		start := time.Now()
		time.AfterFunc(time.Second/2, func() { b.SetBurst(0) })
		time.AfterFunc(10*time.Second, func() { b.SetBurst(1) })
		must(t, b.Wait(t.Context()))
		if took := time.Since(start); took != 11010*time.Millisecond {
			t.Errorf("it passed after %v; want 11.01s, 1.01s after the burst was there again", took)
		}
	})
}

func TestBucketWithADeadContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(1, 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Wait(ctx); err != context.Canceled {
			t.Errorf("Wait = %v; want context.Canceled", err)
		}
		if b.Tokens() != 1 {
			t.Errorf("a dead caller took a token")
		}
	})
}

func TestBucketRejects(t *testing.T) {
	for name, c := range map[string]struct {
		edit    func(*ratelimit.Bucket)
		timeout time.Duration
		wait    time.Duration
		late    bool
	}{
		"a deadline that cannot be met": {timeout: 999 * time.Millisecond, wait: time.Second, late: true},
		"a wait beyond MaxWait":         {edit: func(b *ratelimit.Bucket) { b.MaxWait = 999 * time.Millisecond }, wait: time.Second},
		"a full queue":                  {edit: func(b *ratelimit.Bucket) { b.MaxQueue = 1; go b.Wait(context.Background()) }, wait: 2 * time.Second},
		"a burst of 0":                  {edit: func(b *ratelimit.Bucket) { b.SetBurst(0) }, wait: math.MaxInt64},
		"a deadline at rate 0":          {edit: func(b *ratelimit.Bucket) { b.SetLimit(0) }, timeout: time.Hour, wait: math.MaxInt64, late: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := ratelimit.NewBucket(1, 1)
				must(t, b.Wait(t.Context()))
				if c.edit != nil {
					c.edit(b)
				}
				synctest.Wait()
				ctx := t.Context()
				if c.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.timeout)
					defer cancel()
				}
				start := time.Now()
				checkRejected(t, b.Wait(ctx), c.wait, c.late)
				if took := time.Since(start); took != 0 {
					t.Errorf("it was rejected after %v; want at once", took)
				}
				time.Sleep(5 * time.Second)
			})
		})
	}
}

func TestBucketMeetsADeadlineItCanMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(1, 1)
		b.MaxWait, b.MaxQueue = time.Second, 1
		must(t, b.Wait(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), 1001*time.Millisecond)
		defer cancel()
		must(t, b.Wait(ctx))
	})
}

func TestBucketSetLimitWakesTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(0.001, 1)
		must(t, b.Wait(t.Context()))
		start := time.Now()
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() { must(t, b.Wait(t.Context())) })
		}
		time.Sleep(time.Second)
		b.SetLimit(10)
		group.Wait()
		// 0.001 of a token had come by then.
		if took := time.Since(start); took < 1999*time.Millisecond || took > 2*time.Second {
			t.Errorf("10 callers took %v; want 2s, the last one of it at 10/s", took)
		}
	})
}

func TestBucketSetLimitSlowsTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(1000, 1)
		var group sync.WaitGroup
		start := time.Now()
		for range 502 {
			group.Go(func() { must(t, b.Wait(t.Context())) })
		}
		time.Sleep(500 * time.Millisecond)
		b.SetLimit(1)
		group.Wait()
		if took := time.Since(start); took != 1500*time.Millisecond {
			t.Errorf("502 callers took %v; want 1.5s: 501 in the first 0.5s, and 1 at 1/s", took)
		}
	})
}

func TestBucketAtTheEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, b := range map[string]*ratelimit.Bucket{
			"an infinite rate":            ratelimit.NewBucket(rate.Inf, 0),
			"a rate of +Inf":              ratelimit.NewBucket(rate.Limit(math.Inf(1)), 1),
			"a rate beyond nanoseconds":   ratelimit.NewBucket(1e300, 1),
			"a huge burst":                ratelimit.NewBucket(1, math.MaxInt),
			"a burst enough, at rate 0":   ratelimit.NewBucket(0, 1000),
			"a burst enough, at rate NaN": ratelimit.NewBucket(rate.Limit(math.NaN()), 1000),
		} {
			start := time.Now()
			for range 1000 {
				must(t, b.Wait(t.Context()))
			}
			if took := time.Since(start); took > time.Millisecond {
				t.Errorf("%s: 1,000 calls took %v", name, took)
			}
		}
		for name, b := range map[string]*ratelimit.Bucket{
			"the zero Bucket": new(ratelimit.Bucket), "a burst below 0": ratelimit.NewBucket(1, -1),
		} {
			if err := b.Wait(t.Context()); !errors.Is(err, ratelimit.ErrLimited) {
				t.Errorf("%s: Wait = %v; want ErrLimited", name, err)
			}
		}
	})
}

func TestBucketAfterAnInfiniteRate(t *testing.T) {
	for _, inf := range []rate.Limit{rate.Inf, rate.Limit(math.Inf(1))} {
		synctest.Test(t, func(t *testing.T) {
			b := ratelimit.NewBucket(inf, 1)
			for range 3 {
				must(t, b.Wait(t.Context()))
			}
			b.SetLimit(10)
			must(t, b.Wait(t.Context()))
			start := time.Now()
			for range 10 {
				must(t, b.Wait(t.Context()))
			}
			if took := time.Since(start); took != time.Second {
				t.Errorf("after a rate of %v, 10 calls at 10/s took %v", inf, took)
			}
		})
	}
}

func TestBucketAtRateZeroWaitsForARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ratelimit.NewBucket(-1, 1)
		must(t, b.Wait(t.Context()))
		start := time.Now()
		time.AfterFunc(time.Hour, func() { b.SetLimit(1) })
		must(t, b.Wait(t.Context()))
		if took := time.Since(start); took != time.Hour+time.Second {
			t.Errorf("it passed after %v; want 1h1s", took)
		}
	})
}

func TestBucketAtATinyRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const century = 100 * 365 * 24 * time.Hour
		b := ratelimit.NewBucket(rate.Every(century), 1)
		must(t, b.Wait(t.Context()))
		start := time.Now()
		must(t, b.Wait(t.Context()))
		if late := time.Since(start) - century; late < 0 || late > time.Second {
			t.Errorf("it passed %v after its slot", late)
		}
	})
}

package ratelimit_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-okru/okru/ratelimit"
	"golang.org/x/time/rate"
)

// BenchmarkBucketIdle is the cost of a limit that no caller has to wait for.
func BenchmarkBucketIdle(b *testing.B) {
	for name, l := range map[string]ratelimit.Limiter{
		"Bucket":       ratelimit.NewBucket(1e9, math.MaxInt32),
		"rate.Limiter": rate.NewLimiter(1e9, math.MaxInt32),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = l.Wait(context.Background())
			}
		})
	}
}

// BenchmarkBucketRealTime reports how much of its rate a Bucket lets pass to
// 1,000 goroutines in real time, where timers wake late, and the worst excess
// in any window, as a share of what may pass in it.
func BenchmarkBucketRealTime(b *testing.B) {
	for _, perSecond := range []float64{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprint(perSecond), func(b *testing.B) {
			for b.Loop() {
				realTime(b, perSecond, 10*time.Second)
			}
		})
	}
}

func realTime(b *testing.B, perSecond float64, d time.Duration) {
	const callers = 1000
	l := ratelimit.NewBucket(rate.Limit(perSecond), 1)
	ctx, cancel := context.WithTimeout(b.Context(), d)
	defer cancel()
	var p passes
	counts := make([]int, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for l.Wait(noDeadline{ctx}) == nil {
				counts[i]++
				p.add()
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(len(p.at))/(perSecond*d.Seconds()), "achieved/allowed")
	b.ReportMetric(p.over(perSecond, 1), "calls-over")
	b.ReportMetric(float64(slices.Max(counts))/float64(max(slices.Min(counts), 1)), "max/min")
}

// BenchmarkBucketContended is what a pass costs when 1,000 goroutines ask.
func BenchmarkBucketContended(b *testing.B) {
	l := ratelimit.NewBucket(1e9, math.MaxInt32)
	b.SetParallelism(1000 / runtime.GOMAXPROCS(0))
	var failed atomic.Bool
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if l.Wait(context.Background()) != nil {
				failed.Store(true)
			}
		}
	})
	if failed.Load() {
		b.Error("a call was rejected")
	}
}

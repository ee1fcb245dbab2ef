package growth

import (
	"context"
	"runtime"
	"strconv"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
)

// Keys is what limiters for that many keys keep in memory, in bytes.
type Keys struct {
	Count int

	Keyed   uint64 // a ratelimit.Keyed that keeps all of them
	Bounded uint64 // one that keeps 10,000, the default
	Map     uint64 // a map of x/time/rate limiters, which forgets none
}

// perSecond is so high that a limiter is full again soon, and may be forgotten.
const perSecond = 1e6

// KeyCounts measures sets of limiters through which calls of that many keys
// have gone.
func KeyCounts(counts []int) ([]Keys, error) {
	var all []Keys
	for _, n := range counts {
		k := Keys{Count: n}
		var errs [2]error
		k.Keyed = retained(n, func() any { return keyed(n, n, &errs[0]) })
		k.Bounded = retained(n, func() any { return keyed(n, 0, &errs[1]) })
		k.Map = retained(n, func() any { return limiterMap(n) })
		for _, err := range errs {
			if err != nil {
				return nil, err
			}
		}
		all = append(all, k)
	}
	return all, nil
}

// retained returns the size of what build returns, garbage excluded. Of what has
// few keys it has many built: the heap changes a bit by itself.
func retained(keys int, build func() any) uint64 {
	things := make([]any, max(1, 1000/keys))
	before := heap()
	for i := range things {
		things[i] = build()
	}
	after := heap()
	runtime.KeepAlive(things)
	return (after - min(before, after)) / uint64(len(things))
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one moved from pools to their victims
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func keyed(keys, room int, err *error) *ratelimit.Keyed {
	k := ratelimit.NewKeyed(room, func(string) ratelimit.Limiter { return ratelimit.NewBucket(perSecond, 1) })
	for i := range keys {
		if e := k.For(key(i)).Wait(context.Background()); e != nil {
			*err = e
		}
	}
	return k
}

// limiterMap is what most programs have.
func limiterMap(keys int) any {
	limiters := make(map[string]*rate.Limiter)
	for i := range keys {
		l := rate.NewLimiter(perSecond, 1)
		l.Allow()
		limiters[key(i)] = l
	}
	return limiters
}

// key is as long as those that ratelimit.Limit makes of sessions.
func key(i int) string {
	const digits = "0000000000000000"
	hex := strconv.FormatInt(int64(i), 16)
	return digits[len(hex):] + hex
}

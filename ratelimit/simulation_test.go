package ratelimit_test

import (
	"cmp"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
)

// A server decides about calls, in simulated time.
type server interface {
	allows(at time.Time) bool
}

// bucketServer is a token bucket, whose rate may change.
type bucketServer struct{ *rate.Limiter }

func (s bucketServer) allows(at time.Time) bool { return s.AllowN(at, 1) }

func newBucketServer(perSecond, burst float64) bucketServer {
	return bucketServer{rate.NewLimiter(rate.Limit(perSecond), max(1, int(burst)))}
}

// windowServer allows a number of calls in each window of the clock.
type windowServer struct {
	calls  int
	window time.Duration
	now    int64
	used   int
}

func (s *windowServer) allows(at time.Time) bool {
	if w := at.UnixNano() / int64(s.window); w != s.now {
		s.now, s.used = w, 0
	}
	s.used++
	return s.used <= s.calls
}

// A simulation is callers in a closed loop, each of whom waits, calls, and
// reports how the call ended.
type simulation struct {
	server     server
	callers    int
	latency    time.Duration // of a call, in the mean
	jitter     float64       // the part of it that is more or less; 0 is 0.25
	atEnd      bool          // the server decides at the end of a call, not in the middle
	retryAfter time.Duration // of throttled calls
	length     time.Duration
	seed       uint64
	noSent     bool             // outcomes do not say when the call was sent
	onSecond   func(second int) // before each second
	apart      time.Duration    // between the starts of processes
}

// outcomes counts the calls of each second by how the server decided.
type outcomes []struct{ accepted, throttled int }

// run must be called in a synctest bubble.
func (s simulation) run(a *ratelimit.Adaptive, done <-chan struct{}) outcomes {
	return s.runAll([]*ratelimit.Adaptive{a}, done)[0]
}

// runAll is run with a limiter per process. Each process has all callers.
func (s simulation) runAll(limiters []*ratelimit.Adaptive, done <-chan struct{}) []outcomes {
	start := time.Now()
	counts := make([]outcomes, len(limiters))
	rng := rand.New(rand.NewPCG(s.seed, 0))
	var mu sync.Mutex
	var group sync.WaitGroup
	second := 0
	call := func(count outcomes) (accepted bool) {
		mu.Lock()
		there, back := s.draw(rng)
		mu.Unlock()
		time.Sleep(there)
		mu.Lock()
		now := time.Since(start)
		for ; s.onSecond != nil && second <= int(now.Seconds()); second++ {
			s.onSecond(second)
		}
		accepted = s.server.allows(time.Now())
		if c := &count[min(int(now.Seconds()), len(count)-1)]; accepted {
			c.accepted++
		} else {
			c.throttled++
		}
		mu.Unlock()
		time.Sleep(back)
		return accepted
	}
	ctx := endless{done}
	for i, a := range limiters {
		counts[i] = make(outcomes, int(s.length/time.Second)+1)
		for range s.callers {
			group.Go(func() {
				time.Sleep(time.Duration(i) * s.apart)
				for time.Since(start) < s.length && a.Wait(ctx) == nil {
					o := ratelimit.Outcome{Sent: time.Now()}
					if s.noSent {
						o.Sent = time.Time{}
					}
					if o.Throttled = !call(counts[i]); o.Throttled {
						o.RetryAfter = s.retryAfter
					}
					a.Observe(o)
				}
			})
		}
	}
	group.Wait()
	for i := range counts {
		counts[i] = counts[i][:len(counts[i])-1]
	}
	return counts
}

// draw returns how long a call takes, before and after the server decides.
func (s simulation) draw(rng *rand.Rand) (there, back time.Duration) {
	jitter := cmp.Or(s.jitter, 0.25)
	latency := time.Duration(float64(s.latency) * (1 + jitter*(2*rng.Float64()-1)))
	if s.atEnd {
		return latency, 0
	}
	return latency / 2, latency / 2
}

// endless is a context that ends when done is closed and knows no deadline.
type endless struct{ done <-chan struct{} }

func (e endless) Deadline() (time.Time, bool) { return time.Time{}, false }
func (e endless) Done() <-chan struct{}       { return e.done }
func (e endless) Value(any) any               { return nil }
func (e endless) Err() error {
	select {
	case <-e.done:
		return errDone
	default:
		return nil
	}
}

// between sums up the seconds from the first to before the last.
func (o outcomes) between(first, last int) (accepted, throttled float64) {
	for _, c := range o[first:last] {
		accepted += float64(c.accepted)
		throttled += float64(c.throttled)
	}
	return accepted, throttled
}

// score returns how much of what the server allowed was used, and which share
// of calls was throttled, from the 10th second on.
func (o outcomes) score(perSecond float64) (used, throttled float64) {
	accepted, lost := o.between(10, len(o))
	return accepted / (perSecond * float64(len(o)-10)), lost / (accepted + lost)
}

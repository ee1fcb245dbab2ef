package chaos

import (
	"math/rand/v2"
	"sync"
	"time"
)

// calibrate returns half the calls per second that this machine is good for
// just now. If it were kept busy, every call would end by its deadline.
func (s *soak) calibrate() float64 {
	const callers = 20
	s.warmUp(callers, 1)
	begin := time.Now()
	s.warmUp(callers, s.plan.trial)
	each := time.Since(begin).Seconds() / float64(callers*s.plan.trial)
	return min(max(20, 0.5/each), 1000)
}

// warmUp lets so many callers make so many calls each, by the first client.
func (s *soak) warmUp(callers, calls int) {
	var all sync.WaitGroup
	for n := range callers {
		rng := rand.New(rand.NewPCG(s.plan.seed, uint64(n)))
		all.Go(func() {
			for range calls {
				c := s.newCall(rng)
				c.process, c.person, c.cancel = s.processes[0], n%len(s.people), 0
				_ = s.make(c)
			}
		})
	}
	await(&all, time.Duration(calls)*s.plan.deadline+s.plan.slack)
}

// await waits for callers whose calls should end, within a bound.
func await(callers *sync.WaitGroup, patience time.Duration) {
	ended := make(chan struct{})
	go func() {
		callers.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
	}
}

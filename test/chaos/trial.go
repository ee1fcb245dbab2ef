package chaos

import (
	"math/rand/v2"
	"sync"
	"time"
)

// warmUp lets so many callers make so many calls each, by the first client,
// before the trouble: connections are made, and all that is made once.
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

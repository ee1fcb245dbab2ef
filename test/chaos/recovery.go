package chaos

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// recover calls on behalf of every user, by every client, until that succeeds,
// and returns what did not. The retry budget is spent, limiters slow down,
// sessions are gone: none of that may last.
func (s *soak) recover() (unrecovered []string) {
	var waiting sync.WaitGroup
	var failures sample
	rng := rand.New(rand.NewPCG(s.plan.seed, 0))
	for i, p := range s.processes {
		for n := range s.people {
			if s.isVictim(n) && s.weather.hits[hugeWait].Load() > 0 {
				continue
			}
			c := s.newCall(rng)
			c.process, c.person, c.cancel, c.deadline = p, n, 0, s.plan.deadline
			waiting.Go(func() {
				if err := settle(s.plan.recovery, func() error { return s.again(*c) }); err != nil {
					failures.add(fmt.Sprintf("client %d, person %d: %v", i, n, err))
				}
			})
		}
	}
	await(&waiting, s.plan.recovery+2*s.plan.deadline+s.plan.slack)
	return failures.all()
}

// again makes a call like c, with a number of its own.
func (s *soak) again(c call) error {
	c.number = s.ledger.open(c.method == writeMethod)
	return s.make(&c)
}

// settle asks for up to patience until check is content, and returns its last
// error.
func settle(patience time.Duration, check func() error) error {
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := check()
		if err == nil || time.Since(begin) > patience {
			return err
		}
	}
}

package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A change is a moment of a schedule: from then on, trouble of one kind
// happens with these odds, or not any more.
type change struct {
	at   time.Duration
	kind kind
	odds int32 // in a thousand; 0: it ends
	ends bool
}

func (c change) String() string {
	if c.ends {
		return fmt.Sprintf("%v: no more %v", c.at, c.kind)
	}
	return fmt.Sprintf("%v: %v, %d in 1000", c.at, c.kind, c.odds)
}

// schedule returns what goes wrong during a time of this length: every kind
// at least once, in an order and with odds that follow from seed. About
// three kinds at a time overlap.
func schedule(seed uint64, length time.Duration) []change {
	rng := rand.New(rand.NewPCG(seed, uint64(length)))
	n := max(kinds, int(length/time.Second))
	step := length / time.Duration(n+1)
	var changes []change
	var deck []int
	for i := range n {
		if len(deck) == 0 {
			deck = rng.Perm(kinds)
		}
		k := kind(deck[0])
		deck = deck[1:]
		worst := outlook[k].worst
		begin := step * time.Duration(i)
		end := begin + step/2 + time.Duration(rng.Int64N(int64(step*5)))
		changes = append(changes,
			change{at: begin, kind: k, odds: worst - rng.Int32N(worst/2+1)},
			change{at: min(end, length), kind: k, ends: true})
	}
	slices.SortStableFunc(changes, func(a, b change) int { return int(a.at - b.at) })
	return changes
}

// play applies changes at their times, until ctx ends.
func play(ctx context.Context, changes []change, apply func(change)) {
	begin := time.Now()
	for _, c := range changes {
		if !sleep(ctx, c.at-time.Since(begin)) {
			return
		}
		apply(c)
	}
}

// sleep waits for d, and returns false if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

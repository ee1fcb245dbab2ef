package chaos

import (
	"context"
	"sync/atomic"
	"time"
)

// A pace is how many calls per second all callers make together. It follows
// what the machine has to spare, which other programs may need too: if
// goroutines wake late, it is lowered. A machine that is kept busy would fail
// calls by their deadlines whatever the client does, and each of them costs a
// connection and so another handshake, which makes the machine busier still.
//
// The zero pace is the lowest one.
type pace struct {
	extra      atomic.Int64 // calls per second above the lowest rate
	ticks, low atomic.Int64 // all, and those at the lowest rate
	made       atomic.Int64 // the sum of the rates of all ticks
}

const (
	lowestRate = 20
	firstRate  = 60

	// highestRate leaves connections free. A call that hangs has one of the
	// maxConnections of its client until its deadline.
	highestRate = 300

	paceTick = 20 * time.Millisecond

	// lateTick is the delay by which a goroutine wakes late. A call takes
	// about 20 of them, and has a third of a second at least.
	lateTick = 30 * time.Millisecond
)

// rate returns the present rate, in calls per second.
func (p *pace) rate() float64 { return lowestRate + float64(p.extra.Load()) }

// mean returns the mean rate so far.
func (p *pace) mean() float64 { return float64(p.made.Load()) / float64(max(p.ticks.Load(), 1)) }

// starved reports whether the machine had hardly anything to spare: the rate
// was the lowest one for more than half of the time.
func (p *pace) starved() bool { return 2*p.low.Load() > p.ticks.Load() }

// follow adapts the rate to the machine until ctx ends.
func (p *pace) follow(ctx context.Context) {
	rate := float64(firstRate)
	for {
		p.note(rate)
		begin := time.Now()
		if !sleep(ctx, paceTick) {
			return
		}
		rate = adapted(rate, time.Since(begin)-paceTick)
	}
}

func (p *pace) note(rate float64) {
	p.extra.Store(int64(rate) - lowestRate)
	p.ticks.Add(1)
	p.made.Add(int64(rate))
	if rate == lowestRate {
		p.low.Add(1)
	}
}

// adapted returns the rate that follows a tick that came late by so much. It
// rises by a quarter in a second without late ticks, and stays the same if one
// of 20 is late.
func adapted(rate float64, late time.Duration) float64 {
	if late > lateTick {
		return max(lowestRate, rate*0.91)
	}
	return min(highestRate, rate*1.005)
}

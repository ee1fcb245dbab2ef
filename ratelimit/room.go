package ratelimit

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxLook is how many places are looked at, at a time, in search of one
	// that can be given away.
	maxLook = 1000

	// The bounds of the time between two looks.
	minLookAgain = time.Millisecond
	maxLookAgain = time.Second
)

// seek waits, in line with others, until the set has room for key, and holds
// the place. The caller has been counted as a seeker.
func (k *Keyed) seek(ctx context.Context, key string) (*place, error) {
	defer k.sought()
	select {
	case k.turn <- struct{}{}: // a channel serves senders in their order
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		p, again := k.look(key)
		if p != nil {
			return p, nil
		}
		if err := k.pause(ctx, again); err != nil {
			return nil, err
		}
	}
}

func (k *Keyed) sought() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seekers--
}

// pause lets time pass until there may be room: after d, or when a call in
// flight has ended.
func (k *Keyed) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.freed:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// look holds the place of key, a new one if there is room. Otherwise it
// returns when to look again.
func (k *Keyed) look(key string) (p *place, again time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p = k.places[key]; p == nil {
		ok := false
		if ok, again = k.makeRoom(time.Now()); !ok {
			return nil, again
		}
		p = k.insert(key)
	}
	p.inFlight++
	return p, 0
}

// makeRoom sees to it that one more place can be had. It returns false, and
// when it is worth another try, if none of those it looked at can be given
// away. They then come last, so that the next look starts at others.
func (k *Keyed) makeRoom(now time.Time) (ok bool, again time.Duration) {
	if k.max < 0 || len(k.places) < k.max {
		return true, 0
	}
	again = maxLookAgain
	for range min(len(k.places), maxLook) {
		p := k.recent.oldest()
		if p.inFlight == 0 {
			wait := fullIn(p.limiter, now)
			if wait <= 0 {
				k.remove(p)
				return true, 0
			}
			again = min(again, wait)
		}
		k.recent.touch(p)
	}
	return false, max(again, minLookAgain)
}

// fullIn returns after which time l will be full if nobody uses it; 0 if it is
// full, or does not say.
func fullIn(l Limiter, now time.Time) time.Duration {
	switch l := l.(type) {
	case interface {
		fullIn(now time.Time) time.Duration
	}:
		return l.fullIn(now)
	case interface {
		Tokens() float64
		Burst() int
	}:
		missing := float64(l.Burst()) - l.Tokens()
		if missing <= 0 {
			return 0
		}
		if l, ok := l.(interface{ Limit() rate.Limit }); ok {
			return timeFor(missing, l.Limit())
		}
		return maxLookAgain
	}
	return 0
}

package ratelimit

import "context"

// place is that of a key in a set. It stands for the key even before the set
// has room for it, and after it has gone to another: who uses it then is led
// to the present place of the key.
type place struct {
	set        *Keyed
	key        string
	limiter    Limiter // set while, and after, the place is in the set
	prev, next *place  // among all places of the set, by when they were used
	inFlight   int32   // calls that keep the key where it is
	present    bool    // it is in the set
}

// Wait waits for a place in the set, and then as the limiter there does.
func (p *place) Wait(ctx context.Context) error {
	p, err := p.hold(ctx)
	if err != nil {
		return err
	}
	defer p.release()
	return named(p.limiter.Wait(ctx), p.key)
}

// Observe tells the limiter of the key, if there is one that learns.
func (p *place) Observe(o Outcome) {
	if l, ok := p.current().(Observer); ok {
		l.Observe(o)
	}
}

func (p *place) current() Limiter {
	p.set.mu.Lock()
	defer p.set.mu.Unlock()
	if now := p.set.places[p.key]; now != nil {
		return now.limiter
	}
	return p.limiter
}

// hold returns the present place of the key, which the key keeps until release
// is called as often as hold. It waits while the set has no room for the key.
func (p *place) hold(ctx context.Context) (*place, error) {
	if held := p.tryHold(); held != nil {
		return held, nil
	}
	return p.set.seek(ctx, p.key)
}

// tryHold holds the present place of the key. If there is none to be had, it
// returns nil and counts the caller as a seeker.
func (p *place) tryHold() *place {
	k := p.set
	k.mu.Lock()
	defer k.mu.Unlock()
	if !p.present {
		p = k.find(p.key)
	}
	if p == nil {
		k.seekers++
		return nil
	}
	p.inFlight++
	return p
}

// release ends a hold. A nil place is held by nobody.
func (p *place) release() {
	if p == nil {
		return
	}
	p.set.mu.Lock()
	defer p.set.mu.Unlock()
	p.inFlight--
	if p.inFlight == 0 && p.set.seekers > 0 {
		select {
		case p.set.freed <- struct{}{}:
		default: // it is known already that there is something to see
		}
	}
}

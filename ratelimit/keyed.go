package ratelimit

import (
	"context"
	"sync"
	"time"
)

// defaultKeys is how many keys a Keyed holds unless it is told otherwise.
const defaultKeys = 10_000

// A Keyed is a set of limiters, one for each key: a user's session, an API
// method, whatever [Limit.Key] makes of a request. The empty key is one like
// the others.
//
// A Keyed bounds its memory. A new key in a full set takes the place of an old
// one that loses nothing by it: one that has no call in flight and whose
// limiter is full, so that a fresh one would let pass no more. Among these,
// the one that was not used for longest goes first. How full a limiter is, it
// says itself: a [*Bucket], an [*Adaptive], or any other that has the methods
// Tokens and Burst of [golang.org/x/time/rate.Limiter]. One that has not
// counts as full.
//
// If there is no such key, the calls of new keys wait, in line, until there is
// one, just as calls wait that their limiter holds back. So a set should have
// room for all keys in use within the time in which a limiter fills up.
//
// A Keyed costs no goroutine. It is safe for concurrent use. The zero Keyed is
// not ready for use; see [NewKeyed].
type Keyed struct {
	newLimiter func(key string) Limiter
	max        int

	mu      sync.Mutex
	places  map[string]*place
	recent  recent
	seekers int           // calls of new keys that wait for a place
	turn    chan struct{} // full while one of the seekers looks for one
	freed   chan struct{} // gets a value when the last call of a key has ended
}

// NewKeyed returns a set of at most max limiters. Each is made by newLimiter
// when its key first comes up. If max is 0, it is 10,000; if it is negative,
// there is no bound. If newLimiter is nil or returns nil, there is no limit.
//
// newLimiter must not use the Keyed.
func NewKeyed(max int, newLimiter func(key string) Limiter) *Keyed {
	if max == 0 {
		max = defaultKeys
	}
	return &Keyed{
		newLimiter: newLimiter,
		max:        max,
		places:     make(map[string]*place),
		turn:       make(chan struct{}, 1),
		freed:      make(chan struct{}, 1),
	}
}

// For returns the limiter of key, which is an [Observer] as well: it tells the
// one that newLimiter made, if that learns. It stays right even if the key
// loses its place and gets another one. While a call waits, its key keeps its
// place; [Limit] sees to it that it does so until the call has ended.
func (k *Keyed) For(key string) Limiter {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.find(key); p != nil {
		return p
	}
	return &place{set: k, key: key}
}

// Wait waits as the limiter of the default key does: that of the session which
// ctx sets, or else the empty key. A limiter that learns will not hear how the
// call ends: [Limit], which knows, asks [Keyed.For].
func (k *Keyed) Wait(ctx context.Context) error { return k.For(sessionKey(ctx)).Wait(ctx) }

// Len returns how many keys have a limiter.
func (k *Keyed) Len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.places)
}

// find returns the place of key, a new one if there is room for it and nobody
// waits for room. Otherwise it returns nil.
func (k *Keyed) find(key string) *place {
	if p := k.places[key]; p != nil {
		k.recent.touch(p)
		return p
	}
	if k.seekers > 0 {
		return nil
	}
	if ok, _ := k.makeRoom(time.Now()); !ok {
		return nil
	}
	return k.insert(key)
}

func (k *Keyed) insert(key string) *place {
	p := &place{set: k, key: key, limiter: k.limiter(key), present: true}
	k.places[key] = p
	k.recent.touch(p)
	return p
}

func (k *Keyed) remove(p *place) {
	p.present = false
	delete(k.places, p.key)
	k.recent.remove(p)
}

func (k *Keyed) limiter(key string) Limiter {
	if k.newLimiter != nil {
		if l := k.newLimiter(key); l != nil {
			return l
		}
	}
	return unlimited{}
}

// unlimited is no limit.
type unlimited struct{}

func (unlimited) Wait(ctx context.Context) error { return ctx.Err() }

package ratelimit

// This file has a limiter for each key, such as a session. The set is bounded:
// lru.go evicts.

import (
	"context"
	"sync"
	"time"
)

// defaultKeys is the default of [NewKeyed] for max.
const defaultKeys = 10_000

// A Keyed is a set of limiters, one for each key: a user's session, an API
// method, or whatever [Limit.Key] returns. The empty key is one like the
// others. Keyed is a [Keyer], and a [Limiter] for the session of a context.
//
// A Keyed bounds its memory. A new key in a full set evicts an old one that
// loses nothing by it: it has no call in flight and its limiter is full, so
// that a new limiter would let no more calls pass. Among these, the least
// recently used is evicted. A [*Bucket], an [*Adaptive] and any limiter that
// has the methods Tokens and Burst of [golang.org/x/time/rate.Limiter] report
// how full they are. Any other limiter counts as full.
//
// If there is no such key, the calls of new keys wait in a FIFO queue until
// there is one, as calls wait for a limiter. A set should therefore have room
// for all keys in use within the time in which a limiter fills up.
//
// A Keyed costs no goroutine. It is safe for concurrent use. The zero Keyed
// and a nil one reject every call; use [NewKeyed].
type Keyed struct {
	newLimiter func(key string) Limiter
	max        int // negative: no bound

	mu      sync.Mutex
	entries map[string]*entry // by key
	lru     lru               // all entries, in the order of their last use
	waiting int               // calls of new keys that wait for an entry
	turn    chan struct{}     // full while the first of them tries to evict one
	freed   chan struct{}     // gets a value when the last call of a key has ended
}

// NewKeyed returns a set of at most max limiters. newLimiter makes each when
// its key is first used. If max is 0, it is 10,000; if it is negative, there is
// no bound. If newLimiter is nil or returns nil, there is no limit.
//
// newLimiter must not use the Keyed.
func NewKeyed(max int, newLimiter func(key string) Limiter) *Keyed {
	if max == 0 {
		max = defaultKeys
	}
	return &Keyed{
		newLimiter: newLimiter,
		max:        max,
		entries:    make(map[string]*entry),
		turn:       make(chan struct{}, 1),
		freed:      make(chan struct{}, 1),
	}
}

// For returns the limiter of key. It is an [Observer] too: it passes outcomes
// to the limiter that newLimiter made, if that is an Observer. It stays valid
// if the key is evicted and used again. A key is not evicted while a call waits
// or, if [Limit] made the call, until it has ended.
func (k *Keyed) For(key string) Limiter {
	if k == nil || k.entries == nil {
		return zero("Keyed")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.find(key); e != nil {
		return e
	}
	return &entry{set: k, key: key}
}

// Wait waits for the limiter of the session that ctx sets, as [Limit] does by
// default, or else for that of the empty key. An [Observer] does not
// learn how the call ends: Limit, which knows, uses [Keyed.For].
func (k *Keyed) Wait(ctx context.Context) error { return k.For(sessionKey(ctx)).Wait(ctx) }

// Len returns how many keys have a limiter.
func (k *Keyed) Len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.entries)
}

// find returns the entry of key, a new one if there is room for it and no
// other new key waits. Otherwise it returns nil.
func (k *Keyed) find(key string) *entry {
	if e := k.entries[key]; e != nil {
		k.lru.touch(e)
		return e
	}
	// New keys get room in the order in which they came, so this one has to wait
	// behind them.
	if k.waiting > 0 {
		return nil
	}
	if k.makeRoom(time.Now()) > 0 {
		return nil
	}
	return k.insert(key)
}

// insert adds a new entry for key. The caller holds k.mu.
func (k *Keyed) insert(key string) *entry {
	e := &entry{set: k, key: key, limiter: k.limiter(key), present: true}
	k.entries[key] = e
	k.lru.touch(e)
	return e
}

// limiter makes the limiter of key. The caller holds k.mu.
func (k *Keyed) limiter(key string) Limiter {
	if k.newLimiter != nil {
		if l := k.newLimiter(key); l != nil {
			return usable(l)
		}
	}
	return unlimited{}
}

// An entry is a key of a set with its limiter. It stands for the key before it
// is in the set, and after it was evicted: it then leads to the entry that is.
type entry struct {
	set        *Keyed // that it is of, in it or not
	key        string
	limiter    Limiter // set once the entry is in the set
	prev, next *entry  // in the LRU list
	inFlight   int32   // calls because of which the entry is not evicted
	present    bool    // the entry is in the set
}

// Wait waits for an entry of the key in the set, and then for its limiter.
func (e *entry) Wait(ctx context.Context) error {
	e, err := e.acquire(ctx)
	if err != nil {
		return err
	}
	defer e.release()
	return withKey(e.limiter.Wait(ctx), e.key)
}

// Observe passes o to the limiter of the key, if that is an Observer.
func (e *entry) Observe(o Outcome) {
	if l, ok := e.current().(Observer); ok {
		l.Observe(o)
	}
}

// current returns the limiter of the key: that of the set, since e may have been
// evicted and its key used again.
func (e *entry) current() Limiter {
	e.set.mu.Lock()
	defer e.set.mu.Unlock()
	if now := e.set.entries[e.key]; now != nil {
		return now.limiter
	}
	return e.limiter
}

// acquire returns the entry of the key that is in the set, and keeps it there
// until release was called as often as acquire. It waits while the set has no
// room for the key.
func (e *entry) acquire(ctx context.Context) (*entry, error) {
	if acquired := e.tryAcquire(); acquired != nil {
		return acquired, nil
	}
	return e.set.waitForRoom(ctx, e.key)
}

// tryAcquire is acquire without the wait: it returns nil if there is no room,
// and counts the caller as waiting.
func (e *entry) tryAcquire() *entry {
	k := e.set
	k.mu.Lock()
	defer k.mu.Unlock()
	if !e.present {
		e = k.find(e.key)
	}
	if e == nil {
		k.waiting++
		return nil
	}
	e.inFlight++
	return e
}

// acquireNow is acquire for a call that keeps another entry and so must not
// wait for room: it inserts the key even into a full set. Each call in flight
// does so once at most, and later evictions make up for it.
func (e *entry) acquireNow() *entry {
	k := e.set
	k.mu.Lock()
	defer k.mu.Unlock()
	if !e.present {
		key := e.key
		if e = k.entries[key]; e == nil {
			e = k.insert(key)
		}
	}
	e.inFlight++
	return e
}

// release ends an acquire.
func (e *entry) release() {
	e.set.mu.Lock()
	defer e.set.mu.Unlock()
	e.inFlight--
	if e.inFlight == 0 && e.set.waiting > 0 {
		select {
		case e.set.freed <- struct{}{}:
		default: // a wake-up is due already
		}
	}
}

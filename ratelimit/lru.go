package ratelimit

// This file bounds the memory of a Keyed: the LRU list, and the eviction of entries.

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// An lru is an LRU list: it has the entries in the order in which they were last
// used. The zero lru is empty. It is a ring of linked entries, whose head is the
// entry of no key. The lock of its Keyed guards it.
type lru struct{ head entry }

// touch makes e, which may be new, the most recently used entry.
func (l *lru) touch(e *entry) {
	if l.head.next == nil {
		l.head.next, l.head.prev = &l.head, &l.head
	}
	if e.next != nil {
		l.remove(e)
	}
	last := l.head.prev
	e.prev, e.next = last, &l.head
	last.next, l.head.prev = e, e
}

// remove removes e from the list.
func (l *lru) remove(e *entry) {
	e.prev.next, e.next.prev = e.next, e.prev
	e.prev, e.next = nil, nil
}

// oldest returns the least recently used entry. There must be one.
func (l *lru) oldest() *entry { return l.head.next }

const (
	// maxTried is how many entries are tried at a time for one to evict: it
	// bounds the time for which the set is locked.
	maxTried = 1000

	// The bounds of the time until the next try.
	minRetry = time.Millisecond
	maxRetry = time.Second
)

// waitForRoom waits until the set has room for key, and acquires its entry.
// New keys get room in the order in which they came. The caller has been
// counted as waiting.
func (k *Keyed) waitForRoom(ctx context.Context, key string) (*entry, error) {
	defer k.stopWaiting()
	select {
	case k.turn <- struct{}{}: // a channel serves senders in their order
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, contextErr(ctx)
	}
	for {
		e, again := k.tryInsert(key)
		if e != nil {
			return e, nil
		}
		if err := k.sleep(ctx, again); err != nil {
			return nil, err
		}
	}
}

// stopWaiting ends the wait of a caller for an entry.
func (k *Keyed) stopWaiting() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting--
}

// sleep returns after d, or earlier if a call in flight has ended.
func (k *Keyed) sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
	case <-k.freed:
	case <-ctx.Done():
	}
	return contextErr(ctx)
}

// tryInsert acquires the entry of key, a new one if there is room. Otherwise
// it returns when to try again.
func (k *Keyed) tryInsert(key string) (e *entry, again time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e = k.entries[key]; e == nil {
		if again = k.makeRoom(time.Now()); again > 0 {
			return nil, again
		}
		e = k.insert(key)
	}
	e.inFlight++
	return e, 0
}

// makeRoom evicts entries until there is room for one more, and then returns 0.
// If none of those it tried can be evicted, it returns when to try again. They
// become the most recently used, so that the next try begins with others.
func (k *Keyed) makeRoom(now time.Time) (again time.Duration) {
	again = maxRetry
	for range min(len(k.entries)+1, maxTried) {
		if k.max < 0 || len(k.entries) < k.max {
			return 0
		}
		e := k.lru.oldest()
		wait := maxRetry
		if e.inFlight == 0 {
			wait = fullIn(e.limiter, now)
		}
		if wait <= 0 {
			k.evict(e)
		} else {
			k.lru.touch(e)
			again = min(again, wait)
		}
	}
	return max(again, minRetry)
}

// evict removes the entry e, and with it its limiter. The caller holds k.mu.
func (k *Keyed) evict(e *entry) {
	e.present = false
	delete(k.entries, e.key)
	k.lru.remove(e)
}

// fullIn returns after which time l will be full if it is not used; 0 if it is
// full, or does not report it.
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
		return maxRetry
	}
	return 0
}

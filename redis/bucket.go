package okredis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"
)

// A Bucket is a [ratelimit.Limiter] that all processes share which use the same
// key of the same Redis: together they make a fixed number of calls per second.
//
// In each process, callers wait in a FIFO queue. One script reserves slots for
// the callers at its head, at most as many as callers wait and as the rate has
// in 20 ms, and Redis is not asked again before they are used. A slot that no
// caller uses, because all have gone, is returned. A slot that is not used
// within 20 ms of its time, because the machine was busy, is lost; later ones
// replace as many lost slots as the bound below allows.
//
// In any window of t seconds, all processes together make at most
// rate·t + burst + rate·0.02 calls.
//
// # Outages
//
// While Redis is unavailable, rejects the script, or takes 300 ms to run it, no
// call fails because of that: each process stays within its Share of the rate. A
// process tries to reach Redis again at least twice per second, while callers
// wait.
//
// If only some processes reach Redis, the shares of the others are added to the
// rate. If Redis loses the key, by a failover or a restart, one burst is added;
// but processes that noticed the outage go on after a pause of 0.7 seconds,
// with no burst.
//
// # Cost
//
// A Bucket uses at most one goroutine, while callers wait. It is safe for
// concurrent use. The zero Bucket rejects every call; use [NewBucket].
type Bucket struct {
	// Share is the part of the rate, up to 1, that this process stays within
	// while Redis is unavailable. Zero: 1/N, where N is how many processes used
	// the limit within the last 10 s before, and 10 before the first contact.
	//
	// It must not be changed once the Bucket is used.
	Share float64

	// OnError is called once per outage, with the reason. Nil: outages are not reported.
	// It must not block, and must not be changed once the Bucket is used.
	OnError func(error)

	limit
	server *server

	mu       sync.Mutex
	waiters  queue
	slots    []slot    // reserved, in order, and not used yet
	own      int       // how many of them, at the end, no process has reserved after
	version  int64     // of the state in Redis after the last reservation
	free     time.Time // the slot after the last reservation, so far
	lost     int       // slots that came while this process waited for a processor, and that Redis does not know of
	lostFrom int64     // when the first of them was due, in µs of the clock of Redis
	busy     bool      // the goroutine runs
	asked    time.Time // since when it waits for Redis
	noted    bool      // that Redis took too long
	local    time.Time // the last slot of the share that was used
	timer    *time.Timer
	reported error // for OnError, once mu is unlocked
}

// A slot is a moment at which one call may be made.
type slot struct {
	at   time.Time
	due  int64 // the same in µs of the clock of Redis
	cost int64 // the time, in µs, that the slot adds to the state in Redis
}

// A limit is what does not change of a Bucket.
type limit struct {
	key      string // in Redis
	name     string // in errors
	rate     rate.Limit
	burst    int
	interval float64 // between two slots, in µs
	chunk    int     // slots per script at most
	err      error   // why there can be no such limit
}

const (
	// maxLate is how long after its time a slot may be used, and how much time
	// the slots of one script may take.
	maxLate = 20 * time.Millisecond

	// usable is how long after its time a slot is given to a caller. The rest
	// of maxLate is for the caller's goroutine, which may have to wait for a
	// processor.
	usable = maxLate * 3 / 4

	// maxInterval is the longest time between two slots, and maxRest the
	// longest time in which a limit fills up, in µs. Lua counts exactly up to
	// nine times as much.
	maxInterval = 1e12
	maxRest     = 1e15
)

func newLimit(key, name string, perSecond rate.Limit, burst int) limit {
	l := limit{key: key, name: name, rate: perSecond, burst: burst, interval: 1e6 / float64(perSecond)}
	switch {
	case key == "":
		l.err = errors.New("okru: okredis: the key of the rate limit is empty")
	case !(perSecond > 0) || l.interval > maxInterval:
		l.err = fmt.Errorf("okru: okredis: the rate is %v calls per second; it must be more than one in %v days", perSecond, maxInterval/86400e6)
	case burst < 1:
		l.err = fmt.Errorf("okru: okredis: a burst of %d lets no call pass; use at least 1", burst)
	case l.interval*float64(burst) > maxRest:
		l.err = fmt.Errorf("okru: okredis: a burst of %d is too much for %v calls per second", burst, perSecond)
	}
	if l.err == nil {
		l.chunk = int(max(1, min(float64(perSecond)*maxLate.Seconds(), 1e4)))
	}
	return l
}

// offset returns by how much slot i is behind slot 0, in µs.
func (l *limit) offset(i int64) int64 { return int64(math.Ceil(float64(i) * l.interval)) }

// gap returns the time between two slots.
func (l *limit) gap() time.Duration { return max(duration(l.interval*1e3), 1) }

// duration returns ns as a Duration, up to 30 years.
func duration(ns float64) time.Duration { return time.Duration(min(ns, 1e18)) }

// rest returns how long a limit can have been idle to the benefit of a burst,
// in µs.
func (l *limit) rest() int64 { return int64(float64(l.burst-1) * l.interval) }

// NewBucket returns a Bucket that lets perSecond calls pass per second, and up
// to burst at once after a pause. All processes that use key must give the same
// numbers.
//
// In Redis, it uses key and key + ":processes". Both expire when no process uses
// them.
//
// With [rate.Inf] every call passes, and Redis is not asked. An empty key, a
// rate of less than one call in 11 days and a burst of less than 1 are errors
// of Wait.
func NewBucket(c redis.UniversalClient, key string, perSecond rate.Limit, burst int) *Bucket {
	return &Bucket{limit: newLimit(key, "", perSecond, burst), server: newServer(c, key+":processes")}
}

// Wait returns nil when the call of ctx may be made. It returns
//
//   - the error of ctx, and its cause, if ctx ends before;
//   - an error that matches [ratelimit.ErrLimited] and
//     [context.DeadlineExceeded] if the slot of the call comes after the
//     deadline of ctx. It is returned at once if Redis, or the queue of this
//     process, leaves no earlier slot;
//   - an error that names the fault, if the limit cannot work at all.
func (b *Bucket) Wait(ctx context.Context) error {
	if err := b.check(ctx); err != nil || b.rate == rate.Inf {
		return err
	}
	var w *waiter
	var err error
	b.do(func(now time.Time) {
		if err = b.tooLate(ctx, now); err == nil {
			w = b.waiters.add(ctx)
		}
	})
	if err != nil {
		return err
	}
	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
	}
	b.do(func(time.Time) {
		if w.queued {
			b.waiters.finish(w, contextErr(ctx))
		}
	})
	return w.err
}

// check returns why the call of ctx must not wait at all.
func (b *Bucket) check(ctx context.Context) error {
	switch {
	case b.server == nil || b.server.client == nil:
		return errors.New("okru: okredis: a Bucket without a client of Redis; use NewBucket")
	case b.limit.err != nil && b.rate != rate.Inf:
		return b.limit.err
	case !(b.Share >= 0 && b.Share <= 1):
		return fmt.Errorf("okru: okredis: Share is %v; it must be between 0 and 1", b.Share)
	}
	return contextErr(ctx)
}

// tooLate returns the error of a call whose slot would come after its deadline,
// as far as this process knows.
func (b *Bucket) tooLate(ctx context.Context, now time.Time) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	wait := b.earliest(now).Sub(now)
	if now.Add(wait).After(deadline) {
		return late(b.name, wait)
	}
	return nil
}

// earliest returns a time before which a new caller gets no slot.
func (b *Bucket) earliest(now time.Time) time.Time {
	behind := b.waiters.length - len(b.slots)
	if since, down := b.outage(now); down {
		first, period := b.localSlot(now, since)
		return first.Add(time.Duration(behind) * period)
	}
	if b.waiters.length == 0 || behind < 0 {
		return now // only Redis knows
	}
	ahead := max(b.free.Sub(now).Microseconds(), -b.rest())
	return now.Add(time.Duration(max(0, ahead+b.offset(int64(behind)))) * time.Microsecond)
}

// String returns the key.
func (b *Bucket) String() string { return fmt.Sprintf("okredis.Bucket(%q)", b.limit.key) }

// Format implements [fmt.Formatter]: the client may hold a password.
func (b *Bucket) Format(f fmt.State, _ rune) { fmt.Fprint(f, b.String()) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

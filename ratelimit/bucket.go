package ratelimit

// This file has the limiter of a known rate: the queue of queue.go, and reasons to
// reject a call that would have to wait too long.

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// A Bucket is a [Limiter] that lets a fixed number of calls per second pass,
// in the order in which they came: a FIFO queue in front of a token bucket of
// golang.org/x/time/rate. It differs from a bare [rate.Limiter] in how it
// treats callers that wait:
//
//   - One that is canceled leaves the queue, and all behind it move up.
//   - A change of the rate takes effect at once for all of them.
//   - The queue can be bounded, in time and in length.
//   - A call that is rejected fails with [ErrLimited], which is final for a
//     retry.
//
// In any window of t seconds at most rate·t + burst + rate·0.02 calls pass.
// The last term covers calls that late timers may bunch together: up to 20 ms
// of lateness is made up for, the rest is lost.
//
// A Bucket costs no goroutine, and a timer only while callers wait. It is safe
// for concurrent use. The zero Bucket and a nil one reject every call; use
// [NewBucket].
type Bucket struct {
	// MaxWait is the longest time a call may have to wait. A call that would
	// have to wait longer is rejected at once. That is decided when the call
	// arrives: a rate that is lowered later rejects none that wait already.
	// Zero or negative: no bound but the deadline of the call's context.
	//
	// It must not be changed once the Bucket is used.
	MaxWait time.Duration

	// MaxQueue is how many calls may wait at a time. One more is rejected at
	// once. Zero or negative: any number.
	//
	// It must not be changed once the Bucket is used.
	MaxQueue int

	queue queue
}

// NewBucket returns a full Bucket that lets perSecond calls pass per second,
// and up to burst at once after a pause.
//
// With [rate.Inf] every call passes. With a rate of 0 or less, burst calls
// pass, and later ones wait until [Bucket.SetLimit] raises it. A burst of 0 or
// less rejects every call, unless the rate is rate.Inf. For even pacing use a
// burst of 1.
func NewBucket(perSecond rate.Limit, burst int) *Bucket {
	b := new(Bucket)
	b.queue.init(perSecond, burst)
	return b
}

// Wait returns nil when the call of ctx may be made. It returns
//
//   - the error of ctx, with its cause, if ctx ends first;
//   - a [*LimitedError] at once, if the call would have to wait beyond the
//     deadline of ctx or MaxWait, if MaxQueue calls wait already, and if the
//     burst is 0.
func (b *Bucket) Wait(ctx context.Context) error {
	if b == nil || !b.queue.made {
		return zero("Bucket").Wait(ctx)
	}
	if err := contextErr(ctx); err != nil {
		return err
	}
	w, err := b.enter(ctx)
	if w == nil {
		return err
	}
	return b.queue.wait(w)
}

// enter returns nil, nil if the call of ctx passes at once. Otherwise it
// queues the call, or returns why it is rejected.
func (b *Bucket) enter(ctx context.Context) (*waiter, error) {
	q := &b.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if q.tryPass(now) {
		return nil, nil
	}
	if err := b.check(ctx, now); err != nil {
		return nil, err
	}
	w := q.waiters.add(ctx, now)
	q.release(now)
	return w, nil
}

// check returns an error if the call of ctx must not join the queue.
func (b *Bucket) check(ctx context.Context, now time.Time) error {
	q := &b.queue
	if q.tokens.Burst() < 1 {
		return &LimitedError{Wait: forever, reason: "a burst of 0 lets no call pass; use at least 1"}
	}
	wait := forever
	if slot, ok := q.slot(q.waiters.length); ok {
		wait = slot.Sub(now)
	}
	if deadline, ok := ctx.Deadline(); ok && wait > deadline.Sub(now) {
		return &LimitedError{Wait: wait, deadline: true, reason: "its turn comes after the deadline of its context"}
	}
	if b.MaxWait > 0 && wait > b.MaxWait {
		return &LimitedError{Wait: wait, reason: fmt.Sprintf("its turn comes after MaxWait (%v)", b.MaxWait)}
	}
	if b.MaxQueue > 0 && q.waiters.length >= b.MaxQueue {
		return &LimitedError{Wait: wait, reason: fmt.Sprintf("MaxQueue (%d) calls wait already", b.MaxQueue)}
	}
	return nil
}

// SetLimit changes the rate, also for the calls that wait. Tokens are kept.
func (b *Bucket) SetLimit(perSecond rate.Limit) {
	b.queue.mu.Lock()
	defer b.queue.mu.Unlock()
	b.queue.setLimit(perSecond, time.Now())
}

// SetBurst changes the burst. Calls that wait stay queued, even if it is 0.
func (b *Bucket) SetBurst(burst int) {
	b.queue.mu.Lock()
	defer b.queue.mu.Unlock()
	b.queue.setBurst(burst, time.Now())
}

// Limit returns the rate, in calls per second.
func (b *Bucket) Limit() rate.Limit { return b.queue.tokens.Limit() }

// Burst returns how many calls may pass at once after a pause.
func (b *Bucket) Burst() int { return b.queue.tokens.Burst() }

// Tokens returns how many calls could pass now: Burst if the Bucket is full,
// less than 1 if a call would have to wait.
func (b *Bucket) Tokens() float64 { return b.queue.tokens.Tokens() }

// fullIn returns when a Keyed may evict the Bucket without a loss.
func (b *Bucket) fullIn(now time.Time) time.Duration {
	b.queue.mu.Lock()
	defer b.queue.mu.Unlock()
	return b.queue.fullIn(now)
}

package ratelimit

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// A Bucket is a [Limiter] that lets a fixed number of calls per second pass,
// in the order in which they came: a line in front of a token bucket of
// golang.org/x/time/rate. It differs from a bare [rate.Limiter] in what
// happens to those who wait:
//
//   - One that is cancelled leaves the line, and all behind it move up.
//   - A change of the rate holds at once for all of them.
//   - The line can be bounded, in time and in length.
//   - A refusal is [ErrLimited], and is final for a retry.
//
// In any window of t seconds at most rate·t + burst + rate·0.02 calls pass.
// The last term is what timers that wake late may bunch: up to 20 ms of it is
// made up for, the rest is lost.
//
// A Bucket costs no goroutine, and a timer only while somebody waits. It is
// safe for concurrent use. The zero Bucket refuses every call; use
// [NewBucket].
type Bucket struct {
	// MaxWait is the longest time a call may have to wait. One that would have
	// to wait longer is refused at once. It is decided when the call comes; a
	// rate that is lowered later refuses nobody in line. Zero or negative: no
	// bound but the deadline of the call's context.
	//
	// It must not be changed once the Bucket is used.
	MaxWait time.Duration

	// MaxQueue is how many calls may wait at a time. One more is refused at
	// once. Zero or negative: any number.
	//
	// It must not be changed once the Bucket is used.
	MaxQueue int

	gate gate
}

// NewBucket returns a full Bucket that lets perSecond calls pass per second,
// and up to burst at once after a pause.
//
// With [rate.Inf] every call passes. A rate of 0 or less lets a burst pass,
// and whoever comes then waits until [Bucket.SetLimit] raises it. A burst of 0
// or less refuses every call, unless the rate is rate.Inf: 1 is what even
// pacing needs.
func NewBucket(perSecond rate.Limit, burst int) *Bucket {
	b := new(Bucket)
	b.gate.init(perSecond, burst)
	return b
}

// Wait returns nil when the call of ctx may be made. It returns
//
//   - the error of ctx, if ctx ends before;
//   - a [*LimitedError] at once, if the call would have to wait beyond the
//     deadline of ctx or MaxWait, if MaxQueue calls wait already, and if the
//     burst is 0.
func (b *Bucket) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w, err := b.enter(ctx)
	if w == nil {
		return err
	}
	return b.gate.wait(w)
}

// enter passes at once, with neither a waiter nor an error, or joins the line.
func (b *Bucket) enter(ctx context.Context) (*waiter, error) {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	now := time.Now()
	if b.gate.tryPass(now) {
		return nil, nil
	}
	if err := b.refusal(ctx, now); err != nil {
		return nil, err
	}
	w := b.gate.line.join(ctx, now)
	b.gate.release(now)
	return w, nil
}

// refusal returns why the call of ctx must not join the line, if so.
func (b *Bucket) refusal(ctx context.Context, now time.Time) error {
	g := &b.gate
	if g.tokens.Burst() < 1 {
		return &LimitedError{Wait: forever, reason: "a burst of 0 lets no call pass; use at least 1"}
	}
	wait := forever
	if slot, ok := g.slot(g.line.length); ok {
		wait = slot.Sub(now)
	}
	if deadline, ok := ctx.Deadline(); ok && wait > deadline.Sub(now) {
		return &LimitedError{Wait: wait, late: true, reason: "its turn comes after the deadline of its context"}
	}
	if b.MaxWait > 0 && wait > b.MaxWait {
		return &LimitedError{Wait: wait, reason: fmt.Sprintf("its turn comes after MaxWait (%v)", b.MaxWait)}
	}
	if b.MaxQueue > 0 && g.line.length >= b.MaxQueue {
		return &LimitedError{Wait: wait, reason: fmt.Sprintf("MaxQueue (%d) calls wait already", b.MaxQueue)}
	}
	return nil
}

// SetLimit changes the rate, for those in line too. Tokens there stay.
func (b *Bucket) SetLimit(perSecond rate.Limit) {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	b.gate.setLimit(perSecond, time.Now())
}

// SetBurst changes the burst. Those in line stay there, even if it is 0.
func (b *Bucket) SetBurst(burst int) {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	b.gate.setBurst(burst, time.Now())
}

// Limit returns the rate, in calls per second.
func (b *Bucket) Limit() rate.Limit { return b.gate.tokens.Limit() }

// Burst returns how many calls may pass at once after a pause.
func (b *Bucket) Burst() int { return b.gate.tokens.Burst() }

// Tokens returns how many calls could pass now: Burst if the Bucket is full,
// less than 1 if a call would have to wait.
func (b *Bucket) Tokens() float64 {
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	return b.gate.tokens.TokensAt(time.Now())
}

func (b *Bucket) fullIn(now time.Time) time.Duration { return b.gate.fullIn(now) }

package okredis

import (
	"fmt"
	"strconv"
	"time"
)

// do runs f and then does what is due, under the lock of b.
func (b *Bucket) do(f func(now time.Time)) {
	b.mu.Lock()
	now := time.Now()
	f(now)
	b.step(now)
	err := b.reported
	b.reported = nil
	b.mu.Unlock()
	if err != nil && b.OnError != nil {
		b.OnError(err)
	}
}

// step does what is due: callers whose slots have come go on, slots are
// reserved or returned, and the timer is set for the next step.
func (b *Bucket) step(now time.Time) {
	if b.isStuck(now) && !b.noted {
		b.noted = true
		b.fail(errSlow, now)
	}
	b.release(now)
	if since, down := b.outage(now); down {
		b.releaseLocal(now, since)
	}
	if !b.busy {
		b.start(b.next(now), now)
	}
	b.setTimer(now)
}

// outage returns since when this limiter cannot reach Redis, and whether that is
// so.
func (b *Bucket) outage(now time.Time) (since time.Time, down bool) {
	if since, down = b.server.isDown(); !down && b.isStuck(now) {
		return b.asked.Add(scriptTimeout), true
	}
	return since, down
}

// isStuck reports whether go-redis has waited for too long already.
func (b *Bucket) isStuck(now time.Time) bool { return b.busy && now.Sub(b.asked) >= scriptTimeout }

// release lets the callers pass whose slots have come. Slots whose time is too
// long ago are lost.
func (b *Bucket) release(now time.Time) {
	for len(b.slots) > 0 && !b.slots[0].at.After(now) {
		if now.Sub(b.slots[0].at) > usable {
			b.lose(b.slots[0])
		} else if !b.pass() {
			return
		}
		b.slots = b.slots[1:]
	}
}

// lose notes that a slot is lost. The next reservation reports it.
func (b *Bucket) lose(s slot) {
	if b.lost == 0 {
		b.lostFrom = s.due
	}
	b.lost++
}

// pass lets the first caller pass. It returns false if none waits.
func (b *Bucket) pass() bool {
	for b.waiters.first != nil {
		w := b.waiters.first
		err := contextErr(w.ctx) // it had no time to leave yet
		b.waiters.finish(w, err)
		if err == nil {
			return true
		}
	}
	return false
}

// releaseLocal lets callers pass within the share of this process.
func (b *Bucket) releaseLocal(now, since time.Time) {
	slot, period := b.localSlot(now, since)
	for !slot.After(now) && b.pass() {
		b.local = slot
		slot = slot.Add(period)
	}
}

// localSlot returns the next slot of the share of this process, and the time
// between two of them. The first one is so long after the beginning of the
// outage that all slots that other processes had reserved before have passed.
func (b *Bucket) localSlot(now, since time.Time) (time.Time, time.Duration) {
	sh := b.server.share(b.Share, b.gap())
	reserved := duration(float64(sh.period) / float64(b.gap()) * float64(max(maxLate, b.gap())))
	earliest := later(now.Add(-usable), since.Add(reserved))
	if !b.local.IsZero() {
		earliest = later(earliest, b.local.Add(sh.period/2))
	}
	return b.server.next(sh, earliest), sh.period
}

// A job asks something of Redis, without the lock of b. What it returns is then
// run under the lock.
type job func() (done func(now time.Time))

// start starts the goroutine, if it has a job.
func (b *Bucket) start(j job, now time.Time) {
	if j == nil {
		return
	}
	b.busy, b.asked, b.noted = true, now, false
	go func() {
		for j != nil {
			done := j()
			b.do(func(now time.Time) {
				done(now)
				j = b.following(now)
				b.busy, b.asked, b.noted = j != nil, now, false
			})
		}
	}()
}

// next returns the next job, or nil if there is none now.
func (b *Bucket) next(now time.Time) job {
	_, down := b.outage(now)
	switch {
	case b.waiters.length == 0:
		return b.returnSlots(down)
	case down && b.server.startProbe(now):
		return b.reserve(0, now)
	case down:
		return nil
	}
	if n := b.wanted(); n > 0 && !now.Before(b.reserveAt(now)) {
		return b.reserve(n, now)
	}
	return nil
}

// following returns the job after another one. A report then delays no caller
// that came to an idle limiter.
func (b *Bucket) following(now time.Time) job {
	if _, down := b.outage(now); !down && b.server.startReport(now) {
		return b.report
	}
	return b.next(now)
}

// wanted returns how many slots the callers at the head of the queue lack.
func (b *Bucket) wanted() int { return min(b.waiters.length-len(b.slots), b.chunk) }

// reserveAt returns when to reserve more slots: so early that the response is
// there when the last slot has been used.
func (b *Bucket) reserveAt(now time.Time) time.Time {
	if len(b.slots) == 0 {
		return now
	}
	return b.slots[len(b.slots)-1].at.Add(-maxLate - b.server.lead())
}

// reserve reserves n slots. With none, it finds out whether Redis is available.
func (b *Bucket) reserve(n int, now time.Time) job {
	wasLocal := 0
	if !b.local.IsZero() && now.Sub(b.local) < 2*time.Second {
		wasLocal = 1
	}
	lead := b.server.lead()
	args := []any{n, strconv.FormatFloat(b.interval, 'g', -1, 64), b.rest(), b.patience(n, now), wasLocal, returnPause.Microseconds(),
		lead.Microseconds(), b.lost, b.lostFrom}
	b.lost = 0
	return func() func(time.Time) {
		sent := time.Now()
		reply, err := b.server.run(reserveScript, b.key, args...)
		arrived := time.Now()
		return func(now time.Time) {
			if err == nil && len(reply) != 4 {
				err = errReply
			}
			if err != nil {
				b.fail(err, now)
				return
			}
			if n == 0 {
				b.server.back()
			}
			b.local = time.Time{}
			at := b.server.at(reply[0], sent, arrived)
			b.reserved(at, lead, reply)
			b.rejectLate(at.Add(lead), now)
		}
	}
}

// patience returns the longest time, in µs, that any of the next n callers
// without a slot can wait; -1 if one can wait for any time.
func (b *Bucket) patience(n int, now time.Time) int64 {
	longest := time.Duration(0)
	w := b.waiters.first
	for i := 0; w != nil && i < len(b.slots)+n; i, w = i+1, w.next {
		if i < len(b.slots) {
			continue
		}
		if w.deadline.IsZero() {
			return -1
		}
		longest = max(longest, w.deadline.Sub(now))
	}
	return longest.Microseconds()
}

// reserved adds the slots of a reply, the first of them ahead µs after the time
// of Redis, but none earlier than lead after it. That time is at.
func (b *Bucket) reserved(at time.Time, lead time.Duration, reply []int64) {
	redisNow, ahead, n, version := reply[0], reply[1], int(reply[2]), reply[3]
	if version != b.version+1 { // another process has reserved in between
		b.own = 0
	}
	for i := range int64(n) {
		offset := b.offset(i)
		wait := max(lead.Microseconds(), ahead+offset)
		b.slots = append(b.slots, slot{
			at:   at.Add(time.Duration(wait) * time.Microsecond),
			due:  redisNow + wait,
			cost: b.offset(i+1) - offset,
		})
	}
	if n > 0 {
		b.own += n
		b.version = version
	}
	b.free = at.Add(time.Duration(ahead+b.offset(int64(n))) * time.Microsecond)
}

// rejectLate rejects the callers at the head of the queue whose slots come
// after their deadlines. Those behind them take their slots. Slots that are not
// reserved yet come at soonest or later.
func (b *Bucket) rejectLate(soonest, now time.Time) {
	w := b.waiters.first
	for i := 0; w != nil && i <= len(b.slots); {
		slot := later(b.free, soonest)
		if i < len(b.slots) {
			slot = b.slots[i].at
		}
		following := w.next
		if w.isLate(slot) {
			b.waiters.finish(w, late(b.name, slot.Sub(now)))
		} else {
			i++
		}
		w = following
	}
}

// returnSlots returns the slots that no caller waits for, if that is possible.
func (b *Bucket) returnSlots(down bool) job {
	n := min(len(b.slots), b.own)
	cost := int64(0)
	for _, s := range b.slots[len(b.slots)-n:] {
		cost += s.cost
	}
	b.slots, b.own = nil, 0
	if down || n == 0 {
		return nil
	}
	version := b.version
	return func() func(time.Time) {
		_, err := b.server.run(returnScript, b.key, version, cost)
		return func(now time.Time) {
			if err != nil {
				b.fail(err, now)
			}
		}
	}
}

// report records in Redis that this process uses the limit.
func (b *Bucket) report() func(time.Time) {
	err := b.server.report()
	return func(now time.Time) {
		if err != nil {
			b.fail(err, now)
		}
	}
}

// fail begins an outage, or makes it last.
func (b *Bucket) fail(err error, now time.Time) {
	if b.server.fail(now) {
		b.reported = fmt.Errorf("okru: okredis: Redis is unavailable, so this process stays within its share of the rate limit: %w", err)
	}
}

// setTimer sets the timer for the next step.
func (b *Bucket) setTimer(now time.Time) {
	if b.waiters.length == 0 {
		if b.timer != nil {
			b.timer.Stop()
		}
		return
	}
	wait := max(b.wakeAt(now).Sub(now), 0)
	if b.timer == nil {
		b.timer = time.AfterFunc(wait, func() { b.do(func(time.Time) {}) })
		return
	}
	b.timer.Reset(wait)
}

// wakeAt returns when the next step is due.
func (b *Bucket) wakeAt(now time.Time) time.Time {
	var at time.Time
	earlier := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if len(b.slots) > 0 {
		earlier(b.slots[0].at)
	}
	since, down := b.outage(now)
	switch {
	case down:
		slot, _ := b.localSlot(now, since)
		earlier(slot)
		if !b.busy {
			earlier(b.server.nextProbe(now))
		} else {
			earlier(now.Add(scriptTimeout))
		}
	case b.busy:
		earlier(b.asked.Add(scriptTimeout))
	case b.wanted() > 0:
		earlier(b.reserveAt(now))
	}
	return at
}

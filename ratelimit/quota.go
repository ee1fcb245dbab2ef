package ratelimit

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-okru/okru/internal/okcall"
)

// A quota (API code 11) is spent for one method, and nobody says until when.
// So calls of this method by this key pause, ever longer, with one call
// between two pauses; all other calls go on.
const (
	minQuotaPause = time.Second
	maxQuotaPause = 10 * time.Minute
	maxQuotas     = 10_000 // spent ones that are remembered
)

// quotas are those that are spent. The zero value has none.
type quotas struct {
	count atomic.Int32 // spares calls the lock while no quota is spent
	mu    sync.Mutex
	spent map[quotaKey]*quota
}

type quotaKey struct{ key, method string }

// quotaOf returns the key of the quota that r draws on, whose limiter has this
// key.
func quotaOf(r *http.Request, key string) quotaKey { return quotaKey{key, okcall.Method(r)} }

type quota struct {
	pause time.Duration
	began time.Time     // when the pause began, or the last call was let go alone
	until time.Time     // when the next one may
	over  chan struct{} // closed once the quota is no longer spent
}

func (q *quotas) pausing() bool { return q.count.Load() > 0 }

// wait returns when a call of id may go, or the end of ctx, and whether it is
// the one that goes alone. It refuses a call whose deadline comes before its
// turn.
func (q *quotas) wait(ctx context.Context, id quotaKey) (alone bool, err error) {
	for q.pausing() {
		s, left := q.turn(id)
		if s == nil || left <= 0 {
			return s != nil, nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < left {
			return false, &LimitedError{Wait: left, late: true, reason: "the quota of " + id.method + " is spent"}
		}
		if err := s.sleep(ctx, left); err != nil {
			return false, err
		}
	}
	return false, nil
}

// mayGo reports whether a call of id that did not have to wait may go still.
func (q *quotas) mayGo(id quotaKey) bool {
	s, left := q.turn(id)
	return s == nil || left <= 0
}

// turn returns the spent quota of id, and how long to wait for a turn. It gives
// the turn to the caller if it is time.
func (q *quotas) turn(id quotaKey) (s *quota, left time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s = q.spent[id]
	if s == nil {
		return nil, 0
	}
	now := time.Now()
	if left = s.until.Sub(now); left <= 0 {
		s.hold(now, s.pause) // the others, until it is known what becomes of this call
	}
	return s, left
}

func (s *quota) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.over:
	case <-ctx.Done():
	}
	return ctx.Err()
}

func (s *quota) hold(now time.Time, d time.Duration) { s.began, s.until = now, now.Add(d) }

// refused learns that a call of id was refused because the quota is spent. The
// pause is at least as long as the server asked for. A call that was sent
// before it began does not make it longer.
func (q *quotas) refused(id quotaKey, sent time.Time, asked time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	s := q.spent[id]
	switch {
	case s == nil:
		s = q.add(id)
	case sent.Before(s.began):
		return
	default:
		s.pause = min(2*s.pause, maxQuotaPause)
	}
	s.hold(now, max(s.pause, asked))
}

// answered learns that the quota of id let a call through.
func (q *quotas) answered(id quotaKey) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s := q.spent[id]; s != nil {
		q.remove(id, s)
	}
}

func (q *quotas) add(id quotaKey) *quota {
	if q.spent == nil {
		q.spent = make(map[quotaKey]*quota)
	}
	for old, s := range q.spent { // any one: a bound on memory, not a policy
		if len(q.spent) < maxQuotas {
			break
		}
		q.remove(old, s)
	}
	s := &quota{pause: minQuotaPause, over: make(chan struct{})}
	q.spent[id] = s
	q.count.Store(int32(len(q.spent)))
	return s
}

func (q *quotas) remove(id quotaKey, s *quota) {
	delete(q.spent, id)
	q.count.Store(int32(len(q.spent)))
	close(s.over)
}

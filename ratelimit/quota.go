package ratelimit

// This file pauses the calls of a method whose quota is spent.

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-okru/okru/internal/okcall"
)

// A quota (API code 11) is spent for one method, and the server does not say
// until when. The calls of this method with this key pause, longer each time,
// with one call, the probe, between two pauses. All other calls go on.
const (
	minQuotaPause = time.Second
	maxQuotaPause = maxRetryAfter
	maxQuotas     = 10_000 // spent ones that are remembered
)

// quotaState is what a response says about the quota of its method.
type quotaState int8

const (
	quotaUnknown quotaState = iota // the response says nothing about it
	quotaLeft                      // the call was accepted, or rejected for another reason
	quotaSpent                     // API code 11
)

// quotas are the spent quotas. The zero value has none.
type quotas struct {
	count atomic.Int32 // of spent: no lock is needed while it is 0
	mu    sync.Mutex
	spent map[quotaKey]*quota // those that are not known to be left again
}

// A quotaKey is the key of a limiter and a method: each pair has a quota.
type quotaKey struct{ key, method string }

// A quota is one that is spent.
type quota struct {
	pause time.Duration // the last one
	began time.Time     // when it began
	until time.Time     // when the next probe may go
	over  chan struct{} // closed when the quota is no longer spent
}

// wait returns when r, whose limiter has this key, may go, and whether it is
// the probe. It rejects a call whose deadline comes first.
func (q *quotas) wait(r *http.Request, key string) (probe bool, err error) {
	for q.count.Load() > 0 {
		id := quotaKey{key, okcall.Method(r)}
		s, left := q.turn(id)
		if s == nil || left <= 0 {
			return s != nil, nil
		}
		if deadline, ok := r.Context().Deadline(); ok && time.Until(deadline) < left {
			return false, &LimitedError{Wait: left, deadline: true, reason: "the quota of " + id.method + " is spent"}
		}
		if err := s.sleep(r.Context(), left); err != nil {
			return false, err
		}
	}
	return false, nil
}

// allows reports whether r may go now: its quota is not spent, or it is the
// probe.
func (q *quotas) allows(r *http.Request, key string) bool {
	if q.count.Load() == 0 {
		return true
	}
	s, left := q.turn(quotaKey{key, okcall.Method(r)})
	return s == nil || left <= 0
}

// turn returns the spent quota of id, and how long to wait for its next probe.
// If that is 0, the caller is the probe. Other calls then wait for its
// response, but not for long: it may never arrive.
func (q *quotas) turn(id quotaKey) (s *quota, left time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s = q.spent[id]
	if s == nil {
		return nil, 0
	}
	now := time.Now()
	if left = s.until.Sub(now); left <= 0 {
		s.until = now.Add(probeTimeout)
	}
	return s, left
}

// sleep returns after d, or earlier if the quota is no longer spent or ctx ends. The
// error is that of ctx.
func (s *quota) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.over:
	case <-ctx.Done():
	}
	return contextErr(ctx)
}

// note learns what the response to r says about the quota of its method.
func (q *quotas) note(r *http.Request, key string, o Outcome, state quotaState) {
	switch {
	case state == quotaSpent:
		q.pause(quotaKey{key, okcall.Method(r)}, o.Sent, o.RetryAfter)
	case state == quotaLeft && q.count.Load() > 0:
		q.mu.Lock()
		defer q.mu.Unlock()
		q.remove(quotaKey{key, okcall.Method(r)})
	}
}

// pause begins the next pause of id, which is at least as long as the server
// asked for. A call that was sent before the last pause began does not count.
func (q *quotas) pause(id quotaKey, sent time.Time, retryAfter time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.spent[id]
	switch {
	case s == nil:
		s = q.add(id)
	case sent.Before(s.began):
		return
	default:
		s.pause = min(2*s.pause, maxQuotaPause)
	}
	s.began = time.Now()
	s.until = s.began.Add(max(s.pause, retryAfter))
}

// add adds a spent quota. If there are too many, it forgets another, whose calls then
// go on as if it were not spent. The caller holds q.mu.
func (q *quotas) add(id quotaKey) *quota {
	if q.spent == nil {
		q.spent = make(map[quotaKey]*quota)
	}
	if len(q.spent) == maxQuotas {
		for old := range q.spent { // any: a bound on memory, not a policy
			q.remove(old)
			break
		}
	}
	s := &quota{pause: minQuotaPause, over: make(chan struct{})}
	q.spent[id] = s
	q.count.Store(int32(len(q.spent)))
	return s
}

// remove forgets the quota of id, and wakes the calls that wait for it. The caller
// holds q.mu.
func (q *quotas) remove(id quotaKey) {
	s := q.spent[id]
	if s == nil {
		return
	}
	delete(q.spent, id)
	q.count.Store(int32(len(q.spent)))
	close(s.over)
}

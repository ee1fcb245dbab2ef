package okredis

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/go-redsync/redsync/v4"
)

// The time between two tries to get a lock that is taken, at random so that
// callers do not try at the same moments. A renewal takes about 100 ms.
const minRetry, maxRetry = 20 * time.Millisecond, 60 * time.Millisecond

// acquire waits until it has the lock or ctx ends. It gives up if Redis fails,
// which redsync would not.
func acquire(ctx context.Context, m *redsync.Mutex) error {
	for {
		err := m.TryLockContext(ctx)
		if ctx.Err() != nil {
			if err == nil {
				_, _ = m.UnlockContext(context.WithoutCancel(ctx))
			}
			return ctx.Err()
		}
		if !isTaken(err) {
			return failure(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(minRetry + rand.N(maxRetry-minRetry)):
		}
	}
}

// isTaken reports whether err says that another owner has the lock.
func isTaken(err error) bool {
	_, taken := errors.AsType[*redsync.ErrTaken](err)
	return taken || errors.Is(err, redsync.ErrFailed)
}

// failure returns the error of Redis, without the text of redsync about nodes.
func failure(err error) error {
	if e, ok := errors.AsType[*redsync.RedisError](err); ok {
		return e.Err
	}
	return err
}

// keep renews the lease until stop is called, or the lock is lost. stop waits
// for a renewal that is under way.
func keep(m *redsync.Mutex, lease time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(lease / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if ok, err := m.ExtendContext(ctx); !ok && isLost(err) {
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// isLost reports whether an extension failed because the lock is no longer
// there, as opposed to because of Redis, which may be back in time.
func isLost(err error) bool {
	_, failed := errors.AsType[*redsync.RedisError](err)
	return !failed
}

// release releases the lock. If that fails, the lease frees it.
func release(m *redsync.Mutex, lease time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), lease)
	defer cancel()
	_, _ = m.UnlockContext(ctx)
}

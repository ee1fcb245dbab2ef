package storetest

// This file has the cases about the lock, which keeps two processes from renewing
// one session.

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// One holder excludes the other process, and other callers of its own.
func lockExcludes(k *kit) {
	unlock := k.lock(k.a)
	for _, s := range []oauth.Store{k.a, k.b} {
		second, err := k.tryLock(s, lockWait)
		switch {
		case err == nil:
			second()
			k.errorf("two callers hold the lock")
		case !errors.Is(err, context.DeadlineExceeded):
			k.errorf("Lock of a locked store: %v, want the error of the context", err)
		}
	}
	unlock()
	k.lock(k.b)()
}

// A lock that is released can be taken again at once, by each process.
func lockIsReleased(k *kit) {
	for range 5 {
		k.lock(k.a)()
		k.lock(k.b)()
	}
	unlock := k.lock(k.a)
	waiting := make(chan error, 1)
	go func() {
		defer close(waiting)
		unlock, err := k.tryLock(k.b, opTimeout)
		if err == nil {
			unlock()
		}
		waiting <- err
	}()
	time.Sleep(lockWait)
	unlock()
	if err := <-waiting; err != nil {
		k.errorf("Lock after an unlock: %v", err)
	}
}

// A caller whose context ends stops waiting, and holds no lock afterwards.
func lockEndsWithContext(k *kit) {
	unlock := k.lock(k.a)
	if _, err := k.tryLock(k.b, lockWait); err == nil {
		k.fatalf("two callers hold the lock")
	}
	unlock()
	time.Sleep(2 * lockWait) // a Lock that is still waiting would get it now
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	unlock, err := do(k, "Lock", opTimeout, func(context.Context) (func(), error) { return k.b.Lock(ctx) }, releaseLate)
	if err == nil && unlock != nil {
		unlock()
	} else if !errors.Is(err, context.Canceled) {
		k.errorf("Lock with a canceled context: %v, want context.Canceled", err)
	}
	k.cancelWaiting()
	time.Sleep(lockWait)
	k.lock(k.a)()
}

// cancelWaiting cancels a Lock that waits with a context without a deadline.
func (k *kit) cancelWaiting() {
	defer k.lock(k.a)()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(lockWait, cancel)
	_, err := do(k, "Lock", lockWait, func(context.Context) (func(), error) { return k.b.Lock(ctx) }, releaseLate)
	if !errors.Is(err, context.Canceled) {
		k.errorf("Lock whose context is canceled while it waits: %v, want context.Canceled", err)
	}
}

// Many callers of two processes never hold the lock at the same time.
func lockUnderLoad(k *kit) {
	var holders atomic.Int32
	var callers sync.WaitGroup
	stores := [2]oauth.Store{k.a, k.b}
	for i := range 8 {
		s := stores[i%2]
		callers.Go(func() {
			for range 3 {
				unlock, err := k.tryLock(s, 4*opTimeout)
				if err != nil {
					k.errorf("Lock: %v", err)
					return
				}
				if holders.Add(1) > 1 {
					k.errorf("two callers hold the lock")
				}
				time.Sleep(time.Millisecond)
				holders.Add(-1)
				unlock()
			}
		})
	}
	callers.Wait()
}

// The lock of a killed holder ends. If the holder lives after all, it can
// neither save, delete, nor release the lock of the next one, also after that
// one has released it.
func holderIsKilled(k *kit) {
	if k.config.expire == nil {
		k.skip("there is no option Expire")
	}
	k.save(k.a, session("A"))
	late := k.lock(k.a)
	k.config.expire(k.t, k.a)
	unlock, err := k.tryLock(k.b, opTimeout)
	if err != nil {
		k.fatalf("Lock after the holder was killed: %v", err)
	}
	if err := k.trySave(k.b, session("B")); err != nil {
		k.errorf("Save by the new holder: %v", err)
	}
	k.wantNoLateWrite("holds the lock")
	unlock()
	k.wantNoLateWrite("has released the lock")
	unlock = k.lock(k.b)
	late()
	if second, err := k.tryLock(k.a, lockWait); err == nil {
		second()
		k.errorf("a holder that has lost the lock releases that of the next one")
	}
	unlock()
	k.lock(k.a)()
}

// wantNoLateWrite reports a problem if a, which has lost the lock, can change
// the session B of b.
func (k *kit) wantNoLateWrite(next string) {
	if err := k.trySave(k.a, session("late")); err == nil {
		k.errorf("a holder that has lost the lock can save while the next one %s", next)
	}
	if _, ok := k.a.(oauth.Deleter); ok && k.tryDelete(k.a) == nil {
		k.errorf("a holder that has lost the lock can delete while the next one %s", next)
	}
	k.wantStored(k.b, session("B"))
}

// Two Sources whose session was rejected renew it once.
func oneRenewal(k *kit) {
	old := &oauth2.Token{AccessToken: "old"}
	k.save(k.a, old)
	grant := new(countingGrant)
	var sources [2]*oauth.Source
	for i, s := range []oauth.Store{k.a, k.b} {
		sources[i] = oauth.NewSource(grant, oauth.Options{Store: s, Timeout: opTimeout})
		if _, err := sources[i].Token(); err != nil {
			k.fatalf("a Source over the store: %v", err)
		}
		sources[i].Invalidate(old)
	}
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			if t, err := sources[i%2].Token(); err != nil {
				k.errorf("a Source over the store: %v", err)
			} else if t.AccessToken != "new 1" {
				k.errorf("a Source has session %q, want %q", t.AccessToken, "new 1")
			}
		})
	}
	callers.Wait()
	if n := grant.n.Load(); n != 1 {
		k.errorf("%d renewals by two processes, want 1", n)
	}
}

// A countingGrant returns a new session each time.
type countingGrant struct{ n atomic.Int32 }

func (g *countingGrant) Token(context.Context) (*oauth2.Token, error) {
	time.Sleep(lockWait) // so that the other process waits for the lock
	return &oauth2.Token{AccessToken: fmt.Sprintf("new %d", g.n.Add(1))}, nil
}

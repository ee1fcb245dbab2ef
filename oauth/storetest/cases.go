package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/token"
	"github.com/go-okru/okru/oauth"
)

// A testCase is one requirement.
type testCase struct {
	name string
	run  func(*kit)
}

var allCases = []testCase{
	{"EmptyStore", emptyStore},
	{"KeepsEverything", keepsEverything},
	{"SaveReplaces", saveReplaces},
	{"KeepsCopies", keepsCopies},
	{"SaveIsAtomic", saveIsAtomic},
	{"EndedContext", endedContext},
	{"LockExcludes", lockExcludes},
	{"LockIsReleased", lockIsReleased},
	{"LockEndsWithContext", lockEndsWithContext},
	{"LockUnderLoad", lockUnderLoad},
	{"Delete", deletes},
	{"Corrupt", corrupted},
	{"HolderIsKilled", holderIsKilled},
	{"OneRenewal", oneRenewal},
}

// session returns a session with everything that a session may have.
func session(access string) *oauth2.Token {
	t := &oauth2.Token{
		AccessToken: access, TokenType: token.TokenType, RefreshToken: "refresh " + access, ExpiresIn: 1800,
		Expiry: time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	return t.WithExtra(map[string]any{
		param.SessionSecretKey: "0123456789", // digits must not become a number
		token.MarkApplication:  "application " + access,
		token.MarkChain:        "chain " + access,
	})
}

// problem returns how got differs from want; "": it does not.
func problem(got, want *oauth2.Token) string {
	switch {
	case got == nil:
		return "nothing is stored"
	case got.AccessToken != want.AccessToken:
		return fmt.Sprintf("access token is %q, want %q", got.AccessToken, want.AccessToken)
	case got.RefreshToken != want.RefreshToken:
		return fmt.Sprintf("refresh token is %q, want %q", got.RefreshToken, want.RefreshToken)
	case got.TokenType != want.TokenType:
		return fmt.Sprintf("token type is %q, want %q", got.TokenType, want.TokenType)
	case got.ExpiresIn != want.ExpiresIn:
		return fmt.Sprintf("ExpiresIn is %d, want %d", got.ExpiresIn, want.ExpiresIn)
	case !got.Expiry.Equal(want.Expiry):
		return fmt.Sprintf("expiry is %v, want %v", got.Expiry, want.Expiry)
	}
	for _, name := range []string{param.SessionSecretKey, token.MarkApplication, token.MarkChain} {
		if got.Extra(name) != want.Extra(name) {
			return fmt.Sprintf("extra %s is %#v, want %#v", name, got.Extra(name), want.Extra(name))
		}
	}
	return ""
}

func (k *kit) load(s oauth.Store) (*oauth2.Token, error) {
	return do(k, "Load", opTimeout, s.Load, nil)
}

// wantStored reports a problem unless s has want; nil: nothing.
func (k *kit) wantStored(s oauth.Store, want *oauth2.Token) {
	got, err := k.load(s)
	switch {
	case err != nil:
		k.errorf("Load: %v", err)
	case want == nil && got != nil:
		k.errorf("Load returns a session, want none")
	case want != nil:
		if p := problem(got, want); p != "" {
			k.errorf("after Save, Load returns another session: %s", p)
		}
	}
}

func (k *kit) trySave(s oauth.Store, t *oauth2.Token) error {
	_, err := do(k, "Save", opTimeout, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.Save(ctx, t) }, nil)
	return err
}

// lock locks s, or ends the case.
func (k *kit) lock(s oauth.Store) (unlock func()) {
	unlock, err := k.tryLock(s, opTimeout)
	if err != nil {
		k.fatalf("Lock: %v", err)
	}
	return unlock
}

// tryLock locks s. The unlock that it returns ends the case if it hangs.
func (k *kit) tryLock(s oauth.Store, timeout time.Duration) (unlock func(), err error) {
	release, err := do(k, "Lock", timeout, s.Lock, func(release func()) {
		if release != nil {
			release()
		}
	})
	if err != nil {
		return nil, err
	}
	if release == nil {
		k.fatalf("Lock returns neither a function nor an error")
	}
	return func() {
		_, _ = do(k, "unlock", opTimeout, func(context.Context) (struct{}, error) { release(); return struct{}{}, nil }, nil)
	}, nil
}

// save saves t with the lock, as a Source does.
func (k *kit) save(s oauth.Store, t *oauth2.Token) {
	unlock := k.lock(s)
	defer unlock()
	if err := k.trySave(s, t); err != nil {
		k.fatalf("Save: %v", err)
	}
}

// An empty store has no session, and that is no error.
func emptyStore(k *kit) {
	k.wantStored(k.a, nil)
	k.wantStored(k.b, nil)
}

// What one process saves another loads, completely.
func keepsEverything(k *kit) {
	k.save(k.a, session("A"))
	k.wantStored(k.b, session("A"))
	k.wantStored(k.a, session("A"))
	bare := &oauth2.Token{AccessToken: "B"} // no expiry, no secret, no marks
	k.save(k.b, bare)
	k.wantStored(k.a, bare)
}

// A save leaves nothing of the session before.
func saveReplaces(k *kit) {
	k.save(k.a, session(strings.Repeat("long", 1000)))
	for _, access := range []string{"B", "C"} {
		k.save(k.b, session(access))
		k.wantStored(k.a, session(access))
	}
	k.save(k.a, &oauth2.Token{AccessToken: "D", TokenType: token.TokenType})
	k.wantStored(k.b, &oauth2.Token{AccessToken: "D", TokenType: token.TokenType})
}

// The caller's token and that of the store are different variables.
func keepsCopies(k *kit) {
	t := session("A")
	k.save(k.a, t)
	t.AccessToken = "changed after Save"
	k.wantStored(k.a, session("A"))
	got, err := k.load(k.a)
	if err != nil || got == nil {
		k.fatalf("Load: %v, %v", got, err)
	}
	got.AccessToken = "changed after Load"
	k.wantStored(k.a, session("A"))
}

// A reader sees the old session or the new one, nothing else.
func saveIsAtomic(k *kit) {
	k.save(k.a, session("0"))
	var stop atomic.Bool
	var reading sync.WaitGroup
	reading.Go(func() {
		for !stop.Load() {
			got, err := k.load(k.b)
			if err != nil || got == nil {
				k.errorf("Load during a Save: %v, %v", got, err)
				return
			}
			if p := problem(got, session(got.AccessToken)); p != "" {
				k.errorf("Load during a Save returns a mixture: %s", p)
				return
			}
		}
	})
	defer reading.Wait()
	defer stop.Store(true)
	for i := range 30 {
		k.save(k.a, session(strings.Repeat("x", 1+i*500)))
	}
}

// With a context that has ended, an operation returns, and a Save that fails
// changes nothing.
func endedContext(k *kit) {
	k.save(k.a, session("A"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _ = do(k, "Load", opTimeout, func(context.Context) (*oauth2.Token, error) { return k.a.Load(ctx) }, nil)
	_, err := do(k, "Save", opTimeout, func(context.Context) (struct{}, error) { return struct{}{}, k.a.Save(ctx, session("B")) }, nil)
	if err != nil {
		k.wantStored(k.b, session("A"))
	}
}

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
	k.lock(k.a)()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	unlock, err := do(k, "Lock", opTimeout, func(context.Context) (func(), error) { return k.b.Lock(ctx) }, nil)
	if err == nil && unlock != nil {
		unlock()
	} else if !errors.Is(err, context.Canceled) {
		k.errorf("Lock with a canceled context: %v, want context.Canceled", err)
	}
	k.lock(k.a)()
}

// Many callers of two processes never hold the lock at the same time.
func lockUnderLoad(k *kit) {
	var holders atomic.Int32
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			s := k.a
			if i%2 == 1 {
				s = k.b
			}
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

// Delete deletes for every process. What is saved later is stored again.
func deletes(k *kit) {
	deleter, ok := k.a.(oauth.Deleter)
	if !ok {
		k.skip("the store has no method Delete")
	}
	remove := func() {
		unlock := k.lock(k.a)
		defer unlock()
		_, err := do(k, "Delete", opTimeout, func(ctx context.Context) (struct{}, error) { return struct{}{}, deleter.Delete(ctx) }, nil)
		if err != nil {
			k.errorf("Delete: %v", err)
		}
	}
	remove() // of nothing
	k.save(k.a, session("A"))
	remove()
	k.wantStored(k.a, nil)
	k.wantStored(k.b, nil)
	remove() // again
	k.save(k.b, session("B"))
	k.wantStored(k.a, session("B"))
}

// Damaged content is ErrCorrupt, and a save repairs it.
func corrupted(k *kit) {
	if k.config.corrupt == nil {
		k.skip("there is no option Corrupt")
	}
	k.save(k.a, session("A"))
	k.config.corrupt(k.t, k.a)
	if got, err := k.load(k.b); !errors.Is(err, oauth.ErrCorrupt) {
		k.errorf("Load of damaged content: %v, %v; want oauth.ErrCorrupt", got != nil, err)
	}
	k.save(k.b, session("B"))
	k.wantStored(k.a, session("B"))
}

// The lock of a killed holder ends. If the holder lives after all, it can
// neither save nor release the lock of the next one.
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
	if err := k.trySave(k.a, session("late")); err == nil {
		k.errorf("a holder that has lost the lock can save")
	}
	k.wantStored(k.b, session("B"))
	late()
	if second, err := k.tryLock(k.a, lockWait); err == nil {
		second()
		k.errorf("a holder that has lost the lock releases that of the next one")
	}
	unlock()
	k.lock(k.a)()
}

// Two Sources whose session was rejected renew it once.
func oneRenewal(k *kit) {
	old := &oauth2.Token{AccessToken: "old", RefreshToken: "R"}
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
	return &oauth2.Token{AccessToken: fmt.Sprintf("new %d", g.n.Add(1)), RefreshToken: "R"}, nil
}

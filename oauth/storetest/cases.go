package storetest

// This file has the cases about loading, saving and deleting a session.

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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
	{"ConcurrentUse", concurrentUse},
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

// otherExtra is an extra of which this module knows nothing: a grant keeps all
// fields of a response. Its value has what must be quoted in some storage.
const otherExtra = "permissions_granted"

// session returns a session with everything that a session may have.
func session(access string) *oauth2.Token {
	t := &oauth2.Token{
		AccessToken: access, TokenType: token.TokenType, RefreshToken: "refresh " + access, ExpiresIn: 1800,
		Expiry: time.Date(2040, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3*60*60)),
	}
	return t.WithExtra(map[string]any{
		otherExtra:             "VALUABLE_ACCESS;%s ?1 'Анна' \"\\",
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
	case got.Expiry.Sub(want.Expiry).Abs() >= time.Second:
		return fmt.Sprintf("expiry is %v, want %v", got.Expiry, want.Expiry)
	}
	for _, name := range []string{param.SessionSecretKey, token.MarkApplication, token.MarkChain, otherExtra} {
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
	release, err := do(k, "Lock", timeout, s.Lock, releaseLate)
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

// releaseLate releases a lock that came after the case gave it up.
func releaseLate(unlock func()) {
	if unlock != nil {
		unlock()
	}
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
	long := session(strings.Repeat("long", 1000))
	k.save(k.a, long)
	k.wantStored(k.b, long)
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
		k.fatalf("Load: %v, %v", got != nil, err)
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
				k.errorf("Load during a Save: %v, %v", got != nil, err)
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

// Callers of one Store that load while one saves see the sessions in the order
// in which they were saved, and each only after its save has begun.
func concurrentUse(k *kit) {
	const sessions = 20
	k.save(k.a, session("100"))
	var begun atomic.Int64
	begun.Store(100)
	var stop atomic.Bool
	var reading sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			for last := int64(100); !stop.Load(); {
				got, err := k.load(k.a)
				if err != nil || got == nil {
					k.errorf("Load during a Save of the same Store: %v, %v", got != nil, err)
					return
				}
				n, _ := strconv.ParseInt(got.AccessToken, 10, 64)
				if n < last || n > begun.Load() {
					k.errorf("Load during a Save of the same Store returns session %q, want one of %d to %d", got.AccessToken, last, begun.Load())
					return
				}
				if p := problem(got, session(got.AccessToken)); p != "" {
					k.errorf("Load during a Save of the same Store returns a mixture: %s", p)
					return
				}
				last = n
			}
		})
	}
	defer reading.Wait()
	defer stop.Store(true)
	for n := int64(101); n <= 100+sessions; n++ {
		begun.Store(n)
		k.save(k.a, session(fmt.Sprint(n)))
		k.wantStored(k.a, session(fmt.Sprint(n)))
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

// tryDelete deletes what s has, which is a Deleter.
func (k *kit) tryDelete(s oauth.Store) error {
	_, err := do(k, "Delete", opTimeout, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.(oauth.Deleter).Delete(ctx) }, nil)
	return err
}

// Delete deletes for every process. What is saved later is stored again.
func deletes(k *kit) {
	if _, ok := k.a.(oauth.Deleter); !ok {
		k.skip("the store has no method Delete")
	}
	remove := func() {
		unlock := k.lock(k.a)
		defer unlock()
		if err := k.tryDelete(k.a); err != nil {
			k.errorf("Delete: %v", err)
		}
		if second, err := k.tryLock(k.b, lockWait); err == nil {
			second()
			k.errorf("Delete releases the lock")
		}
	}
	remove() // of nothing
	k.save(k.a, session("A"))
	k.wantStored(k.a, session("A")) // a store that remembers what it has loaded
	k.wantStored(k.b, session("A"))
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

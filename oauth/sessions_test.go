package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/oauth"
)

// A storage has the stores of many users. It is what processes share.
type storage struct {
	mu     sync.Mutex
	stores map[string]*memory
}

func (s *storage) store(key string) *memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stores == nil {
		s.stores = make(map[string]*memory)
	}
	if s.stores[key] == nil {
		s.stores[key] = newMemory(nil)
	}
	return s.stores[key]
}

func (m *memory) Delete(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note("delete")
	m.content = nil
	return nil
}

// options returns settings of Sessions over s whose sessions are renewed by g.
func (s *storage) options(g oauth.Grant) oauth.SessionsOptions {
	return oauth.SessionsOptions{
		Store: func(key string) oauth.Store { return s.store(key) },
		Grant: func(string) oauth.Grant { return g },
	}
}

func TestSessionsReturnOneSourcePerKey(t *testing.T) {
	s := oauth.NewSessions(oauth.SessionsOptions{})
	anna, err := s.Admit(t.Context(), "anna", token("A", "", 0))
	if err != nil {
		t.Fatal(err)
	}
	boris, err := s.Admit(t.Context(), "boris", token("B", "", 0))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		runtime.GC()
		if s.Source("anna") != anna || s.Source("boris") != boris || anna == boris {
			t.Fatal("a key has another Source than before")
		}
	}
	want(t, anna, "A")
	want(t, boris, "B")
	if again, err := s.Admit(t.Context(), "anna", token("A2", "", 0)); err != nil || again != anna {
		t.Errorf("Admit returns another Source: %v", err)
	}
	want(t, anna, "A2")
}

func TestSessionWithoutAStoreIsKept(t *testing.T) {
	s := oauth.NewSessions(oauth.SessionsOptions{Max: 1})
	for i := range 100 {
		if _, err := s.Admit(t.Context(), fmt.Sprint(i), token(fmt.Sprint("T", i), "", 0)); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	for i := range 100 {
		want(t, s.Source(fmt.Sprint(i)), fmt.Sprint("T", i))
	}
}

func TestUnknownKeyIsErrSignIn(t *testing.T) {
	shared := new(storage)
	s := oauth.NewSessions(shared.options(oauth.Refresh{ClientID: "1", ClientSecret: "2"}))
	wantErr(t, s.Source("unknown"), oauth.ErrSignIn)
	wantOps(t, shared.store("unknown"), "load") // no lock, so no file of a lock
	wantErr(t, oauth.NewSessions(oauth.SessionsOptions{}).Source("unknown"), oauth.ErrSignIn)
}

func TestAdmitSavesBeforeItReturns(t *testing.T) {
	shared := new(storage)
	s := oauth.NewSessions(shared.options(unclocked()))
	src, err := s.Admit(t.Context(), "anna", token("A", "", 0))
	if err != nil {
		t.Fatal(err)
	}
	wantOps(t, shared.store("anna"), "lock", "save A", "unlock")
	want(t, src, "A")
	want(t, oauth.NewSessions(shared.options(unclocked())).Source("anna"), "A") // another process
}

func TestFailedAdmitChangesNothing(t *testing.T) {
	for name, fault := range map[string]func(*memory){
		"lock": func(m *memory) { m.fault(nil, nil, errNetwork) },
		"save": func(m *memory) { m.fault(nil, errNetwork, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			shared := new(storage)
			s := oauth.NewSessions(shared.options(unclocked()))
			src, err := s.Admit(t.Context(), "anna", token("A", "", 0))
			if err != nil {
				t.Fatal(err)
			}
			fault(shared.store("anna"))
			if got, err := s.Admit(t.Context(), "anna", token("B", "", 0)); got != nil || !errors.Is(err, errNetwork) {
				t.Errorf("Admit: %v, %v; want the error of the store", got, err)
			}
			want(t, src, "A")
			if got := shared.store("anna").access(); got != "A" {
				t.Errorf("the store has %q", got)
			}
			shared.store("boris")
			fault(shared.store("boris"))
			if _, err := s.Admit(t.Context(), "boris", token("B", "", 0)); !errors.Is(err, errNetwork) {
				t.Errorf("first Admit: %v", err)
			}
		})
	}
	s := oauth.NewSessions(oauth.SessionsOptions{})
	for _, bad := range []*oauth2.Token{nil, {}, {RefreshToken: "R"}} {
		if _, err := s.Admit(t.Context(), "anna", bad); err == nil {
			t.Errorf("Admit accepts %v", bad)
		}
	}
}

func TestDismiss(t *testing.T) {
	for name, shared := range map[string]*storage{"with a store": {}, "in memory": nil} {
		t.Run(name, func(t *testing.T) {
			o := oauth.SessionsOptions{}
			if shared != nil {
				o = shared.options(oauth.Refresh{ClientID: "1", ClientSecret: "2"})
			}
			s := oauth.NewSessions(o)
			old, err := s.Admit(t.Context(), "anna", token("A", "", 0))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := s.Dismiss(t.Context(), "anna"); err != nil {
					t.Errorf("Dismiss: %v", err)
				}
				wantErr(t, old, oauth.ErrSignIn)
			}
			old.Replace(nil, token("X", "", 0))
			old.Invalidate(token("A", "", 0))
			wantErr(t, old, oauth.ErrSignIn)
			wantErr(t, s.Source("anna"), oauth.ErrSignIn)
			if shared != nil && shared.store("anna").access() != "" {
				t.Error("the store still has the session")
			}
			fresh, err := s.Admit(t.Context(), "anna", token("B", "", 0))
			if err != nil || fresh == old {
				t.Fatalf("Admit after Dismiss: %v; the same Source: %v", err, fresh == old)
			}
			want(t, fresh, "B")
			want(t, s.Source("anna"), "B")
			wantErr(t, old, oauth.ErrSignIn)
		})
	}
}

// plainStore hides the method Delete.
type plainStore struct{ oauth.Store }

func TestDismissNeedsADeleter(t *testing.T) {
	m := newMemory(nil)
	s := oauth.NewSessions(oauth.SessionsOptions{Store: func(string) oauth.Store { return plainStore{m} }})
	src, err := s.Admit(t.Context(), "anna", token("A", "", 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Dismiss(t.Context(), "anna"); err == nil || !strings.Contains(err.Error(), "Deleter") {
		t.Errorf("Dismiss: %v", err)
	}
	want(t, src, "A")
	want(t, s.Source("anna"), "A")
}

// undeletable is a store that fails to delete.
type undeletable struct{ *memory }

func (undeletable) Delete(context.Context) error { return errNetwork }

// A user whose session cannot be deleted stays signed in.
func TestDismissThatFails(t *testing.T) {
	for name, lockErr := range map[string]error{"Delete": nil, "Lock": errNetwork} {
		m := newMemory(nil)
		s := oauth.NewSessions(oauth.SessionsOptions{Store: func(string) oauth.Store { return undeletable{m} }})
		src, err := s.Admit(t.Context(), "anna", token("A", "", 0))
		if err != nil {
			t.Fatal(err)
		}
		m.fault(nil, nil, lockErr)
		if err := s.Dismiss(t.Context(), "anna"); !errors.Is(err, errNetwork) {
			t.Errorf("%s fails: the error of Dismiss is %v", name, err)
		}
		want(t, src, "A")
		if s.Source("anna") != src {
			t.Errorf("%s fails: the Source is forgotten", name)
		}
	}
}

// A renewal in progress does not restore the session of a dismissed user, and
// neither does a save that comes late.
func TestDismissDuringARenewal(t *testing.T) {
	for name, shared := range map[string]*storage{"with a store": {}, "in memory": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := numbered(time.Hour)
				o := oauth.SessionsOptions{Grant: func(string) oauth.Grant { return renewing{g} }}
				if shared != nil {
					o = shared.options(renewing{g})
				}
				s := oauth.NewSessions(o)
				src, err := s.Admit(t.Context(), "anna", token("A", "R", time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				g.delay = time.Second
				src.Invalidate(token("A", "", 0))
				var waiting sync.WaitGroup
				waiting.Go(func() {
					if got, err := src.Token(); err == nil && shared == nil {
						t.Errorf("a caller gets %s", got.AccessToken)
					}
				})
				time.Sleep(time.Second / 2)
				if err := s.Dismiss(t.Context(), "anna"); err != nil {
					t.Error(err)
				}
				waiting.Wait()
				time.Sleep(time.Minute)
				wantErr(t, src, oauth.ErrSignIn)
				if shared != nil && shared.store("anna").access() != "" {
					t.Errorf("the store has %q", shared.store("anna").access())
				}
			})
		})
	}
}

// Another process that waits for the lock, or comes later, finds the store empty
// and does not renew from memory.
func TestDismissedInAnotherProcess(t *testing.T) {
	for name, change := range map[string]func(*oauth.Source){
		"renewal": func(s *oauth.Source) { s.Invalidate(token("A", "", 0)) },
		"Replace": func(s *oauth.Source) { s.Replace(token("A", "", 0), token("N", "", 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared, g := new(storage), numbered(time.Hour)
				first := oauth.NewSessions(shared.options(renewing{g}))
				second := oauth.NewSessions(shared.options(renewing{g}))
				if _, err := first.Admit(t.Context(), "anna", token("A", "R", time.Hour)); err != nil {
					t.Fatal(err)
				}
				src := second.Source("anna")
				want(t, src, "A")
				if err := first.Dismiss(t.Context(), "anna"); err != nil {
					t.Fatal(err)
				}
				change(src)
				synctest.Wait()
				for range 3 {
					wantErr(t, src, oauth.ErrSignIn)
					time.Sleep(time.Minute)
				}
				if got := shared.store("anna").access(); got != "" {
					t.Errorf("the store has %q again", got)
				}
				wantCalls(t, g, 0)
				if _, err := first.Admit(t.Context(), "anna", token("B", "", 0)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				want(t, src, "B") // it was not dismissed here
			})
		})
	}
}

func TestAdmitDuringARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared, g := new(storage), numbered(time.Hour)
		s := oauth.NewSessions(shared.options(renewing{g}))
		src, err := s.Admit(t.Context(), "anna", token("A", "R", time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		g.delay = time.Second
		src.Invalidate(token("A", "", 0))
		go func() { _, _ = src.Token() }()
		synctest.Wait()
		if again, err := s.Admit(t.Context(), "anna", token("B", "", 0)); err != nil || again != src {
			t.Fatal(again, err)
		}
		time.Sleep(time.Minute)
		want(t, src, "B")
		if got := shared.store("anna").access(); got != "B" {
			t.Errorf("the store has %q", got)
		}
	})
}

func TestSessionsAreEvictedToTheStore(t *testing.T) {
	shared := new(storage)
	o := shared.options(unclocked())
	o.Max = 2
	s := oauth.NewSessions(o)
	loads := func(key string) (n int) {
		for _, op := range shared.store(key).ops() {
			if op == "load" {
				n++
			}
		}
		return n
	}
	for _, key := range []string{"a", "b", "c"} {
		if _, err := s.Admit(t.Context(), key, token("T-"+key, "", 0)); err != nil {
			t.Fatal(err)
		}
		loads(key)
	}
	collect()
	want(t, s.Source("b"), "T-b")
	want(t, s.Source("c"), "T-c")
	if loads("b")+loads("c") != 0 {
		t.Error("a recently used session was evicted")
	}
	want(t, s.Source("a"), "T-a")
	if loads("a") != 1 {
		t.Error("the session that was not used for longest was not evicted")
	}
	// b is the oldest now, but a caller refers to its Source.
	b := s.Source("b")
	want(t, s.Source("c"), "T-c")
	want(t, s.Source("a"), "T-a")
	collect()
	if s.Source("b") != b {
		t.Error("a Source that a caller refers to has a second one beside it")
	}
}

// The Source that was not used for longest is evicted, except for one that is busy.
func TestSessionsEvictTheOldest(t *testing.T) {
	for name, test := range map[string]struct {
		max     int // 0: the default
		store   bool
		busy    bool // a cannot be saved
		used    string
		evicted string
	}{
		"none is used again": {max: 3, store: true, evicted: "a"},
		"a is used again":    {max: 3, store: true, used: "a", evicted: "b"},
		"a is busy":          {max: 3, store: true, busy: true, evicted: "b"},
		"no bound":           {max: -1, store: true},
		"the default bound":  {store: true},
		"no store":           {max: 1},
	} {
		t.Run(name, func(t *testing.T) {
			shared := new(storage)
			var h hooks
			o := oauth.SessionsOptions{Max: test.max, Options: h.options(newMemory(nil))}
			if test.store {
				o.Store = func(key string) oauth.Store { return shared.store(key) }
			}
			s := oauth.NewSessions(o)
			freed := make(chan string, 4)
			for _, key := range []string{"a", "b", "c", "d"} {
				src, err := s.Admit(t.Context(), key, token("T-"+key, "", 0))
				if err != nil {
					t.Fatal(err)
				}
				if key == "a" && test.busy {
					shared.store("a").fault(nil, errNetwork, nil)
					src.Replace(nil, token("T-a", "", 0))
				}
				if key == "c" && test.used != "" {
					want(t, s.Source(test.used), "T-"+test.used)
				}
				runtime.AddCleanup(src, func(key string) { freed <- key }, key)
			}
			evicted := collected(freed, len(test.evicted))
			if evicted != test.evicted {
				t.Errorf("%q was evicted, want %q", evicted, test.evicted)
			}
			runtime.KeepAlive(s)
		})
	}
}

// A user who was signed out takes no memory.
func TestSignedOutUsersAreForgotten(t *testing.T) {
	for name, signOut := range map[string]func(s *oauth.Sessions, shared *storage){
		"by Dismiss": func(s *oauth.Sessions, _ *storage) {
			if err := s.Dismiss(t.Context(), "anna"); err != nil {
				t.Error(err)
			}
		},
		"in another process": func(s *oauth.Sessions, shared *storage) {
			shared.store("anna").put(nil)
			s.Source("anna").Invalidate(token("A", "", 0))
			wantErr(t, s.Source("anna"), oauth.ErrSignIn)
		},
		"before new keys are saved": func(s *oauth.Sessions, shared *storage) {
			shared.store("anna").put(nil)
			s.Source("anna").Replace(token("A", "", 0), token("N", "", 0))
		},
	} {
		shared := new(storage)
		s := oauth.NewSessions(shared.options(unclocked()))
		freed := make(chan string, 1)
		src, err := s.Admit(t.Context(), "anna", token("A", "", 0))
		if err != nil {
			t.Fatal(err)
		}
		runtime.AddCleanup(src, func(key string) { freed <- key }, "anna")
		src = nil
		signOut(s, shared)
		if collected(freed, 1) == "" {
			t.Errorf("the Source of a user who was signed out %s is still in memory", name)
		}
		runtime.KeepAlive(s)
	}
}

// A user who signs in while being signed out is signed in afterwards.
func TestAdmitBehindADismiss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := new(storage)
		s := oauth.NewSessions(shared.options(nil))
		unlock, err := shared.store("anna").Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		old := s.Source("anna")
		var both sync.WaitGroup
		both.Go(func() {
			if err := s.Dismiss(t.Context(), "anna"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		both.Go(func() {
			src, err := s.Admit(t.Context(), "anna", token("A", "", 0))
			if err != nil || src == old {
				t.Errorf("Admit returns the old Source: %t (%v)", src == old, err)
				return
			}
			want(t, src, "A")
		})
		synctest.Wait()
		unlock()
		both.Wait()
		wantErr(t, old, oauth.ErrSignIn)
		if got := shared.store("anna").access(); got != "A" {
			t.Errorf("the store has %q", got)
		}
	})
}

// A meanwhile is a context at whose first use something else happens.
type meanwhile struct {
	context.Context
	once sync.Once
	do   func()
}

func (c *meanwhile) Deadline() (time.Time, bool) {
	c.once.Do(c.do)
	return c.Context.Deadline()
}

// Dismiss may come between two steps of Admit, also without a store.
func TestDismissDuringAdmit(t *testing.T) {
	s := oauth.NewSessions(oauth.SessionsOptions{})
	old := s.Source("anna")
	src, err := s.Admit(&meanwhile{Context: t.Context(), do: func() {
		if err := s.Dismiss(context.Background(), "anna"); err != nil {
			t.Error(err)
		}
	}}, "anna", token("A", "", 0))
	if err != nil || src == old {
		t.Fatalf("Admit returns the old Source: %t (%v)", src == old, err)
	}
	want(t, src, "A")
	wantErr(t, old, oauth.ErrSignIn)
}

// The session of a renewal is discarded if the user signs in meanwhile, and OnToken
// does not hear of it.
func TestAdmitDuringARenewalWithoutAStore(t *testing.T) {
	for name, end := range map[string]func(s *oauth.Sessions) error{
		"Admit": func(s *oauth.Sessions) error {
			_, err := s.Admit(context.Background(), "anna", token("B", "", 0))
			return err
		},
		"Dismiss": func(s *oauth.Sessions) error { return s.Dismiss(context.Background(), "anna") },
	} {
		synctest.Test(t, func(t *testing.T) {
			g := numbered(0)
			g.delay = time.Second
			var h hooks
			s := oauth.NewSessions(oauth.SessionsOptions{Grant: func(string) oauth.Grant { return g }, Options: h.options(nil)})
			src, err := s.Admit(t.Context(), "anna", token("A", "", 0))
			if err != nil {
				t.Fatal(err)
			}
			src.Invalidate(token("A", "", 0))
			go func() { _, _ = src.Token() }()
			synctest.Wait()
			if err := end(s); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * time.Second)
			wantCalls(t, g, 1)
			if name == "Admit" {
				want(t, s.Source("anna"), "B")
			} else {
				wantErr(t, src, oauth.ErrSignIn)
			}
			if len(h.tokens) != 0 {
				t.Errorf("%s: OnToken heard of %v", name, h.tokens)
			}
		})
	}
}

// Admit and Dismiss wait for the lock until their context ends, and no longer than
// Options.Timeout.
func TestAdmitAndDismissWaitForTheLock(t *testing.T) {
	for _, test := range []struct{ timeout, want time.Duration }{{0, 30 * time.Second}, {time.Second, time.Second}, {time.Hour, time.Minute}, {-1, time.Minute}} {
		for name, call := range map[string]func(ctx context.Context, s *oauth.Sessions) error{
			"Admit": func(ctx context.Context, s *oauth.Sessions) error {
				_, err := s.Admit(ctx, "anna", token("B", "", 0))
				return err
			},
			"Dismiss": func(ctx context.Context, s *oauth.Sessions) error { return s.Dismiss(ctx, "anna") },
		} {
			synctest.Test(t, func(t *testing.T) {
				shared := new(storage)
				o := shared.options(nil)
				o.Options.Timeout = test.timeout
				s := oauth.NewSessions(o)
				unlock, err := shared.store("anna").Lock(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer unlock()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				start := time.Now()
				if err := call(ctx, s); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != test.want {
					t.Errorf("%s with Timeout %v: %v after %v, want the deadline after %v", name, test.timeout, err, time.Since(start), test.want)
				}
			})
		}
	}
}

// A Source that gets its session by Replace is kept as well.
func TestReplacedSessionIsKept(t *testing.T) {
	s := oauth.NewSessions(oauth.SessionsOptions{})
	s.Source("anna").Replace(nil, token("A", "", 0))
	collect()
	want(t, s.Source("anna"), "A")
}

// A session that comes after the timeout is kept, although no caller refers to its
// Source any more.
func TestLateSessionIsKept(t *testing.T) {
	g := &oneLate{end: make(chan struct{}), late: token("late", "R", 0), next: failing(errNetwork)}
	s := oauth.NewSessions(oauth.SessionsOptions{Grant: func(string) oauth.Grant { return g }, Options: oauth.Options{Timeout: time.Millisecond}})
	src := s.Source("anna")
	wantErr(t, src, context.DeadlineExceeded)
	close(g.end)
	for range 1000 {
		if _, err := src.Token(); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	collect() // what adopted the session has ended
	src = nil
	collect()
	want(t, s.Source("anna"), "late")
}

// Options.Store is not that of a user.
func TestSessionsIgnoreTheStoreOfOptions(t *testing.T) {
	m := newMemory(token("of another", "", 0))
	s := oauth.NewSessions(oauth.SessionsOptions{Options: oauth.Options{Store: m}})
	wantErr(t, s.Source("anna"), oauth.ErrSignIn)
	wantOps(t, m)
}

// collect runs the cleanups of what nothing refers to.
func collect() {
	for range 3 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

// collected returns what cleanups have sent, when there are n or after a while.
func collected(freed chan string, n int) (all string) {
	for range 100 {
		if collect(); len(freed) >= n {
			break
		}
	}
	for len(freed) > 0 {
		all += <-freed
	}
	return all
}

// A session that is only in memory, because it could not be saved, stays there.
func TestUnsavedSessionIsNotEvicted(t *testing.T) {
	shared := new(storage)
	g := numbered(time.Hour)
	o := shared.options(renewing{g})
	o.Max = 1
	s := oauth.NewSessions(o)
	anna, err := s.Admit(t.Context(), "anna", token("A", "R", time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	shared.store("anna").fault(nil, errNetwork, nil)
	anna.Invalidate(token("A", "", 0))
	want(t, anna, "T1")
	anna = nil
	for i := range 10 {
		if _, err := s.Admit(t.Context(), fmt.Sprint(i), token("T", "", 0)); err != nil {
			t.Fatal(err)
		}
	}
	collect()
	want(t, s.Source("anna"), "T1")
}

func TestLimitKeyIsTheSameInEveryProcess(t *testing.T) {
	key := func(s okcall.LimitKeyer) string { return s.LimitKey() }
	a, b := oauth.NewSessions(oauth.SessionsOptions{}), oauth.NewSessions(oauth.SessionsOptions{})
	anna := key(a.Source("anna"))
	if anna == "" || anna != key(b.Source("anna")) || anna == key(a.Source("boris")) || strings.Contains(anna, "anna") {
		t.Errorf("keys are %q, %q and %q", anna, key(b.Source("anna")), key(a.Source("boris")))
	}
	if want := sha256Hex("session anna"); anna != want {
		t.Errorf("the key is %q, want %q, as in every version", anna, want)
	}
	if got := key(oauth.NewSource(nil, oauth.Options{})); got != "" {
		t.Errorf("a Source of no Sessions has key %q", got)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Keys that are made up cost no memory.
func TestUnknownKeysAreForgotten(t *testing.T) {
	s := oauth.NewSessions(oauth.SessionsOptions{Store: func(string) oauth.Store { return newMemory(nil) }})
	before := heap()
	for i := range 5_000 {
		wantErr(t, s.Source(fmt.Sprint("invented ", i)), oauth.ErrSignIn)
	}
	collect()
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("5,000 unknown keys take %d bytes", grown)
	}
	runtime.KeepAlive(s)
}

// Every method is called at the same time as every other.
func TestSessionsUnderConcurrentUse(t *testing.T) {
	shared := new(storage)
	o := shared.options(unclocked())
	o.Max, o.Options.CoolDown = 2, -1
	s := oauth.NewSessions(o)
	var users sync.WaitGroup
	for i := range 8 {
		users.Go(func() {
			for n := range 50 {
				key := fmt.Sprint(n % 5)
				switch (n + i) % 4 {
				case 0:
					if _, err := s.Admit(t.Context(), key, token(fmt.Sprint(i, n), "", 0)); err != nil {
						t.Error(err)
					}
				case 1:
					if err := s.Dismiss(t.Context(), key); err != nil {
						t.Error(err)
					}
				default:
					if got, err := s.Source(key).Token(); err == nil {
						s.Source(key).Invalidate(got)
						s.Source(key).Replace(got, token("N", "", 0))
						_ = s.Source(key).LimitKey()
					}
				}
			}
		})
	}
	users.Wait()
}

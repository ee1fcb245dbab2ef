package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// A session that could not be saved is saved by a later use, after the
// cool-down, until that succeeds; then no more.
func TestFailedSaveIsRepeated(t *testing.T) {
	fails := func(m *memory) { m.fault(nil, errNetwork, nil) }
	for name, test := range map[string]struct {
		fault func(*memory)
		begin func(*oauth.Source, *memory)
	}{
		"renewal": {fails, func(s *oauth.Source, m *memory) { _, _ = s.Token() }},
		"sign-in": {fails, func(s *oauth.Source, m *memory) { s.Replace(nil, token("T1", "R1", time.Hour)) }},
		"new keys": {fails, func(s *oauth.Source, m *memory) {
			m.fault(nil, nil, nil)
			got, _ := s.Token()
			fails(m)
			s.Replace(got, withSecret(token("T1", "", 0), "new"))
		}},
		"sign-in, locked": {func(m *memory) { m.fault(nil, nil, errNetwork) }, func(s *oauth.Source, m *memory) { s.Replace(nil, token("T1", "R1", time.Hour)) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hooks
				m := newMemory(nil)
				s := oauth.NewSource(numbered(time.Hour), h.options(m))
				test.fault(m)
				test.begin(s, m)
				synctest.Wait()
				if len(h.errs) != 1 || !errors.Is(h.errs[0], errNetwork) {
					t.Fatalf("OnError received %v, want one error of the store", h.errs)
				}
				m.ops()
				for range 10 { // within the cool-down
					want(t, s, "T1")
					synctest.Wait()
				}
				wantOps(t, m)
				time.Sleep(5 * time.Second)
				for range 10 { // it fails again
					want(t, s, "T1")
					synctest.Wait()
				}
				if len(h.errs) != 2 {
					t.Errorf("OnError received %v, want two errors", h.errs)
				}
				m.fault(nil, nil, nil)
				time.Sleep(5 * time.Second)
				want(t, s, "T1")
				synctest.Wait()
				if m.access() != "T1" || m.saves() == 0 {
					t.Errorf("the store has %q", m.access())
				}
				m.ops()
				time.Sleep(time.Minute)
				want(t, s, "T1")
				synctest.Wait()
				wantOps(t, m)
			})
		})
	}
}

// A later save does not overwrite what another process has saved since, and does
// not restore what was deleted.
func TestRepeatedSaveLooksAtTheStore(t *testing.T) {
	for name, test := range map[string]struct {
		stored *oauth2.Token
		signed bool // the Source still has its session
	}{
		"newer": {token("S", "R", 2*time.Hour), true},
		"gone":  {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(nil)
				s := oauth.NewSource(renewing{numbered(time.Hour)}, oauth.Options{Store: m})
				first := want(t, s, "T1")
				m.fault(nil, errNetwork, nil)
				s.Invalidate(first)
				want(t, s, "T2")
				m.put(test.stored)
				m.fault(nil, nil, nil)
				time.Sleep(5 * time.Second)
				want(t, s, "T2")
				synctest.Wait()
				if m.content != test.stored {
					t.Errorf("the store has %v", m.content)
				}
				if test.signed {
					want(t, s, "T2")
				} else {
					wantErr(t, s, oauth.ErrSignIn)
				}
			})
		})
	}
}

// deaf ignores its context at one step until the test ends it.
type deaf struct {
	*memory
	at   string
	end  chan struct{}
	used atomic.Int32
}

func (d *deaf) pass(at string) {
	if d.at == at && d.used.Add(1) == 1 { // hangs once
		<-d.end
	}
}

func (d *deaf) Load(ctx context.Context) (*oauth2.Token, error) {
	d.pass("Load")
	return d.memory.Load(ctx)
}

func (d *deaf) Save(ctx context.Context, t *oauth2.Token) error {
	d.pass("Save")
	return d.memory.Save(ctx, t)
}

func (d *deaf) Lock(ctx context.Context) (func(), error) {
	d.pass("Lock")
	unlock, err := d.memory.Lock(context.WithoutCancel(ctx))
	return func() { d.pass("unlock"); unlock() }, err
}

func (d *deaf) Delete(ctx context.Context) error {
	d.pass("Delete")
	return d.memory.Delete(ctx)
}

// A grant or a store that ignores its context does not run longer than the
// timeout, and does not block the Source.
func TestDeafGrantOrStore(t *testing.T) {
	for at, got := range map[string]bool{"Load": false, "Lock": false, "Token": false, "Save": true} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &deaf{memory: newMemory(nil), at: at, end: make(chan struct{})}
				g := numbered(time.Hour)
				s := oauth.NewSource(grantFunc(func(ctx context.Context) (*oauth2.Token, error) {
					d.pass("Token")
					return g.Token(ctx)
				}), oauth.Options{Store: d, Timeout: time.Second})
				start := time.Now()
				_, err := s.Token()
				if time.Since(start) > time.Second {
					t.Errorf("it took %v, want 1s", time.Since(start))
				}
				if (err == nil) != got || err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error is %v", err)
				}
				time.Sleep(5 * time.Second)
				want(t, s, "T1") // by another attempt, although the first has not returned
				close(d.end)
				synctest.Wait()
				want(t, s, "T1")
				unlock, err := d.memory.Lock(t.Context()) // the late lock was released
				if err != nil {
					t.Fatal(err)
				}
				unlock()
			})
		})
	}
}

// lockCounter counts the calls of Lock, which take long or, with a negative delay,
// until end is closed.
type lockCounter struct {
	*memory
	delay time.Duration
	end   chan struct{}
	calls atomic.Int32
}

func (m *lockCounter) Lock(ctx context.Context) (func(), error) {
	m.calls.Add(1)
	if m.delay < 0 {
		<-m.end
	}
	time.Sleep(max(m.delay, 0))
	return m.memory.Lock(ctx)
}

// A save that is in progress is not begun again, and those that hang are two at most.
func TestSavesThatHang(t *testing.T) {
	for _, test := range []struct {
		delay time.Duration
		uses  int
		locks int32
	}{{10 * time.Second, 9, 2}, {-1, 600, 2}} {
		synctest.Test(t, func(t *testing.T) {
			m := &lockCounter{memory: newMemory(nil), delay: test.delay, end: make(chan struct{})}
			m.fault(nil, errNetwork, nil)
			s := oauth.NewSource(nil, oauth.Options{Store: m})
			s.Replace(nil, token("T", "", 0))
			time.Sleep(time.Minute) // the first save has failed
			for range test.uses {
				want(t, s, "T")
				time.Sleep(time.Second)
			}
			if n := m.calls.Load(); n != test.locks {
				t.Errorf("with a delay of %v, the store was locked %d times, want %d", test.delay, n, test.locks)
			}
			close(m.end)
			time.Sleep(time.Minute)
		})
	}
}

// Calls that never return cost two goroutines, not one per cool-down.
func TestGrantThatNeverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		var calls atomic.Int32
		s := oauth.NewSource(grantFunc(func(context.Context) (*oauth2.Token, error) {
			n := calls.Add(1)
			<-end
			return token(fmt.Sprint("late ", min(n, 3)), "R", time.Hour), nil
		}), oauth.Options{Timeout: time.Second})
		for range 20 {
			wantErr(t, s, nil)
			time.Sleep(time.Minute)
		}
		if calls.Load() != 2 {
			t.Errorf("%d calls hang", calls.Load())
		}
		close(end)
		synctest.Wait()
		if got, err := s.Token(); err != nil || got.AccessToken == "late 3" { // a session that comes late is not lost
			t.Errorf("the session is %v (%v), want one that came late", got, err)
		}
	})
}

// A session that comes after the timeout is used, unless there is something newer.
func TestLateSessions(t *testing.T) {
	for name, test := range map[string]struct {
		late    *oauth2.Token
		between func(s *oauth.Source, g *oneLate) // between the timeout and the late session
		want    string                            // "": none
		heard   []string                          // by OnToken
	}{
		"a session":         {token("late", "R", 0), func(*oauth.Source, *oneLate) {}, "late", []string{"late"}},
		"nothing":           {nil, func(*oauth.Source, *oneLate) {}, "", nil},
		"no access token":   {new(oauth2.Token), func(*oauth.Source, *oneLate) {}, "", nil},
		"after a sign-in":   {token("late", "R", 0), func(s *oauth.Source, _ *oneLate) { s.Replace(nil, token("newer", "", 0)) }, "newer", []string{"newer"}},
		"after another one": {token("late", "R", 0), func(s *oauth.Source, g *oneLate) { g.next = unclocked(); _, _ = s.Token() }, "T1", []string{"T1"}},
		"during another one": {token("late", "R", 0), func(s *oauth.Source, g *oneLate) {
			g.next = unclocked()
			g.next.delay = 500 * time.Millisecond
			go func() { _, _ = s.Token() }()
			synctest.Wait()
		}, "T1", []string{"T1"}},
		"after the user must sign in": {token("late", "R", 0), func(s *oauth.Source, g *oneLate) { g.next = failing(oauth.ErrSignIn); _, _ = s.Token() }, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hooks
				g := &oneLate{end: make(chan struct{}), late: test.late}
				m := newMemory(nil)
				o := h.options(m)
				o.Timeout, o.CoolDown = time.Second, time.Nanosecond
				s := oauth.NewSource(g, o)
				wantErr(t, s, context.DeadlineExceeded)
				time.Sleep(time.Millisecond)
				test.between(s, g)
				close(g.end)
				synctest.Wait()
				time.Sleep(time.Second)
				g.next = failing(errNetwork)
				if test.want == "" {
					wantErr(t, s, nil)
				} else {
					want(t, s, test.want)
				}
				synctest.Wait()
				if !slices.Equal(h.tokens, test.heard) || m.access() != test.want {
					t.Errorf("OnToken heard of %q, and the store has %q; want %q and %q", h.tokens, m.access(), test.heard, test.want)
				}
			})
		})
	}
}

// oneLate returns its first session when end is closed, and then those of next.
type oneLate struct {
	end   chan struct{}
	late  *oauth2.Token
	next  *script
	calls atomic.Int32
}

func (g *oneLate) Token(ctx context.Context) (*oauth2.Token, error) {
	if g.calls.Add(1) == 1 {
		<-g.end
		return g.late, nil
	}
	return g.next.Token(ctx)
}

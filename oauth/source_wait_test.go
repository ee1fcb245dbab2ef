package oauth_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

func TestCoolDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := failing(errNetwork)
		g.delay = 30 * time.Millisecond
		s := oauth.NewSource(g, oauth.Options{})
		storm := func() {
			var callers sync.WaitGroup
			for range 20 {
				callers.Go(func() { wantErr(t, s, errNetwork) })
			}
			callers.Wait()
			for range 20 {
				wantErr(t, s, errNetwork)
			}
		}
		storm()
		wantCalls(t, g, 1)
		time.Sleep(4 * time.Second)
		if err := wantErr(t, s, errNetwork); !strings.Contains(err.Error(), "next attempt in 1s") {
			t.Errorf("error %q does not say that 1 s is left", err)
		}
		time.Sleep(time.Second)
		storm()
		wantCalls(t, g, 2)
		g.respond = numbered(0).respond
		time.Sleep(5 * time.Second)
		want(t, s, "T3")
	})
}

func TestCoolDownOff(t *testing.T) {
	g := failing(errNetwork)
	s := oauth.NewSource(g, oauth.Options{CoolDown: -1})
	for range 3 {
		if err := wantErr(t, s, errNetwork); strings.Contains(err.Error(), "next attempt") {
			t.Errorf("error %q promises a pause", err)
		}
	}
	wantCalls(t, g, 3)
}

func TestCallerWaitsNoLongerThanHisContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(0)
		g.delay = 10 * time.Second
		s := oauth.NewSource(g, oauth.Options{})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := s.TokenContext(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 50*time.Millisecond {
			t.Errorf("after %v: %v; want the deadline, after 50ms", time.Since(start), err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := s.TokenContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled caller gets %v", err)
		}
		// The renewal goes on without the caller who began it.
		want(t, s, "T1")
		if time.Since(start) != 10*time.Second {
			t.Errorf("the session came after %v, want 10s", time.Since(start))
		}
		wantCalls(t, g, 1)
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := s.TokenContext(ctx); err != nil {
			t.Errorf("a canceled caller does not get the session that is there: %v", err)
		}
	})
}

func TestCancelledCallerBeginsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := numbered(0)
		s := oauth.NewSource(g, oauth.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.TokenContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		synctest.Wait()
		wantCalls(t, g, 0)
	})
}

func TestTimeout(t *testing.T) {
	tests := map[string]struct{ timeout, want time.Duration }{
		"default":    {0, 30 * time.Second},
		"configured": {time.Second, time.Second},
		"off":        {-1, time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := numbered(0)
				g.delay = time.Hour
				s := oauth.NewSource(g, oauth.Options{Timeout: test.timeout})
				start := time.Now()
				if _, err := s.Token(); (err == nil) != (test.timeout < 0) {
					t.Error(err)
				}
				if time.Since(start) != test.want {
					t.Errorf("returned after %v, want %v", time.Since(start), test.want)
				}
			})
		})
	}
}

// Calls that ignore their context block a Source only until they return.
func TestAbandonedCallsThatReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		g := &stubborn{hang: hang}
		s := oauth.NewSource(g, oauth.Options{Timeout: time.Second, CoolDown: -1})
		for range 4 {
			wantErr(t, s, nil) // two hang, and then none is started
		}
		if n := g.calls.Load(); n != 2 {
			t.Errorf("the grant was called %d times while it hangs, want 2", n)
		}
		close(hang)
		synctest.Wait()
		want(t, s, "T")
	})
}

// However many calls have hung and returned, two may hang at a time.
func TestAbandonedCallsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &stubborn{}
		s := oauth.NewSource(g, oauth.Options{Timeout: time.Second, CoolDown: -1})
		for round := range int32(4) {
			g.hang = make(chan struct{})
			for range 4 {
				wantErr(t, s, nil)
			}
			if n := g.calls.Load(); n != 2*(round+1) {
				t.Errorf("after round %d, the grant was called %d times; want two each", round, n)
			}
			close(g.hang)
			synctest.Wait()
		}
	})
}

// A stubborn grant ignores its context until hang is closed, and then fails
// the calls that hang.
type stubborn struct {
	hang  chan struct{}
	calls atomic.Int32
}

func (g *stubborn) Token(ctx context.Context) (*oauth2.Token, error) {
	g.calls.Add(1)
	<-g.hang
	if ctx.Err() != nil {
		return nil, errNetwork
	}
	return &oauth2.Token{AccessToken: "T"}, nil
}

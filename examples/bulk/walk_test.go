package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// inBubble runs a test in simulated time against a fake inside the bubble. The
// walker that it gets has such a client as the program makes.
func inBubble(t *testing.T, test func(t *testing.T, fake *oktest.Server, w walker)) {
	synctest.Test(t, func(t *testing.T) {
		fake := oktest.NewServer(oktest.App{})
		defer fake.Close()
		test(t, fake, walker{client: newClient(t, fake, newMeter()), workers: 16, progress: func(int) {}})
	})
}

func newClient(t *testing.T, fake *oktest.Server, m *meter) *http.Client {
	t.Helper()
	token := fake.NewUser("alice", "password").Token()
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: fake.App().Key,
		TokenSource:    oauth.Static(token.AccessToken, oauth.SessionSecret(token)),
		Base:           fake.InProcess(),
		Limiter:        m,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// known returns the ids of users, sorted.
func known(users []user) []string {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	slices.Sort(ids)
	return ids
}

// All users are found, each once, though the server fails now and then and
// allows half of what the limiter begins with, by either kind of rejection.
func TestWalkLosesNoUser(t *testing.T) {
	for name, status := range map[string]int{"status 429": http.StatusTooManyRequests, "code 8": 0} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, fake *oktest.Server, w walker) {
				setWeather(fake)
				fake.Limit(oktest.Limit{PerSecond: 5, Burst: 2, Status: status})
				var answered atomic.Int64
				w.progress = func(n int) { answered.Add(int64(n)) }
				ids := residents(10_000)
				h, err := w.walk(t.Context(), ids)
				if err != nil || len(h.left) != 0 || h.asked != len(ids) {
					t.Fatalf("asked for %d, %d left, %v", h.asked, len(h.left), err)
				}
				if !slices.Equal(known(h.users), ids) {
					t.Errorf("%d users are not the %d asked for", len(h.users), len(ids))
				}
				if h.failures == 0 {
					t.Error("no call failed for good, so no second round was tested")
				}
				if n := answered.Load(); n != 10_000 {
					t.Errorf("progress ended at %d", n)
				}
				checkNeed(t, fake.Calls())
			})
		})
	}
}

// checkNeed fails if the server throttled no call, or answered a call about
// users that an earlier response had; a response that a fault changed does not
// count.
func checkNeed(t *testing.T, calls []oktest.Call) {
	t.Helper()
	seen := make(map[string]bool)
	throttled := 0
	for _, c := range calls {
		if !c.Faulted && isThrottled(c) {
			throttled++
		}
		if !c.Ran || c.Faulted {
			continue
		}
		if uids := c.Params.Get("uids"); seen[uids] {
			t.Errorf("asked again for the chunk that begins with %.12s", uids)
		} else {
			seen[uids] = true
		}
	}
	if throttled == 0 {
		t.Error("the server throttled no call")
	}
}

func isThrottled(c oktest.Call) bool {
	return c.Status == http.StatusTooManyRequests || c.Status == http.StatusServiceUnavailable ||
		c.Code == okerrors.CodeFloodBlocked
}

// The meter counts what the server counts.
func TestMeter(t *testing.T) {
	inBubble(t, func(t *testing.T, fake *oktest.Server, w walker) {
		setWeather(fake)
		m := newMeter()
		w.client = newClient(t, fake, m)
		if _, err := w.walk(m.traced(t.Context()), residents(10_000)); err != nil {
			t.Fatal(err)
		}
		if m.meanWait() <= 0 {
			t.Errorf("attempts waited %v on average", m.meanWait())
		}
		var throttled int64
		for _, c := range fake.Calls() {
			if isThrottled(c) {
				throttled++
			}
		}
		if n := int64(len(fake.Calls())); m.attempts.Load() != n || m.throttled.Load() != throttled {
			t.Errorf("counted %d attempts, %d of them throttled; the server, %d and %d",
				m.attempts.Load(), m.throttled.Load(), n, throttled)
		}
		if m.rate() <= 0 {
			t.Errorf("found a rate of %v/s", m.rate())
		}
	})
}

// What no repeat mends ends the walk at once.
func TestWalkStopsAtFinalErrors(t *testing.T) {
	for name, test := range map[string]struct {
		fault oktest.Fault
		want  error
		most  int // calls; each of the 16 workers may have one under way
	}{
		"session": {oktest.Fault{Code: okerrors.CodeParamSessionExpired}, okerrors.ErrSession, 16},
		"quota":   {oktest.Fault{Code: okerrors.CodeLimitReached}, okerrors.CodeLimitReached, 16},
		"page":    {oktest.Fault{Status: http.StatusForbidden}, nil, 16},
		"outage":  {oktest.Fault{Status: http.StatusBadGateway}, errOutage, 4 * (16 + 33)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, fake *oktest.Server, w walker) {
				fake.Inject(test.fault)
				h, err := w.walk(t.Context(), residents(10_000))
				if err == nil || !errors.Is(err, test.want) && test.want != nil {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if len(h.left) != 10_000 || len(h.users) != 0 {
					t.Errorf("%d ids left, %d users", len(h.left), len(h.users))
				}
				if n := len(fake.Calls()); n == 0 || n > test.most {
					t.Errorf("%d calls were made, want at most %d", n, test.most)
				}
			})
		})
	}
}

// A chunk that never succeeds does not keep the others from succeeding,
// and is reported.
func TestWalkReportsWhatIsLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, fake *oktest.Server, w walker) {
		ids := residents(1_000)
		fake.Inject(oktest.Fault{Match: about(ids[250]), Truncate: true})
		h, err := w.walk(t.Context(), ids)
		if err == nil || !slices.Equal(h.left, ids[200:300]) {
			t.Errorf("%d ids left, %v", len(h.left), err)
		}
		if len(h.users) != 900 || h.failures != maxRounds {
			t.Errorf("%d users, %d failures", len(h.users), h.failures)
		}
	})
}

// Whether the calls are in the queue, in flight or before a repeat, the walk
// ends with its context.
func TestWalkEndsWithItsContext(t *testing.T) {
	for name, fault := range map[string]oktest.Fault{
		"on the way":      {Delay: time.Hour},
		"before a repeat": {Code: okerrors.CodeFloodBlocked},
		"in good weather": {Times: 1, Delay: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, fake *oktest.Server, w walker) {
				fake.Inject(fault)
				fake.Limit(oktest.Limit{PerSecond: 1, Status: http.StatusTooManyRequests})
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				start := time.Now()
				h, err := w.walk(ctx, residents(10_000))
				if !errors.Is(err, context.Canceled) || len(h.left) == 0 {
					t.Errorf("%d ids left, %v", len(h.left), err)
				}
				if took := time.Since(start); took != 3*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// Ids that OK does not know get an empty response.
func TestWalkOfStrangers(t *testing.T) {
	inBubble(t, func(t *testing.T, fake *oktest.Server, w walker) {
		fake.Handle("users.getInfo", func(p url.Values) (any, error) {
			if n := strings.Count(p.Get("uids"), ",") + 1; n > chunkSize {
				t.Errorf("asked for %d users at once", n)
			}
			return []user{}, nil
		})
		h, err := w.walk(t.Context(), []string{"1", "2"})
		if err != nil || len(h.users) != 0 || len(h.left) != 0 || len(fake.Calls()) != 1 {
			t.Errorf("%+v, %v, after %d calls", h, err, len(fake.Calls()))
		}
		if h, err = w.walk(t.Context(), nil); err != nil || len(fake.Calls()) != 1 {
			t.Errorf("without users: %+v, %v, after %d calls", h, err, len(fake.Calls()))
		}
	})
}

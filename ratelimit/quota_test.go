package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// spentQuota answers code 11 to one method, until it is refilled, and counts
// the calls of each.
type spentQuota struct {
	method  string
	header  http.Header
	latency time.Duration
	filled  bool

	mu    sync.Mutex
	asked map[string]int
}

func (s *spentQuota) RoundTrip(r *http.Request) (*http.Response, error) {
	method := r.URL.Query().Get("method")
	s.mu.Lock()
	s.asked[method]++
	s.mu.Unlock()
	time.Sleep(s.latency)
	if method != s.method || s.filled {
		return response(r, http.StatusOK, `{}`), nil
	}
	resp := response(r, http.StatusOK, `{"error_code":11,"error_msg":"LIMIT_REACHED : x"}`)
	resp.Header = s.header
	return resp, nil
}

func newSpentQuota() *spentQuota {
	return &spentQuota{method: "notifications.sendSimple", header: http.Header{}, asked: make(map[string]int)}
}

// Code 11 pauses one method of one key, longer each time, and no other.
func TestQuotaPausesTheMethod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := newSpentQuota()
		limit := ratelimit.Limit{Limiter: ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewAdaptive(1, 1000) })}
		rt := limit.Wrap(base)
		took := func(ctx context.Context, method string) time.Duration {
			start := time.Now()
			send(t, rt, newRequest(ctx, method))
			return time.Since(start)
		}
		other := transport.WithToken(t.Context(), &oauth2.Token{AccessToken: "another user"})
		took(t.Context(), base.method)
		for name, waited := range map[string]time.Duration{
			"another method": took(t.Context(), "users.getInfo"),
			"another key":    took(other, base.method),
		} {
			if waited > 200*time.Millisecond {
				t.Errorf("%s waited %v", name, waited)
			}
		}
		start := time.Now()
		for range 6 { // after 1, 2, 4 … seconds
			took(t.Context(), base.method)
		}
		if waited := time.Since(start); waited < 62*time.Second || waited > 64*time.Second {
			t.Errorf("six more calls took %v; want pauses of 1 to 32 s", waited)
		}
		base.filled = true
		took(t.Context(), base.method)
		if waited := took(t.Context(), base.method); waited > 200*time.Millisecond {
			t.Errorf("a call after one that was accepted waited %v", waited)
		}
	})
}

// A probe that fails says nothing about the quota: the next call does not go at
// once.
func TestQuotaStaysSpentAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, isBroken := newSpentQuota(), false
		rt := ratelimit.Limit{Limiter: ratelimit.NewAdaptive(1, 1000)}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			if isBroken {
				return nil, errors.New("connection broken")
			}
			return base.RoundTrip(r)
		}))
		send(t, rt, newRequest(t.Context(), base.method))
		isBroken = true
		if _, err := rt.RoundTrip(newRequest(t.Context(), base.method)); err == nil {
			t.Fatal("the probe did not fail")
		}
		isBroken, base.filled = false, true
		start := time.Now()
		send(t, rt, newRequest(t.Context(), base.method))
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("the call after the probe waited %v, want 1s", waited)
		}
	})
}

// A method has a quota of its own in the path form too.
func TestQuotaOfPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := newSpentQuota()
		base.method = ""
		rt := ratelimit.Limit{Limiter: ratelimit.NewAdaptive(1, 1000)}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/api/notifications/sendSimple" {
				return base.RoundTrip(r)
			}
			return response(r, http.StatusOK, `{}`), nil
		}))
		took := func(path string) time.Duration {
			start := time.Now()
			r, _ := http.NewRequestWithContext(t.Context(), "GET", "https://api.ok.ru"+path, nil)
			send(t, rt, r)
			return time.Since(start)
		}
		took("/api/notifications/sendSimple")
		if waited := took("/api/users/getInfo"); waited > 200*time.Millisecond {
			t.Errorf("another method waited %v", waited)
		}
		if waited := took("/api/notifications/sendSimple"); waited < 800*time.Millisecond {
			t.Errorf("the method whose quota is spent waited %v", waited)
		}
	})
}

// However many wait, one call goes between two pauses. When the first is
// rejected, all others are in the queue of the limiter already.
func TestQuotaIsAskedByOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := newSpentQuota()
		base.latency = 50 * time.Millisecond
		rt := ratelimit.Limit{Limiter: ratelimit.NewAdaptive(0, 0)}.Wrap(base)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 100 {
			go func() {
				for ctx.Err() == nil {
					if resp, err := rt.RoundTrip(newRequest(ctx, base.method)); err == nil {
						resp.Body.Close()
					}
				}
			}()
		}
		time.Sleep(24 * time.Hour)
		cancel()
		synctest.Wait()
		if asked := base.asked[base.method]; asked < 144 || asked > 170 {
			t.Errorf("a daily quota was asked %d times in a day; want once in 10 minutes", asked)
		}
	})
}

// A call that was sent before the pause began says nothing new, however late its
// response is.
func TestQuotaIgnoresLateResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const latency = 50 * time.Millisecond
		base := newSpentQuota()
		rt := ratelimit.Limit{Limiter: new(recorder)}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(r)
			if r.Header.Get("Late") != "" {
				time.Sleep(900 * time.Millisecond)
			}
			time.Sleep(latency)
			return resp, err
		}))
		var late sync.WaitGroup
		late.Go(func() {
			r := newRequest(t.Context(), base.method)
			r.Header.Set("Late", "yes")
			send(t, rt, r)
		})
		start := time.Now()
		for range 2 {
			send(t, rt, newRequest(t.Context(), base.method))
		}
		if waited, want := time.Since(start), time.Second+2*latency; waited != want {
			t.Errorf("the second call ended after %v, want %v", waited, want)
		}
		late.Wait()
	})
}

// When the probe is accepted, all others go at once.
func TestQuotaEndsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := newSpentQuota()
		base.latency = 50 * time.Millisecond
		rt := ratelimit.Limit{Limiter: new(recorder)}.Wrap(base)
		send(t, rt, newRequest(t.Context(), base.method))
		base.filled = true
		start := time.Now()
		var calls sync.WaitGroup
		for range 5 {
			calls.Go(func() { send(t, rt, newRequest(t.Context(), base.method)) })
		}
		calls.Wait()
		if waited, want := time.Since(start), time.Second+2*base.latency; waited != want {
			t.Errorf("the last call ended after %v, want %v: the pause, the probe, and the others", waited, want)
		}
	})
}

func TestQuotaObeysRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := newSpentQuota()
		base.header.Set("Retry-After", "300")
		rt := ratelimit.Limit{Limiter: ratelimit.NewAdaptive(0, 0)}.Wrap(base)
		send(t, rt, newRequest(t.Context(), base.method))
		start := time.Now()
		send(t, rt, newRequest(t.Context(), base.method))
		if waited := time.Since(start); waited != 5*time.Minute {
			t.Errorf("the next call waited %v; want 5m", waited)
		}
	})
}

func TestQuotaRefusesWhatWouldBeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := newSpentQuota()
		rt := ratelimit.Limit{Limiter: ratelimit.NewAdaptive(0, 0)}.Wrap(base)
		send(t, rt, newRequest(t.Context(), base.method))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		start := time.Now()
		_, err := rt.RoundTrip(newRequest(ctx, base.method))
		if !errors.Is(err, ratelimit.ErrLimited) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 0 {
			t.Errorf("after %v: %v; want ErrLimited for the deadline, at once", time.Since(start), err)
		}
		const want = "okru: not sent, because of the local rate limit: the quota of notifications.sendSimple is spent (it would wait 1s)"
		if err == nil || err.Error() != want {
			t.Errorf("the error is %v, want %s", err, want)
		}
	})
}

// While a quota pauses, every call still asks the limiter, and a call whose
// deadline is later than the pause waits.
func TestQuotaPauseDoesNotBypassTheLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, l := newSpentQuota(), new(recorder)
		rt := ratelimit.Limit{Limiter: l}.Wrap(base)
		send(t, rt, newRequest(t.Context(), base.method))
		for _, method := range []string{base.method, "users.getInfo"} {
			waits, start := l.waits, time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			send(t, rt, newRequest(ctx, method))
			cancel()
			if l.waits != waits+1 || len(l.seen) != l.waits {
				t.Errorf("%s: the limiter was asked %d times; want once, and one outcome each", method, l.waits-waits)
			}
			if waited := time.Since(start); (waited == time.Second) != (method == base.method) {
				t.Errorf("%s waited %v", method, waited)
			}
		}
		base.filled = true
		time.Sleep(time.Hour)
		waits := l.waits
		send(t, rt, newRequest(t.Context(), base.method)) // the probe
		send(t, rt, newRequest(t.Context(), base.method))
		if l.waits != waits+2 {
			t.Errorf("after the pause the limiter was asked %d times for two calls", l.waits-waits)
		}
	})
}

// lagging is a recorder whose Waits take some time each.
type lagging struct {
	recorder
	delays []time.Duration
}

func (l *lagging) Wait(ctx context.Context) error {
	l.mu.Lock()
	delay := l.delays[0]
	l.delays = l.delays[1:]
	l.mu.Unlock()
	time.Sleep(delay)
	return l.recorder.Wait(ctx)
}

// A call that waits for the limiter while the quota is spent does not go. Its slot
// is reported as one that nothing was learned from.
func TestQuotaIsSpentDuringTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ms = time.Millisecond
		base, l := newSpentQuota(), &lagging{delays: []time.Duration{10 * ms, 10 * ms, 10 * ms}}
		rt := ratelimit.Limit{Limiter: l}.Wrap(base)
		start := time.Now()
		var calls sync.WaitGroup
		calls.Go(func() { send(t, rt, newRequest(t.Context(), base.method)) })
		time.Sleep(5 * time.Millisecond)
		send(t, rt, newRequest(t.Context(), base.method))
		if took, want := time.Since(start), time.Second+20*time.Millisecond; took != want {
			t.Errorf("the second call ended after %v, want %v", took, want)
		}
		calls.Wait()
		if l.waits != 3 || len(l.seen) != 3 || l.seen[1].Err == nil || l.seen[1].Err.Error() != "okru: not sent, because the quota of the method is spent" {
			t.Errorf("%d waits, outcomes %+v; want three, the second with the quota as Err", l.waits, l.seen)
		}
	})
}

// If the pause is over as well by then, the call is the probe.
func TestQuotaPauseIsOverAfterTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, l := newSpentQuota(), &lagging{delays: []time.Duration{0, 1200 * time.Millisecond}}
		base.latency = 50 * time.Millisecond
		rt := ratelimit.Limit{Limiter: l}.Wrap(base)
		start := time.Now()
		var calls sync.WaitGroup
		for range 2 {
			calls.Go(func() { send(t, rt, newRequest(t.Context(), base.method)) })
		}
		calls.Wait()
		if took := time.Since(start); took != 1250*time.Millisecond || l.waits != 2 || base.asked[base.method] != 2 {
			t.Errorf("the second call ended after %v; want 1.25s, its wait for the limiter and the latency", took)
		}
	})
}

// A limiter that learns nothing is not paused: the body of the response is not read.
func TestQuotaNeedsAnObserver(t *testing.T) {
	for name, limiter := range map[string]ratelimit.Limiter{
		"Bucket": ratelimit.NewBucket(1000, 10),
		"Keyed":  ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewBucket(1000, 10) }),
	} {
		synctest.Test(t, func(t *testing.T) {
			base := newSpentQuota()
			rt := ratelimit.Limit{Limiter: limiter}.Wrap(base)
			start := time.Now()
			for range 3 {
				send(t, rt, newRequest(t.Context(), base.method))
			}
			if took := time.Since(start); took != 0 {
				t.Errorf("%s: three calls took %v", name, took)
			}
		})
	}
}

// A probe that never ends delays the next one for a moment only.
func TestQuotaOutlivesAProbeThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := newSpentQuota()
		rt := ratelimit.Limit{Limiter: new(recorder)}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Hang") != "" {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return base.RoundTrip(r)
		}))
		send(t, rt, newRequest(t.Context(), base.method))
		send(t, rt, newRequest(t.Context(), base.method)) // the next pause is 2 s
		base.filled = true
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			r := newRequest(ctx, base.method)
			r.Header.Set("Hang", "yes")
			_, _ = rt.RoundTrip(r)
		})
		synctest.Wait()
		start := time.Now()
		send(t, rt, newRequest(t.Context(), base.method))
		if waited := time.Since(start); waited > 3*time.Second {
			t.Errorf("the call after a probe that hangs waited %v; want the pause and a second", waited)
		}
		cancel()
		group.Wait()
	})
}

// An endless supply of keys costs no more memory than 10 000 of them. Those that
// are remembered pause; one beyond is not.
func TestQuotasAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bound = 10_000
		passed, body := 0, `{"error_code":11}`
		rt := ratelimit.Limit{Limiter: new(recorder)}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			passed++
			return response(r, http.StatusOK, body), nil
		}))
		for i := range bound + 1 {
			send(t, rt, newRequest(t.Context(), fmt.Sprint("a.b", i)))
		}
		passed, body = 0, `{}`
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		for i := range bound + 1 {
			resp, err := rt.RoundTrip(newRequest(ctx, fmt.Sprint("a.b", i)))
			if err == nil {
				resp.Body.Close()
			} else if !errors.Is(err, ratelimit.ErrLimited) {
				t.Fatal(err)
			}
		}
		if passed != 1 {
			t.Errorf("%d of %d methods whose quota is spent did not pause; want 1", passed, bound+1)
		}
	})
}

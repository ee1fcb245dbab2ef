package ratelimit_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// Each rejection says why, how long the wait would be, and what to do if the
// program is wrong.
func TestRejectionsSayWhy(t *testing.T) {
	const prefix = "okru: not sent, because of the local rate limit"
	soon := func(t *testing.T) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		t.Cleanup(cancel)
		return ctx
	}
	full := func(configure func(*ratelimit.Bucket)) *ratelimit.Bucket {
		b := ratelimit.NewBucket(0.1, 1)
		configure(b)
		_ = b.Wait(context.Background())
		return b
	}
	adaptive := func(outcome ratelimit.Outcome) *ratelimit.Adaptive {
		a := ratelimit.NewAdaptive(0, 0)
		outcome.Sent = time.Now()
		a.Observe(outcome)
		return a
	}
	if got := ratelimit.ErrLimited.Error(); got != "okru: rejected by the local rate limit" {
		t.Errorf("ErrLimited is %q", got)
	}
	for want, test := range map[string]struct {
		limiter func() ratelimit.Limiter
		context func(*testing.T) context.Context
	}{
		": its turn comes after the deadline of its context (it would wait 10s)": {
			func() ratelimit.Limiter { return full(func(*ratelimit.Bucket) {}) }, soon,
		},
		": its turn comes after MaxWait (3s) (it would wait 10s)": {
			func() ratelimit.Limiter { return full(func(b *ratelimit.Bucket) { b.MaxWait = 3 * time.Second }) }, nil,
		},
		": MaxQueue (1) calls wait already (it would wait 20s)": {
			func() ratelimit.Limiter {
				b := full(func(b *ratelimit.Bucket) { b.MaxQueue = 1 })
				go func() { _ = b.Wait(context.Background()) }()
				synctest.Wait()
				return b
			}, nil,
		},
		` of key "k": a zero or nil Keyed lets no call pass; make one with ratelimit.NewKeyed`: {
			func() ratelimit.Limiter { return new(ratelimit.Keyed) }, nil,
		},
		": a burst of 0 lets no call pass; use at least 1": {
			func() ratelimit.Limiter { return ratelimit.NewBucket(1, 0) }, nil,
		},
		": a zero or nil Bucket lets no call pass; make one with ratelimit.NewBucket": {
			func() ratelimit.Limiter { return new(ratelimit.Bucket) }, nil,
		},
		": a zero or nil Adaptive lets no call pass; make one with ratelimit.NewAdaptive": {
			func() ratelimit.Limiter { return new(ratelimit.Adaptive) }, nil,
		},
		": the limiter is a nil *ratelimit.Bucket; leave it out, or make one": {
			func() ratelimit.Limiter { return (*ratelimit.Bucket)(nil) }, nil,
		},
		": the server asked to wait beyond the deadline of its context (it would wait 1m0s)": {
			func() ratelimit.Limiter {
				return adaptive(ratelimit.Outcome{Throttled: true, RetryAfter: time.Minute})
			}, soon,
		},
		": rejected": {func() ratelimit.Limiter { return new(rejecting) }, nil},
		": rate: Wait(n=1) exceeds limiter's burst 0": {
			func() ratelimit.Limiter { return rate.NewLimiter(1, 0) }, soon,
		},
		` of key "k": its turn comes after the deadline of its context (it would wait 10s)`: {
			func() ratelimit.Limiter {
				return ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return full(func(*ratelimit.Bucket) {}) })
			}, soon,
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			limit := ratelimit.Limit{Limiter: test.limiter(), Key: func(*http.Request) string { return "k" }}
			ctx := t.Context()
			if test.context != nil {
				ctx = test.context(t)
			}
			_, err := limit.Wrap(transport.Func(nil)).RoundTrip(newRequest(ctx, "users.getInfo"))
			if err == nil || err.Error() != prefix+want || !errors.Is(err, ratelimit.ErrLimited) {
				t.Errorf("the error is %v, want %s%s", err, prefix, want)
			}
			if late := strings.Contains(want, "deadline"); errors.Is(err, context.DeadlineExceeded) != late {
				t.Errorf("%v is DeadlineExceeded: %t, want %t", err, !late, late)
			}
			time.Sleep(time.Hour) // for those who wait
		})
	}
}

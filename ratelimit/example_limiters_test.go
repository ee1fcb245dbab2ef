package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// A limit for each API method, in memory for at most 100 methods.
func ExampleKeyed() {
	perMethod := ratelimit.NewKeyed(100, func(method string) ratelimit.Limiter {
		if method == "notifications.sendSimple" {
			return ratelimit.NewBucket(0.1, 1)
		}
		return ratelimit.NewBucket(10, 5)
	})
	limit := ratelimit.Limit{Limiter: perMethod, Key: ratelimit.ByMethod}
	client := &http.Client{Transport: limit.Wrap(ok)}
	for _, method := range []string{"users.getInfo", "friends.get", "users.getInfo"} {
		resp, err := client.Do(newRequest(context.Background(), method))
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
	}
	fmt.Println("limiters:", perMethod.Len())
	// Output: limiters: 2
}

// A call that would have to wait too long is rejected, and not sent.
func ExampleLimitedError() {
	bucket := ratelimit.NewBucket(1, 1)
	bucket.MaxWait = time.Millisecond
	client := &http.Client{Transport: ratelimit.Limit{Limiter: bucket}.Wrap(ok)}
	for range 2 {
		resp, err := client.Do(newRequest(context.Background(), "users.getInfo"))
		if e, is := errors.AsType[*ratelimit.LimitedError](err); is {
			fmt.Println(errors.Is(err, ratelimit.ErrLimited), e.Wait > 900*time.Millisecond)
			continue
		}
		resp.Body.Close()
	}
	// Output: true true
}

// tiers is a Keyer: paying users have a limiter of their own, all others share
// one.
type tiers struct {
	paying map[string]ratelimit.Limiter
	others ratelimit.Limiter
}

func (t tiers) Wait(ctx context.Context) error { return t.others.Wait(ctx) }

func (t tiers) For(key string) ratelimit.Limiter {
	if l := t.paying[key]; l != nil {
		return l
	}
	return t.others
}

// A Keyer of one's own. Its limiters may be those of golang.org/x/time/rate.
func ExampleKeyer() {
	var keyer ratelimit.Keyer = tiers{
		paying: map[string]ratelimit.Limiter{"anna": rate.NewLimiter(100, 10)},
		others: ratelimit.NewBucket(1, 1),
	}
	fmt.Println(keyer.For("anna") == keyer.For("boris"), keyer.For("boris") == keyer.For("vera"))
	// Output: false true
}

// counting is a Limiter and an Observer: it lets all calls pass, and counts.
type counting struct {
	mu               sync.Mutex
	passed, rejected int
}

func (c *counting) Wait(ctx context.Context) error { return ctx.Err() }

func (c *counting) Observe(o ratelimit.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.Throttled {
		c.rejected++
	} else if o.Err == nil {
		c.passed++
	}
}

// An Observer learns how the calls end that its Wait let pass.
func ExampleObserver() {
	var observer ratelimit.Observer = &counting{}
	responses := []int{http.StatusOK, http.StatusTooManyRequests, http.StatusOK}
	server := transport.Func(func(r *http.Request) (*http.Response, error) {
		status := responses[0]
		responses = responses[1:]
		return response(r, status, `{}`), nil
	})
	client := &http.Client{Transport: ratelimit.Limit{Limiter: observer.(ratelimit.Limiter)}.Wrap(server)}
	for range 3 {
		resp, err := client.Do(newRequest(context.Background(), "users.getInfo"))
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
	}
	fmt.Printf("%d passed, %d rejected\n", observer.(*counting).passed, observer.(*counting).rejected)
	// Output: 2 passed, 1 rejected
}

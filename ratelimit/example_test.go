package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// One limit for the application, and one for each session: a request waits for
// both.
func ExampleLimit() {
	perSession := ratelimit.NewKeyed(10_000, func(string) ratelimit.Limiter { return ratelimit.NewBucket(5, 5) })
	rt := transport.Chain(roundTrip(func(r *http.Request) (*http.Response, error) { return answer(r, 200, "{}"), nil }),
		ratelimit.Limit{Limiter: perSession}.Wrap,
		ratelimit.Limit{Limiter: ratelimit.NewBucket(100, 100)}.Wrap,
	)
	for _, user := range []string{"alice", "bob", "alice"} {
		ctx := transport.WithToken(context.Background(), &oauth2.Token{AccessToken: user})
		if _, err := rt.RoundTrip(newRequest(ctx, "users.getInfo")); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("sessions:", perSession.Len())
	// Output: sessions: 2
}

// A call that could not be made before its deadline is refused at once.
func ExampleBucket() {
	b := ratelimit.NewBucket(0.1, 1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	fmt.Println(b.Wait(ctx))
	err := b.Wait(ctx)
	fmt.Println(errors.Is(err, ratelimit.ErrLimited), errors.Is(err, context.DeadlineExceeded))
	// Output:
	// <nil>
	// true true
}

// A limit for each API method: the key is the caller's choice.
func ExampleKeyed() {
	perMethod := ratelimit.NewKeyed(0, func(method string) ratelimit.Limiter {
		if method == "notifications.sendSimple" {
			return ratelimit.NewBucket(1, 1)
		}
		return nil // no limit
	})
	limit := ratelimit.Limit{Limiter: perMethod, Key: func(r *http.Request) string { return r.URL.Query().Get("method") }}
	fmt.Println(limit.Charge(newRequest(context.Background(), "users.getInfo")), perMethod.Len())
	// Output: <nil> 1
}

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

// ok stands for the API.
var ok = transport.Func(func(r *http.Request) (*http.Response, error) {
	return response(r, http.StatusOK, `{}`), nil
})

// A limit for each session and one for the application. The inner one is that
// of the application: calls that wait for their session take none of its slots.
func ExampleLimit() {
	perSession := ratelimit.Limit{Limiter: ratelimit.NewKeyed(0, func(string) ratelimit.Limiter {
		bucket := ratelimit.NewBucket(1, 2)
		bucket.MaxWait = time.Millisecond
		return bucket
	})}
	perApplication := ratelimit.Limit{Limiter: ratelimit.NewBucket(100, 5)}
	client := &http.Client{Transport: transport.Chain(ok, perSession.Wrap, perApplication.Wrap)}

	for _, user := range []string{"alice", "alice", "alice", "bob"} {
		ctx := transport.WithToken(context.Background(), &oauth2.Token{AccessToken: user})
		resp, err := client.Do(newRequest(ctx, "users.getCurrentUser"))
		if errors.Is(err, ratelimit.ErrLimited) {
			fmt.Println(user, "rejected here")
			continue
		}
		resp.Body.Close()
		fmt.Println(user, resp.StatusCode)
	}
	// Output:
	// alice 200
	// alice 200
	// alice rejected here
	// bob 200
}

// Key may be anything about a request, such as its host.
func ExampleLimit_key() {
	limit := ratelimit.Limit{
		Limiter: ratelimit.NewKeyed(100, func(host string) ratelimit.Limiter {
			fmt.Println("a limit for", host)
			return ratelimit.NewAdaptive(0, 0)
		}),
		Key: func(r *http.Request) string { return r.URL.Host },
	}
	client := &http.Client{Transport: limit.Wrap(ok)}
	for range 2 {
		resp, err := client.Do(newRequest(context.Background(), "users.getCurrentUser"))
		if err != nil {
			fmt.Println(err)
			continue
		}
		resp.Body.Close()
	}
	// Output: a limit for api.ok.ru
}

func ExampleBucket() {
	bucket := ratelimit.NewBucket(0.1, 1) // a call in 10 seconds
	bucket.MaxWait = time.Second

	fmt.Println(bucket.Wait(context.Background()))
	err := bucket.Wait(context.Background())
	fmt.Println(errors.Is(err, ratelimit.ErrLimited))
	if limited, is := errors.AsType[*ratelimit.LimitedError](err); is {
		fmt.Println("try again in", limited.Wait.Round(time.Second))
	}
	// Output:
	// <nil>
	// true
	// try again in 10s
}

// Without a Limit, each call that an Adaptive let pass must be reported.
func ExampleAdaptive() {
	limiter := ratelimit.NewAdaptive(0, 0)
	for range 2 {
		if err := limiter.Wait(context.Background()); err != nil {
			fmt.Println(err)
			return
		}
		sent := time.Now()
		limiter.Observe(ratelimit.Outcome{Sent: sent}) // accepted
	}
	fmt.Println("below 20 calls per second after 0.1 s:", limiter.Limit() < 20)
	// Output: below 20 calls per second after 0.1 s: true
}

// A limit for each API method.
func ExampleByMethod() {
	limit := ratelimit.Limit{
		Limiter: ratelimit.NewKeyed(0, func(method string) ratelimit.Limiter {
			fmt.Println("a limit for", method)
			return ratelimit.NewAdaptive(0, 0)
		}),
		Key: ratelimit.ByMethod,
	}
	client := &http.Client{Transport: limit.Wrap(ok)}
	for _, method := range []string{"users.getInfo", "users.getInfo", "mediatopic.post"} {
		resp, err := client.Do(newRequest(context.Background(), method))
		if err != nil {
			fmt.Println(err)
			continue
		}
		resp.Body.Close()
	}
	// Output:
	// a limit for users.getInfo
	// a limit for mediatopic.post
}

// A limit for each method of each session.
func ExampleByMethodAndSession() {
	limiters := 0
	limit := ratelimit.Limit{
		Limiter: ratelimit.NewKeyed(0, func(string) ratelimit.Limiter {
			limiters++
			return ratelimit.NewAdaptive(0, 0)
		}),
		Key: ratelimit.ByMethodAndSession,
	}
	client := &http.Client{Transport: limit.Wrap(ok)}
	for _, user := range []string{"alice", "bob", "alice"} {
		ctx := transport.WithToken(context.Background(), &oauth2.Token{AccessToken: user})
		for _, method := range []string{"users.getInfo", "mediatopic.post"} {
			resp, err := client.Do(newRequest(ctx, method))
			if err != nil {
				fmt.Println(err)
				continue
			}
			resp.Body.Close()
		}
	}
	fmt.Println(limiters, "limits for 2 sessions and 2 methods")
	// Output: 4 limits for 2 sessions and 2 methods
}

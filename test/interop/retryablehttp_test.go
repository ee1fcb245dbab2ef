package interop_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// Code that takes a client of go-retryablehttp gets one that repeats nothing:
// our stack below does that already. The error of the last attempt is inside
// its own; a response with status 5xx would be lost but for the ErrorHandler.
func Example_retryablehttp() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	client := newRetryable(newClient(config(srv)))

	resp, err := client.Get(friendsURL)
	fmt.Println(drain(resp, err))
	_, err = client.Get("https://api.ok.ru/fb.do?method=users.getNothing")
	fmt.Println(errors.Is(err, okerrors.CodeMethod), len(srv.Calls()))
	// Output:
	// <nil>
	// true 2
}

func newRetryable(below *http.Client) *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.HTTPClient = below
	c.RetryMax = 0
	c.Logger = nil // it would log every URL
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return c
}

// Policies written for go-retryablehttp decide in our Retry, which leaves the
// rest of that package out. They know nothing of API errors and of what is safe
// to repeat: ask transport.Retryable for that.
func Example_retryablehttpPolicies() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	srv.Inject(oktest.Fault{Times: 2, Status: http.StatusBadGateway})
	cfg := config(srv)
	cfg.Retry = transport.Retry{
		Max:        2,
		MinDelay:   time.Microsecond,
		MaxDelay:   time.Millisecond,
		CheckRetry: retryablehttp.ErrorPropagatedRetryPolicy,
		Backoff:    retryablehttp.LinearJitterBackoff,
	}
	fmt.Println(drain(newClient(cfg).Get(friendsURL)), len(srv.Calls()))
	// Output:
	// <nil> 3
}

// With its own RetryMax above ours, attempts multiply, and writes are repeated:
// its default policy takes any error for one that another attempt may cure.
func TestRetryOnTopOfRetry(t *testing.T) {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	srv.Inject(oktest.Fault{Status: http.StatusServiceUnavailable})
	for max, want := range map[int]int{0: 4, 2: 12} {
		srv.ForgetCalls()
		cfg := config(srv)
		cfg.Retry.MinDelay = 1
		client := newRetryable(newClient(cfg))
		client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = max, 1, 1
		resp, err := client.Get(friendsURL)
		if err := drain(resp, err); err != nil {
			t.Errorf("RetryMax %d: %v", max, err)
		}
		if n := len(srv.Calls()); n != want {
			t.Errorf("RetryMax %d: %d attempts, want %d", max, n, want)
		}
	}
}

func retryableAbove(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	return by(newRetryable(newClient(over(srv, base, scopes...))).StandardClient())
}

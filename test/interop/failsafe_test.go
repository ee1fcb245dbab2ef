package interop_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/timeout"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

type policy = failsafe.Policy[*http.Response]

// newBreaker opens after failures in a row: errors, 5xx, and API errors in a
// response with status 200.
func newBreaker(failures uint) circuitbreaker.CircuitBreaker[*http.Response] {
	return circuitbreaker.NewBuilder[*http.Response]().
		WithFailureThreshold(failures).
		WithDelay(time.Minute).
		HandleIf(func(resp *http.Response, err error) bool {
			if err != nil || resp.StatusCode >= http.StatusInternalServerError {
				return true
			}
			e, failed := okerrors.FromResponse(resp)
			return failed && errors.Is(e, okerrors.ErrTransient)
		}).
		Build()
}

// unlessOpen repeats what Retryable does, but not into an open breaker.
func unlessOpen(a transport.Attempt) bool {
	return !errors.Is(a.Err, circuitbreaker.ErrOpen) && transport.Retryable(a)
}

// A circuit breaker of failsafe-go below the stack, where it sees attempts, and
// a timeout and a bulkhead above it, where they see calls.
func Example_failsafe() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	srv.Inject(oktest.Fault{Code: okerrors.CodeService}) // all calls, until further notice

	breaker := newBreaker(3)
	cfg := over(srv, failsafehttp.NewRoundTripper(srv.Transport(), breaker))
	cfg.Retry.If = unlessOpen
	client := &http.Client{Transport: failsafehttp.NewRoundTripper(newTransport(cfg),
		timeout.New[*http.Response](time.Minute), bulkhead.New[*http.Response](10))}

	for range 3 {
		err := drain(client.Get(friendsURL))
		fmt.Println(errors.Is(err, okerrors.CodeService), errors.Is(err, circuitbreaker.ErrOpen))
	}
	fmt.Println("attempts:", len(srv.Calls()), breaker.State())
	// Output:
	// false true
	// false true
	// false true
	// attempts: 3 open
}

// A timeout ends a call with its own error, not that of a context.
func TestFailsafeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := oktest.NewServer(oktest.App{})
		defer srv.Close()
		srv.Inject(oktest.Fault{Delay: time.Hour})
		limit := timeout.New[*http.Response](time.Minute)
		client := &http.Client{Transport: failsafehttp.NewRoundTripper(newTransport(over(srv, srv.InProcess())), limit)}
		start := time.Now()
		if err := drain(client.Get(friendsURL)); !errors.Is(err, timeout.ErrExceeded) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		synctest.Wait()
	})
}

// A hedge above the stack sends a slow call a second time. That is well for
// reads, and repeats writes: keep hedges to a client for reads.
func TestHedge(t *testing.T) {
	for verb, twice := range map[string]bool{"users.getLoggedInUser": false, "users.setStatus": true} {
		t.Run(verb, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := oktest.NewServer(oktest.App{})
				defer srv.Close()
				srv.Inject(oktest.Fault{Method: verb, Delay: time.Second, Times: 1})
				hedge := hedgepolicy.NewWithDelay[*http.Response](100 * time.Millisecond)
				client := &http.Client{Transport: failsafehttp.NewRoundTripper(newTransport(over(srv, srv.InProcess(), "SET_STATUS")), hedge)}
				start := time.Now()
				_, err := okru.Call[any](t.Context(), client, verb, map[string][]string{"status": {"x"}, "call_id": {"1"}})
				if err != nil || time.Since(start) >= time.Second {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
				synctest.Wait()
				if n := srv.Duplicates("call_id"); twice && n != 1 {
					t.Errorf("%d duplicates of a hedged write", n)
				}
			})
		})
	}
}

// The Signer keeps net/http from repeating a write by GET with a body that is
// empty but there. Failsafe's RoundTripper takes it away: below it, make writes
// by POST.
func TestFailsafeDropsTheGuardOfGET(t *testing.T) {
	for name, test := range map[string]struct {
		policies []policy
		below    bool
		guarded  bool
	}{"nothing below": {nil, false, true}, "failsafe below": {[]policy{newBreaker(1)}, true, false}} {
		t.Run(name, func(t *testing.T) {
			srv := oktest.NewServer(oktest.App{})
			defer srv.Close()
			look := &lookAtBody{next: srv.InProcess()}
			var base http.RoundTripper = look
			if test.below {
				base = failsafehttp.NewRoundTripper(look, test.policies...)
			}
			_ = drain(newClient(over(srv, base)).Get("https://api.ok.ru/fb.do?method=users.setStatus&status=x"))
			if look.guarded != test.guarded {
				t.Errorf("guarded: %v, want %v", look.guarded, test.guarded)
			}
		})
	}
}

type lookAtBody struct {
	next    http.RoundTripper
	guarded bool
}

func (l *lookAtBody) RoundTrip(r *http.Request) (*http.Response, error) {
	l.guarded = r.Body != nil && r.Body != http.NoBody && r.GetBody == nil
	return l.next.RoundTrip(r)
}

func failsafeAbove(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	return by(&http.Client{Transport: failsafehttp.NewRoundTripper(newTransport(over(srv, base, scopes...)), bulkhead.New[*http.Response](10))})
}

func failsafeBelow(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	return by(newClient(over(srv, failsafehttp.NewRoundTripper(base, newBreaker(100)), scopes...)))
}

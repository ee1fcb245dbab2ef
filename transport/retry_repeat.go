package transport

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-okru/okru/internal/roundtrip"
)

// repeats is a request whose first attempt failed, while it is repeated.
//
// A retryablehttp.Client runs the loop and the pauses, and asks repeats to
// send, to decide, and how long to pause. It sees blank requests and answers
// only. The real ones stay here, out of reach of what it and its http.Client
// do to them: follow redirects, shorten bodies, drop last answers, wrap errors
// and print URLs. Nor can it flush a connection pool that others share.
type repeats struct {
	layer   *retrier
	attempt Attempt       // the last one
	again   bool          // the policy wants another one
	err     error         // replaces the outcome if there is none
	next    *http.Request // what to send; nil: the first attempt was sent
}

// repeat repeats the request of a, which the policy said to repeat.
func (t *retrier) repeat(a Attempt, err error) (*http.Response, error) {
	c := &repeats{layer: t, attempt: a, again: true, err: err}
	loop := retryablehttp.Client{
		HTTPClient: &http.Client{Transport: c},
		RetryMax:   math.MaxInt, // check counts
		CheckRetry: c.check,
		Backoff:    func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return c.attempt.Delay },
	}
	blank := &http.Request{Method: http.MethodGet, URL: new(url.URL), Header: http.Header{}}
	_, err = loop.Do(&retryablehttp.Request{Request: blank.WithContext(a.Request.Context())})
	if err != nil {
		return nil, c.abandon(err)
	}
	return t.conclude(c.attempt, c.err)
}

// RoundTrip sends the next attempt and returns a blank answer. The first time
// there is nothing to send: the first attempt is what led here.
func (c *repeats) RoundTrip(blank *http.Request) (*http.Response, error) {
	if c.next != nil {
		c.send()
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: blank}, nil
}

func (c *repeats) send() {
	caller := c.attempt.Request
	if err := caller.Context().Err(); err != nil { // with the pause, or in it
		c.attempt = Attempt{N: c.attempt.N, Request: caller, Err: c.abandon(err)}
		c.again = false
		return
	}
	next := c.next
	c.next = nil
	c.attempt = Attempt{N: c.attempt.N + 1, Request: caller}
	c.attempt.Response, c.attempt.Err = c.layer.send(caller, next)
	c.again, c.err = c.layer.ask(c.attempt)
}

// abandon takes the next attempt back and returns err.
func (c *repeats) abandon(err error) error {
	roundtrip.CloseRequest(c.next)
	c.layer.budget.refund()
	return err
}

// check tells the loop whether to go on.
func (c *repeats) check(context.Context, *http.Response, error) (bool, error) {
	return c.again && c.prepare(), nil
}

// prepare gets all that another attempt takes. Unless it succeeds, the last
// outcome stays as it is.
func (c *repeats) prepare() bool {
	t, a := c.layer, &c.attempt
	if a.N > t.settings.Max || a.Request.Context().Err() != nil || !hasBodies(a.Request) {
		return false
	}
	delay, ok := t.pause(*a)
	if !ok {
		return false
	}
	if !t.budget.take() {
		c.explain(ErrBudget)
		return false
	}
	var err error
	if c.next, err = renewed(a.Request); err != nil {
		t.budget.refund()
		c.explain(fmt.Errorf("okru: not repeated, GetBody failed (%w)", err))
		return false
	}
	a.Delay = delay
	if t.settings.OnRetry != nil {
		t.settings.OnRetry(*a)
	}
	roundtrip.Discard(a.Response)
	return true
}

// explain adds to an error of the transport why there is no repeat. An answer
// stays as it is, also when a layer below has made it an error.
func (c *repeats) explain(why error) {
	a := &c.attempt
	if _, isAnswer := a.apiError(); a.Err != nil && !isAnswer {
		a.Err = &unrepeated{cause: a.Err, why: why}
	}
}

// hasBodies reports whether r has a body for every attempt, or needs none.
func hasBodies(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// renewed returns a copy of r with a body that was not read yet.
func renewed(r *http.Request) (*http.Request, error) {
	next := *r
	if r.Body == nil || r.Body == http.NoBody {
		return &next, nil
	}
	fresh, err := r.GetBody()
	next.Body = fresh
	return &next, err
}

package transport

// How Retry uses go-retryablehttp: the library runs the loop, the pauses and
// their cancellation, and asks a loop what to send, whether to repeat and how
// long to pause. It gets a substitute request, with the verb of the call and
// its URL without secrets, because what it and its http.Client do to a real one
// would break the contract of a RoundTripper: follow redirects, drop the last
// response, wrap errors, flush a connection pool that others use, print URLs.
// Without a Logger or log hook of [Retry.Client] the first attempt bypasses the
// library, so that a call that succeeds at once costs nothing.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A loop is the retry loop of one request, which it sends until the policy wants no
// more. It is the RoundTripper of the library's http.Client.
type loop struct {
	layer      *retrier
	caller     *http.Request // the request that the layer was given
	next       *http.Request // what to send next; nil: nothing
	isPaid     bool          // the budget was charged for next
	last       Attempt       // N 0: nothing was sent yet
	again      bool          // the policy wants another attempt after the last one
	err        error         // replaces the last outcome if it stays the last one
	mayHaveRun bool          // the request is a write, and an attempt before the last one may have run
}

// run returns the outcome of the last attempt.
func (l *loop) run() (*http.Response, roundtrip.Verdict, error) {
	defer l.release()
	if l.last.N > 0 {
		if l.again, l.err = l.layer.decide(l.last); !l.again {
			return l.conclude()
		}
	}
	log := &l.layer.log
	client := retryablehttp.Client{
		// The loop is the transport of this client: the library asks it for each
		// attempt.
		HTTPClient: &http.Client{Transport: l},
		RetryMax:   l.layer.settings.Max,
		CheckRetry: func(context.Context, *http.Response, error) (bool, error) { return l.again && l.prepare(), nil },
		Backoff:    func(time.Duration, time.Duration, int, *http.Response) time.Duration { return l.last.Delay },
		// Without it, the library closes the last response and returns an error of
		// its own.
		ErrorHandler:    retryablehttp.PassthroughErrorHandler,
		Logger:          log.Logger,
		RequestLogHook:  copyRequest(log.RequestLogHook),
		ResponseLogHook: log.ResponseLogHook,
	}
	_, err := client.Do(&retryablehttp.Request{Request: substituteRequest(l.layer.Hosts, l.caller)})
	if l.next != nil { // which was not sent: the context has ended during the pause
		l.last, l.err = Attempt{Request: l.caller, Err: err}, nil
	}
	return l.conclude()
}

// RoundTrip sends the next attempt, unless it was sent before the library was
// called, and returns a substitute for the outcome.
func (l *loop) RoundTrip(substitute *http.Request) (*http.Response, error) {
	if l.next != nil {
		if l.last.N > 0 && l.caller.Context().Err() != nil { // ended together with the pause
			return nil, l.caller.Context().Err()
		}
		l.send()
	}
	if l.last.Err != nil {
		return nil, l.last.Err
	}
	return substituteResponse(substitute, l.last.Response), nil
}

// send sends the next attempt, and decides whether there is another one after
// it.
func (l *loop) send() {
	next := l.next
	l.next = nil
	n := l.last.N + 1
	resp, v, sent, err := l.layer.send(l.caller, next, n) // if that panics, release refunds the repeat
	l.setLast(n, resp, v, sent, err)
	if l.isPaid && l.last.isUnsent() {
		l.layer.budget.refund()
	}
	l.isPaid = false
	l.again, l.err = l.layer.decide(l.last)
}

// setLast makes attempt number n, with what send has returned, the last one.
func (l *loop) setLast(n int, resp *http.Response, v roundtrip.Verdict, sent bodyState, err error) {
	l.last = Attempt{N: n, Request: l.caller, Response: resp, Err: err, hosts: l.layer.Hosts, verdict: v, sent: sent}
}

// prepare makes everything ready that another attempt needs. If it returns
// false the last outcome stays as it is.
func (l *loop) prepare() bool {
	t, a := l.layer, &l.last
	if a.N > t.settings.Max || l.caller.Context().Err() != nil || !hasBodies(l.caller) {
		return false
	}
	// What costs nothing is checked first. The budget is charged before GetBody is
	// called, since a program may open a file there.
	delay, ok := t.pause(*a)
	if !ok {
		return false
	}
	if !t.budget.take() {
		l.explain(ErrBudget)
		return false
	}
	l.isPaid = true
	next, err := withNewBody(l.caller)
	if err != nil {
		l.explain(fmt.Errorf("okru: not repeated, GetBody failed (%w)", err))
		return false
	}
	l.next = next
	a.Delay = delay
	if t.settings.OnRetry != nil {
		t.settings.OnRetry(*a)
	}
	l.mayHaveRun = l.mayHaveRun || a.mayHaveRun()
	roundtrip.Discard(a.Response)
	return true
}

// explain adds to an error of the transport why there is no repeat. A response
// stays as it is, also when a layer below has made it an error.
func (l *loop) explain(reason error) {
	if a := &l.last; a.Err != nil && a.apiError() == nil {
		a.Err = &notRepeatedError{cause: a.Err, reason: reason}
	}
}

// conclude returns the last outcome to the caller.
func (l *loop) conclude() (*http.Response, roundtrip.Verdict, error) {
	t, a := l.layer, l.last
	if !t.budget.full() && a.isSuccess() {
		t.budget.earn()
	}
	if o := okcall.FromContext(l.caller.Context()); l.mayHaveRun && o.IsCaller() {
		o.Caller.SetMayHaveRun()
	}
	err := a.Err
	if l.err != nil {
		err = l.err
	}
	if err == nil {
		l.last.Response = nil // the caller closes it
		a.verdict.MayHaveRun = l.mayHaveRun
		return a.Response, a.verdict, nil
	}
	err = roundtrip.WithContext(l.caller.Context(), err)
	// The last attempt did not run, but an earlier one may have.
	if l.mayHaveRun && !errors.Is(err, okerrors.ErrOutcomeUnknown) {
		err = &attemptError{err: err, sent: true, write: true}
	}
	return nil, roundtrip.Verdict{}, err
}

// release ends what the loop has begun and not handed on, also after a panic.
func (l *loop) release() {
	if l.isPaid {
		l.layer.budget.refund()
	}
	if l.next != nil {
		roundtrip.CloseRequest(l.next)
	}
	roundtrip.Discard(l.last.Response)
}

// hasBodies reports whether r has a body for every attempt, or needs none.
func hasBodies(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// withNewBody returns a copy of r with a body that was not read yet.
func withNewBody(r *http.Request) (*http.Request, error) {
	next := *r
	if r.Body == nil || r.Body == http.NoBody {
		return &next, nil
	}
	body, err := okcall.NewBody(r)
	next.Body = body
	return &next, err
}

package transport

// This file has the layer of a Retry up to its first attempt. Nearly all calls
// succeed at once, and leave the layer here without a loop.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// retrier is the layer of a Retry. In its settings, zero is zero.
type retrier struct {
	roundtrip.Base
	settings  Retry // with those of the Client, and with the defaults
	log       clientHooks
	fault     error   // what is wrong with the settings
	budget    *budget // shared by all requests
	isSigned  bool    // a Signer below sends the calls of the REST API
	hasGroup  bool    // a Group below sends those of the Graph API
	byDefault bool    // Retryable decides
	isLogged  bool    // every attempt goes through the library
}

// RoundTrip implements [http.RoundTripper].
func (t *retrier) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, _, err := t.RoundTripVerdict(r)
	return resp, err
}

// RoundTripVerdict implements [roundtrip.Verdicter].
func (t *retrier) RoundTripVerdict(r *http.Request) (*http.Response, roundtrip.Verdict, error) {
	if t.fault != nil {
		roundtrip.CloseRequest(r)
		return nil, roundtrip.Verdict{}, terminal(t.fault)
	}
	if t.isLogged {
		return (&loop{layer: t, caller: r, next: r}).run()
	}
	a := t.send(r, r, 1)
	if t.byDefault && a.Err == nil && a.verdict.Err == nil && a.Response.StatusCode < 400 && t.budget.full() {
		return a.Response, a.verdict, nil // the usual case, for which the rest would do nothing
	}
	return (&loop{layer: t, caller: r, last: a}).run()
}

// send sends attempt number n of the caller's request: r, which is the caller's
// request or a copy of it.
func (t *retrier) send(caller, r *http.Request, n int) Attempt {
	ctx := caller.Context()
	options := okcall.FromContext(ctx)
	if options != nil && options.Attempts != nil {
		options.Attempts.Add(1)
	}
	a := Attempt{N: n, Request: caller, hosts: t.Hosts}
	isCall, isSent, timeout := t.Hosts.IsCall(caller.URL), false, time.Duration(0)
	if isCall {
		isSent = t.isSentBelow(caller.URL)
		timeout = t.timeout(caller.URL)
	}
	// The lowest layer applies the timeout and reports the number, so they travel
	// in the context. It is made only where it says something: it costs an
	// allocation.
	if options.Traced() && n > 1 || isSent && timeout > 0 { // number 1 is what layers below assume
		r = r.WithContext(okcall.With(ctx, func(o *okcall.Options) { o.Attempt, o.AttemptTimeout = n, cmp.Or(timeout, o.AttemptTimeout) }))
	}
	var trace tracer
	if isSent { // the layer below applies the timeout, and reports to the Trace
		a.Response, a.verdict, a.Err = t.Send(r)
	} else {
		trace = newTracer(options, n)
		trace.attempt(t.Hosts, caller, r, Auto)
		if mustTrack(&t.Base, r.Body) {
			private := *r
			r = &private
		}
		a.Response, a.verdict, a.sent, a.Err = sendAttempt(&t.Base, r, timeout, func() bool { return isCall && !a.isSafe() })
	}
	a.inspect(isCall)
	trace.done(a.Response, a.verdict, a.Err)
	return a
}

// inspect completes a, which was sent: it has either a response or an error, and for
// a call the verdict about the response.
func (a *Attempt) inspect(isCall bool) {
	if a.Err != nil {
		roundtrip.Discard(a.Response) // there should be none
		a.Response = nil
		return
	}
	a.Response.Request = a.Request
	// If a layer of others is between this one and the Signer, it does not pass the
	// verdict on.
	if isCall && !a.verdict.Inspected {
		a.verdict.Inspected = true
		if e, failed := okerrors.FromResponse(a.Response); failed {
			a.verdict.Err = e
		}
	}
}

// isSentBelow reports whether a Signer or a Group below sends the call to u.
func (t *retrier) isSentBelow(u *url.URL) bool {
	if okcall.IsGraphPath(u.Path) {
		return t.hasGroup
	}
	return t.isSigned
}

// timeout returns the AttemptTimeout of the call to u. A long poll has none: its
// response waits for an event.
func (t *retrier) timeout(u *url.URL) time.Duration {
	if okcall.IsLongPoll(u.Path) {
		return 0
	}
	return t.settings.AttemptTimeout
}

// decide reports whether the policy wants another attempt after a, and returns
// the error, if any, that replaces the outcome when there is none.
func (t *retrier) decide(a Attempt) (again bool, err error) {
	switch s := &t.settings; {
	case a.Err != nil && roundtrip.IsTerminal(a.Err):
		return false, nil
	case s.CheckRetry != nil:
		return checkRetry(s.CheckRetry, a)
	case s.If != nil:
		return s.If(a), nil
	// The policy of a configured client knows statuses and errors, and neither
	// codes nor writes. It decides only what it can know.
	case t.log.CheckRetry != nil && a.apiError() == nil && (a.outcome() == notRun || a.isSafe()):
		return checkRetry(t.log.CheckRetry, a)
	}
	return Retryable(a), nil
}

// Format implements [fmt.Formatter]. The RoundTripper below may have secrets, and
// is not printed.
func (t *retrier) Format(f fmt.State, _ rune) {
	redact.Format(f, fmt.Sprintf("transport.Retry(%T)", t.Next))
}

// MarshalJSON implements [json.Marshaler] in the same way.
func (t *retrier) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprint(t)) }

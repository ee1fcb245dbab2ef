package transport

// This file has the layer of a Retry up to its first attempt. Nearly all calls
// succeed at once, and leave the layer here without a loop.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"

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
	resp, v, sent, err := t.send(r, r, 1)
	if t.byDefault && err == nil && v.Err == nil && resp.StatusCode < 400 && t.budget.full() {
		return resp, v, nil // the usual case, for which the rest would do nothing
	}
	l := &loop{layer: t, caller: r}
	l.setLast(1, resp, v, sent, err)
	return l.run()
}

// send sends attempt number n of the caller's request: r, which is the caller's
// request or a copy of it. It returns either a response, with the verdict about it, or
// an error, with what is known about the body of the request.
func (t *retrier) send(caller, r *http.Request, n int) (resp *http.Response, v roundtrip.Verdict, sent bodyState, err error) {
	ctx := caller.Context()
	options := okcall.FromContext(ctx)
	if options != nil && options.Attempts != nil {
		options.Attempts.Add(1)
	}
	kind := t.Hosts.KindOf(caller.URL)
	isCall := kind != okcall.NoCall
	isSent := kind == okcall.REST && t.isSigned || kind == okcall.Graph && t.hasGroup // by a layer below
	timeout := t.settings.AttemptTimeout
	if timeout > 0 && (!isCall || okcall.IsLongPoll(caller.URL.Path)) { // the response to a long poll waits for an event
		timeout = 0
	}
	// The lowest layer applies the timeout and reports the number, so they travel
	// in the context. It is made only where it says something: it costs an
	// allocation.
	if options.Traced() && n > 1 || isSent && timeout > 0 { // number 1 is what layers below assume
		r = r.WithContext(okcall.With(ctx, func(o *okcall.Options) { o.Attempt, o.AttemptTimeout = n, cmp.Or(timeout, o.AttemptTimeout) }))
	}
	var trace *tracer
	if isSent { // the layer below applies the timeout, and reports to the Trace
		resp, v, err = t.Send(r)
	} else {
		trace = newTracer(options, n)
		trace.attempt(t.Hosts, caller, r, Auto)
		if r.Body != nil { // which sendAttempt may replace
			private := *r
			r = &private
		}
		isWrite := func() bool { return isCall && !Attempt{Request: caller, hosts: t.Hosts}.isSafe() }
		resp, v, sent, err = sendAttempt(&t.Base, r, timeout, isWrite)
	}
	if err == nil {
		resp.Request = caller
		if isCall && !v.Inspected {
			v = inspect(resp)
		}
	}
	trace.done(resp, v, err)
	return resp, v, sent, err
}

// inspect returns the verdict about resp, the response to a call. A layer of others,
// which may be between this one and the Signer, does not pass the verdict on.
func inspect(resp *http.Response) roundtrip.Verdict {
	v := roundtrip.Verdict{Inspected: true}
	if e, failed := okerrors.FromResponse(resp); failed {
		v.Err = e
	}
	return v
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

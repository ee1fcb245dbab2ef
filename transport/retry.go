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
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// Retry repeats requests that failed, if that is safe. The zero value repeats
// what [Retryable] reports, at most three times, with growing pauses.
//
// # What is repeated
//
// CheckRetry decides by the outcome of an attempt; without it If does; without
// both the CheckRetry of Client, within limits; and without any Retryable.
// Whatever they return, a request is not repeated
//
//   - after the end of its context;
//   - after an error whose method Terminal() bool returns true, by which the
//     layers below report that they rejected the request themselves;
//   - if it has a body but no GetBody, or GetBody fails;
//   - if the pause would last until the context's deadline or longer;
//   - if the server asks, by Retry-After, for a pause longer than MaxDelay;
//   - after Max repeats, or when the retry budget is spent.
//
// The caller then gets the last outcome: a response with its body to read, or
// the error of the layer below.
//
// # Pauses
//
// The pause before repeat number n, the first being 0, is drawn evenly from
// [0, min(MaxDelay, MinDelay·2^n)]: full jitter, see
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
// The server can ask for more:
//
//   - Retry-After (RFC 9110, section 10.2.3), in seconds or as a date, which
//     counts from the Date of the response. The jitter comes on top; its bound
//     is a fifth of the Retry-After, if that is more.
//   - API code 8, flood protection, means a pause from the upper half of
//     MaxDelay.
//
// # Budget
//
// Each layer has a retry budget, so that an outage does not multiply its own
// load. It starts with 200 repeats, which is also the most it holds; each
// repeat takes one, unless it fails before it is sent, and five successes earn
// one. When it is spent, a response is returned as it is, and an error of the
// transport inside one that matches [ErrBudget] as well.
//
// # Writes that may have run
//
// The error of a write, which is any call not known to be safe, matches
// okerrors.ErrOutcomeUnknown if any of its attempts may have run.
//
// # On the wire
//
// The first attempt is the caller's request as it is; a body that is not in
// memory is wrapped. A repeat is a copy with a new body from GetBody. A response
// that is followed by a repeat is read up to 64 KiB and closed, so that its
// connection can be used again.
//
// [http.Transport] repeats some requests by itself if a connection that it had
// kept breaks: those without a body, or with GetBody, that are sent by GET, HEAD
// or OPTIONS, or that have a header Idempotency-Key or X-Idempotency-Key. A
// [Signer] below makes it send calls that are not safe to repeat only once.
// Without one, make writes by POST, without such a header.
//
// # Panics
//
// A panic in If, OnRetry, CheckRetry, Backoff, a Logger or a hook goes up to
// the caller. All bodies are closed, and a repeat that was not sent costs the
// budget nothing.
type Retry struct {
	// Max is how often a request is repeated after the first attempt. Zero
	// means 3, negative none.
	Max int

	// MinDelay bounds the first pause; each further bound is twice as long.
	// Zero means 100 ms. Negative means no pauses but those that the server
	// asks for.
	MinDelay time.Duration

	// MaxDelay bounds every pause, except for the jitter added to a
	// Retry-After and for what Backoff returns. Zero means 10 s. Negative means
	// no pauses at all: a response that asks for one is returned.
	MaxDelay time.Duration

	// AttemptTimeout bounds each attempt of an API call, from the moment it is
	// passed to the RoundTripper below all layers of this module until that
	// returns a response. Zero and negative mean no bound. The waits for a
	// limiter, a session or a connection of the limiter's own do not count. An
	// attempt that takes longer fails with a timeout, after which the call is
	// repeated if that is safe. The deadline of the caller bounds all attempts
	// together. Uploads and other requests that are not API calls have no such
	// bound, nor has a long poll of the Graph API, graph/me/updates.
	AttemptTimeout time.Duration

	// If decides whether to repeat after an attempt. It is called after every
	// attempt, successes included, from many goroutines at once. It may
	// inspect the response by okerrors.FromResponse but must not read or close
	// its body. If nil, Retryable decides.
	If func(Attempt) bool

	// OnRetry, if not nil, is called before the pause that precedes a repeat,
	// with the attempt that failed. The response is closed afterwards. OnRetry
	// is called from many goroutines at once.
	OnRetry func(Attempt)

	// CheckRetry, if not nil, decides instead of If, by the rules of package
	// retryablehttp: an error of the transport is a *url.Error, and an error
	// that CheckRetry returns replaces the outcome, unless the request is
	// repeated. The response is then closed; unlike there, CheckRetry need not
	// close the response itself.
	CheckRetry retryablehttp.CheckRetry

	// Backoff, if not nil, returns how long to pause, instead of full jitter
	// and the rule for code 8. It is given MinDelay and MaxDelay, the number of
	// the repeat, from 0, and the response, if there is one. A Retry-After is
	// still waited for if it is longer.
	Backoff retryablehttp.Backoff

	// Client, if not nil, is a configured client of retryablehttp. Where the
	// fields above are zero, its RetryMax, RetryWaitMin, RetryWaitMax, CheckRetry
	// and Backoff apply, with the meaning they have there: a RetryMax of 0 is no
	// repeat.
	//
	// Its CheckRetry, which retryablehttp.NewClient always sets, knows neither
	// the API's codes nor its methods. It decides only about requests that are
	// safe to repeat or certainly did not run, and only after an error of the
	// transport or a response without an API error. Retryable decides about the
	// others.
	//
	// Its Logger, RequestLogHook and ResponseLogHook see every attempt: the verb
	// of the call, its URL with the API method and no other parameter, and the
	// status and header of the response. What a hook changes has no effect. A
	// Logger that is neither a retryablehttp.Logger nor a LeveledLogger makes
	// every request fail. HTTPClient, ErrorHandler and PrepareRetry have no
	// effect.
	Client *retryablehttp.Client
}

// Defaults of [Retry].
const (
	defaultMax      = 3
	defaultMinDelay = 100 * time.Millisecond
	defaultMaxDelay = 10 * time.Second
)

// Wrap returns the layer over next; nil means [http.DefaultTransport]. It
// copies r: later changes have no effect. The layer has a retry budget of its
// own, so a client should be wrapped once and shared. It is safe for
// concurrent use by multiple goroutines.
func (r Retry) Wrap(next http.RoundTripper) http.RoundTripper {
	t := &retrier{Base: roundtrip.On(next), fault: r.Check(), budget: newBudget()}
	_, t.isSigned = roundtrip.AsType[*signer](next)
	_, t.hasGroup = roundtrip.AsType[*groupLayer](next)
	r.applyClient(&t.log)
	r.Max = max(0, cmp.Or(r.Max, defaultMax))
	r.MinDelay = max(0, cmp.Or(r.MinDelay, defaultMinDelay))
	r.MaxDelay = max(0, cmp.Or(r.MaxDelay, defaultMaxDelay))
	t.settings = r
	t.byDefault = r.If == nil && r.CheckRetry == nil && t.log.CheckRetry == nil
	t.isLogged = t.log.Logger != nil || t.log.RequestLogHook != nil || t.log.ResponseLogHook != nil
	return t
}

// WithAttempts returns a context whose calls add 1 to n for every attempt that
// [Retry] sends, before it is sent. A call that was not repeated adds 1.
func WithAttempts(ctx context.Context, n *atomic.Int32) context.Context {
	return okcall.With(ctx, func(o *okcall.Options) { o.Attempts = n })
}

// retrier is the layer of a Retry. In its settings, zero is zero.
type retrier struct {
	roundtrip.Base
	settings  Retry
	log       clientHooks
	fault     error // what is wrong with the settings
	budget    *budget
	isSigned  bool // a Signer below sends the calls of the REST API
	hasGroup  bool // a Group below sends those of the Graph API
	byDefault bool // Retryable decides
	isLogged  bool // every attempt goes through the library
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
	if options.Traced() && n > 1 || isSent && timeout > 0 { // number 1 is what layers below assume
		r = r.WithContext(okcall.With(ctx, func(o *okcall.Options) { o.Attempt, o.AttemptTimeout = n, cmp.Or(timeout, o.AttemptTimeout) }))
	}
	var trace tracer
	if isSent { // the layer below applies the timeout, and reports to the Trace
		a.Response, a.verdict, a.Err = t.Send(r)
	} else {
		trace = newTracer(options, n)
		trace.attempt(t.Hosts, caller, r, Auto)
		a.Response, a.verdict, a.sent, a.Err = sendAttempt(&t.Base, r, timeout, func() bool { return isCall && !a.isSafe() })
	}
	switch {
	case a.Err != nil:
		roundtrip.Discard(a.Response) // there should be none
		a.Response = nil
	default:
		a.Response.Request = caller
		if isCall && !a.verdict.Inspected {
			a.verdict.Inspected = true
			if e, failed := okerrors.FromResponse(a.Response); failed {
				a.verdict.Err = e
			}
		}
	}
	trace.done(a.Response, a.verdict, a.Err)
	return a
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
	case t.log.CheckRetry != nil && a.apiError() == nil && (a.outcome() == notRun || a.isSafe()):
		return checkRetry(t.log.CheckRetry, a)
	}
	return Retryable(a), nil
}

// A loop is the retry loop of one request, which it sends until the policy wants no
// more. It is the
// RoundTripper of the library's http.Client.
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
		HTTPClient:      &http.Client{Transport: l},
		RetryMax:        l.layer.settings.Max,
		CheckRetry:      func(context.Context, *http.Response, error) (bool, error) { return l.again && l.prepare(), nil },
		Backoff:         func(time.Duration, time.Duration, int, *http.Response) time.Duration { return l.last.Delay },
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
			l.again = false
			return nil, l.caller.Context().Err()
		}
		l.send()
	}
	if l.last.Err != nil {
		return nil, l.last.Err
	}
	return substituteResponse(substitute, l.last.Response), nil
}

func (l *loop) send() {
	next := l.next
	l.next = nil
	l.last = l.layer.send(l.caller, next, l.last.N+1) // if that panics, release refunds the repeat
	if l.isPaid && l.last.isUnsent() {
		l.layer.budget.refund()
	}
	l.isPaid = false
	l.again, l.err = l.layer.decide(l.last)
}

// prepare makes everything ready that another attempt needs. If it returns
// false the last outcome stays as it is.
func (l *loop) prepare() bool {
	t, a := l.layer, &l.last
	if a.N > t.settings.Max || l.caller.Context().Err() != nil || !hasBodies(l.caller) {
		return false
	}
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
	a.Response = nil
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
	if o := okcall.FromContext(l.caller.Context()); l.mayHaveRun && o != nil && o.Caller != nil {
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

// Format implements [fmt.Formatter]. The RoundTripper below may have secrets, and
// is not printed.
func (t *retrier) Format(f fmt.State, _ rune) {
	redact.Format(f, fmt.Sprintf("transport.Retry(%T)", t.Next))
}

// MarshalJSON implements [json.Marshaler] in the same way.
func (t *retrier) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprint(t)) }

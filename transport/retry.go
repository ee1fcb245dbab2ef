package transport

// This file has the settings of Retry. The layer is in retry_layer.go, its loop in
// retry_loop.go, the policy in retry_policy.go, and the pauses and the budget in
// retry_backoff.go.

import (
	"cmp"
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-okru/okru/internal/okcall"
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
//
// # Requests by hooks
//
// While If, OnRetry, CheckRetry, Backoff or a hook runs, the response holds its
// connection. A request that such a function sends through the same transport
// may need another one: with [http.Transport.MaxConnsPerHost] 1 over HTTP/1.1 it
// would wait forever. Give it a transport of its own, or a context that ends.
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
	// bound; neither has a long poll of the Graph API, graph/me/updates.
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

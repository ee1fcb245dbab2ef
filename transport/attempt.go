package transport

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/lookahead"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// An Attempt is one request that [Retry] sent, and its outcome: either
// Response or Err is set.
type Attempt struct {
	// N is the number of the attempt: the first one is 1.
	N int

	// Request is the request that the layer was given. It must not be changed.
	Request *http.Request

	// Response is the answer, whose Request is the one above.
	Response *http.Response

	// Err is the error of the layer below.
	Err error

	// Delay is the pause before the next attempt. It is known in
	// [Retry.OnRetry] only, and 0 elsewhere.
	Delay time.Duration
}

// Retryable is the policy of a [Retry] without If and CheckRetry. It tells
// whether to repeat the request of a.
//
// Any request is repeated if it surely did not run, that is after
//
//   - an error before it was sent: of dialing, of a name's look-up, of the
//     connection through a proxy, or a refused connection;
//   - status 429, and 503 with Retry-After;
//   - API code 8, flood protection.
//
// A request that may have run is repeated only if it is safe to repeat, after
//
//   - any other error of the transport;
//   - status 500, 502, 503 and 504;
//   - API codes 2 and 31, and once after 1 and 9999.
//
// API code 5000, and one without a constant in package okerrors, says nothing
// about a repeat: the status decides, as if there were no code.
//
// Never repeated are requests that failed with any other API code, be it a
// quota, a session, a signature or bad input, whatever the status; with a
// certificate that does not verify; with the end of a context; or with an
// error whose method Terminal() bool returns true.
//
// A call is safe to repeat if the last part of its API method is get, is, has,
// search or find, alone or followed by an upper-case letter, and not
// getUploadUrl, which creates something. HTTP methods say nothing here, since
// the API takes any call by GET or POST. [WithIdempotent] overrides that for
// one call. The example lists the safe ones among the known API methods.
//
// Requests that are no API calls, such as uploads, name no method and so are
// not safe, and their answers are judged by their status alone. A call to
// /api/GROUP/NAME on a host of [Signer.Hosts] that is neither of ok.ru nor
// loopback is known by the answer that a Signer below got: an error of the
// transport is then repeated only if the call did not run or is marked by
// WithIdempotent.
func Retryable(a Attempt) bool {
	switch a.fate() {
	case notRun:
		return true
	case unknown:
		return a.isSafe()
	case unknownOnce:
		return a.N <= 1 && a.isSafe()
	}
	return false
}

func (a Attempt) isSafe() bool {
	if a.Request == nil {
		return false
	}
	method := ""
	_, failed := a.apiError()
	if failed || lookahead.IsMarked(a.Response) || a.Request.URL != nil && okcall.IsCall(a.Request.URL) {
		method = okcall.Method(a.Request)
	}
	return safeToRepeat(okcall.FromContext(a.Request.Context()), method)
}

// isSuccess reports whether the server is well, judging by a. Refusing a call
// for what the call is counts as being well.
func isSuccess(a Attempt) bool {
	if a.Err != nil || a.Response == nil {
		return false
	}
	if status := a.Response.StatusCode; status >= 500 || status == http.StatusTooManyRequests {
		return false
	}
	e, failed := a.apiError()
	return !failed || !e.Code.Is(okerrors.ErrTransient) && !e.Code.Is(okerrors.ErrThrottled)
}

// isFlood reports whether a ended with the code of the flood protection.
func isFlood(a Attempt) bool {
	e, failed := a.apiError()
	return failed && e.Code == okerrors.CodeFloodBlocked
}

// retryAfter returns how long resp says to wait; 0 if it does not.
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	wait, _ := roundtrip.RetryAfter(resp.Header, time.Now())
	return wait
}

// WithAttempts returns a context whose calls add 1 to n for every attempt that
// [Retry] sends, before it is sent. A call that was not repeated adds 1.
func WithAttempts(ctx context.Context, n *atomic.Int32) context.Context {
	return okcall.With(ctx, func(v *okcall.Options) { v.Attempts = n })
}

package transport

// This file has the retry policy: the table of outcomes, and which calls are safe
// to repeat. It has no state and sends nothing.

import (
	"errors"
	"net/http"
	"slices"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// An Attempt is one request that [Retry] sent, and how it ended: either
// Response or Err is set.
type Attempt struct {
	// N is the number of the attempt: the first one is 1.
	N int

	// Request is the request that the layer was given. It must not be changed.
	Request *http.Request

	// Response is the response, whose Request is the one above.
	Response *http.Response

	// Err is the error of the layer below.
	Err error

	// Delay is the pause before the next attempt. It is set in
	// [Retry.OnRetry] only, and 0 elsewhere.
	Delay time.Duration

	hosts   *okcall.Hosts     // of the stack; nil: the default ones
	verdict roundtrip.Verdict // about Response
	sent    bodyState         // of the body of Request; what Err proves depends on it
}

// Retryable is the retry policy of a [Retry] without If and CheckRetry. It reports
// whether to repeat the request of a.
//
// Any request is repeated if it certainly did not run, that is after
//
//   - an error of dialing, name lookup or a proxy's CONNECT, if no part of the
//     request body was read;
//   - status 429, and 503 with Retry-After;
//   - API code 8, flood protection.
//
// A request that may have run is repeated only if it is safe to repeat, after
//
//   - any other error of the transport, [Retry.AttemptTimeout] and deadlines
//     of layers below included;
//   - status 408, 421, 425, 500, 502, 503 and 504;
//   - API codes 2 and 31, and once after 1 and 9999.
//
// API codes 1, 2, 31, 5000 and 9999 prove that the API received the call:
// whatever the status, the call may have run. A code without a constant in
// package okerrors proves nothing: the status decides.
//
// Never repeated are requests that failed with any other API code, be it a
// quota, a session, a signature or bad input, whatever the status; with an
// error that no repeat can fix, such as a certificate that does not verify, an
// invalid header, an unknown scheme, http sent to an https server or the
// reverse, or wrong credentials for a proxy; after the end of the context; or
// with an error whose method Terminal() bool returns true.
//
// A call is safe to repeat if the last part of its API method is get, is, has,
// search or find, alone or followed by an upper-case letter, and not
// getUploadUrl, which creates something. A GET of the Graph API is safe, too.
// Otherwise the verb of HTTP means nothing, since the API accepts any call by
// GET or POST. [WithIdempotent] overrides this for one call. The example lists
// the safe methods among the known ones.
//
// Requests that are not API calls, such as uploads, name no method and so are
// not safe unless WithIdempotent says so, and their responses are judged by
// status alone. An Attempt that Retry made knows the [Signer.Hosts] of its
// stack; for any other, api.ok.ru is the only host of the API.
func Retryable(a Attempt) bool {
	switch a.outcome() {
	case notRun:
		return true
	case mayHaveRun:
		return a.isSafe()
	case mayHaveRunOnce:
		return a.N <= 1 && a.isSafe()
	}
	return false
}

// An outcome is what the end of an attempt means for a repeat. A greater one
// allows more repeats.
type outcome int

const (
	final          outcome = iota // another attempt would end the same way
	mayHaveRunOnce                // the request may have run; one repeat may help
	mayHaveRun                    // the request may have run; repeats may help
	notRun                        // the request certainly did not run
)

// outcome returns what the end of a means. An API error decides before the
// status, and an error that is not of the API before both.
func (a Attempt) outcome() outcome {
	e := a.apiError()
	switch {
	case e != nil:
		return outcomeOfCode(e.Code, a.outcomeOfStatus(e.Status))
	case a.Err != nil:
		return a.outcomeOfError()
	case a.Response != nil:
		return a.outcomeOfStatus(a.Response.StatusCode)
	}
	return final
}

// kind returns which API a calls.
func (a Attempt) kind() okcall.Kind {
	hosts := a.hosts
	if hosts == nil {
		hosts = okcall.Default
	}
	if a.Request == nil {
		return okcall.NoCall
	}
	return hosts.KindOf(a.Request.URL)
}

// isCall reports whether a is an attempt of an API call.
func (a Attempt) isCall() bool { return a.kind() != okcall.NoCall }

// apiError returns the API error that a ended with, or nil. Responses of other
// services are not inspected: they may be streams that have yet to begin.
func (a Attempt) apiError() *okerrors.Error {
	switch {
	case roundtrip.IsTerminal(a.Err):
		return nil // of another call, such as one for a session
	case a.Err != nil:
		e, _ := errors.AsType[*okerrors.Error](a.Err)
		return e
	case a.verdict.Inspected:
		e, _ := a.verdict.Err.(*okerrors.Error)
		return e
	case a.Request == nil || a.isCall():
		e, _ := okerrors.FromResponse(a.Response)
		return e
	}
	return nil
}

// outcomeOfStatus returns the outcome by an HTTP status, that of a.Response if
// there is one.
func (a Attempt) outcomeOfStatus(status int) outcome {
	switch status {
	case http.StatusTooManyRequests:
		return notRun
	// A server that knows when to come back has not begun the call. A 503 without
	// it may be of a proxy whose server broke off. RFC 9110, section 15.6.4,
	// leaves that open.
	case http.StatusServiceUnavailable:
		if a.Response == nil {
			return mayHaveRun
		}
		if _, ok := roundtrip.RetryAfter(a.Response.Header, time.Time{}); ok {
			return notRun
		}
		return mayHaveRun
	case http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusTooEarly,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return mayHaveRun
	}
	return final
}

// outcomeOfCode returns the outcome by an API code in a response whose status
// means byStatus. What the API says about a call overrides what a proxy before
// it says.
func outcomeOfCode(c okerrors.Code, byStatus outcome) outcome {
	switch c {
	case okerrors.CodeFloodBlocked:
		return notRun
	case okerrors.CodeService, okerrors.CodeNetworkTimeout:
		return mayHaveRun
	case okerrors.CodeUnknown, okerrors.CodeSystem:
		return mayHaveRunOnce
	case okerrors.CodeInvalidResponse:
		return final
	}
	if slices.ContainsFunc(permanentClasses, c.Is) {
		return final
	}
	return byStatus
}

// permanentClasses are the classes of codes whose cause a repeat does not
// remove.
var permanentClasses = []error{
	okerrors.ErrSession, okerrors.ErrPermission, okerrors.ErrThrottled, okerrors.ErrInvalid,
	okerrors.ErrNotFound, okerrors.ErrUserAction, okerrors.ErrRule,
}

// outcomeOfError returns the outcome by a.Err. The order matters: an error may
// be both final and unsent, such as a certificate that does not verify.
func (a Attempt) outcomeOfError() outcome {
	switch {
	case roundtrip.IsTerminal(a.Err), a.isCanceled(), isPermanent(a.Err):
		return final
	case isUnsent(a.Err, a.sent):
		return notRun
	}
	return mayHaveRun
}

// isCanceled reports whether the context of the request has ended, or a layer
// below has canceled the attempt. A deadline of a layer below is not meant:
// another attempt gets a new one.
func (a Attempt) isCanceled() bool {
	if a.Request != nil && a.Request.Context().Err() != nil {
		return true
	}
	return isCanceled(a.Err)
}

// isSuccess reports whether a shows a server in good health. Rejecting a call
// for what the call is counts as good health.
func (a Attempt) isSuccess() bool {
	if a.Response == nil { // there is an error
		return false
	}
	if status := a.Response.StatusCode; status >= 500 || status == http.StatusTooManyRequests {
		return false
	}
	e := a.apiError()
	return e == nil || !e.Code.Is(okerrors.ErrTransient) && !e.Code.Is(okerrors.ErrThrottled)
}

// mayHaveRun reports whether a is a write that may have run.
func (a Attempt) mayHaveRun() bool {
	if !a.isCall() || a.isSafe() {
		return false
	}
	e := a.apiError()
	switch {
	case e != nil && e.Code.MayHaveRun():
		return true
	case e != nil && (e.Code == okerrors.CodeFloodBlocked || slices.ContainsFunc(permanentClasses, e.Code.Is)):
		return false
	case e == nil && a.Err != nil:
		return errors.Is(a.Err, okerrors.ErrOutcomeUnknown)
	case a.Response == nil:
		return e != nil && e.Status >= 500
	}
	status := a.Response.StatusCode
	return status < 400 && e == nil || status >= 500 && a.outcomeOfStatus(status) != notRun
}

// isUnsent reports whether a failed before it was sent.
func (a Attempt) isUnsent() bool {
	return a.Err != nil && a.apiError() == nil && isUnsent(a.Err, a.sent)
}

// isSafe reports whether the request may run twice.
func (a Attempt) isSafe() bool {
	if a.Request == nil {
		return false
	}
	o := okcall.FromContext(a.Request.Context())
	switch a.kind() {
	case okcall.REST:
		return safeToRepeat(o, okcall.Method(a.Request))
	case okcall.Graph:
		return !isGraphWrite(a.Request)
	}
	return safeToRepeat(o, "")
}

// safeToRepeat reports whether a call of the API method may run twice. The
// choice in the options of its context decides. Without a choice the name of
// the method decides: OK accepts GET and POST for every method, so the verb
// means nothing.
func safeToRepeat(o *okcall.Options, method string) bool {
	if o != nil && o.Idempotent != okcall.Unset {
		return o.Idempotent == okcall.Yes
	}
	return okcall.ReadsOnly(method)
}

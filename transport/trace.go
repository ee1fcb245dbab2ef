package transport

// This file has the hooks of a Trace, as a program sets them. tracer.go calls
// them.

import (
	"context"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
)

// A Trace is a set of hooks that are called while a request passes the layers
// of this module, as those of [net/http/httptrace.ClientTrace] are below them.
// A hook that is nil is skipped; the zero Trace reports nothing.
//
// The order of the hooks of one attempt is Limited, Attempt, Renewed, Done. A
// retry begins with Limited again. Attempt and Done come in pairs, unless
// something panics: an attempt that was rejected before it was sent, by the
// limiter or because there is no session, has neither, and its error is that of the
// request. ratelimit.Limit reports Limited. A [Signer] reports the other three
// for the API calls that it signs, and a [Group] reports Attempt and Done for
// Graph calls. A [Retry] reports them for requests that neither is below it to
// send, such as uploads, and then Attempt comes before Limited. Other layers
// report nothing.
//
// Hooks are called one after another, by the goroutine that sends the request.
// If requests share a context, hooks are called by many goroutines at once.
// A hook delays its request until it returns. If it panics, the panic goes up
// to the caller; all bodies are closed first, and the limiter and the retry
// budget count the request as not sent.
//
// Hooks see no secret: no session, no signature, and no parameter other than
// the five in AttemptInfo.URL. Nothing changes on the wire.
type Trace struct {
	// Limited is called when an attempt has waited for a limiter, also if it
	// did not have to wait, and if the limiter has rejected it. The repeat after
	// a renewal waits once more. Each ratelimit.Limit of a stack reports its own
	// wait.
	Limited func(LimitedInfo)

	// Attempt is called immediately before an attempt is sent.
	Attempt func(AttemptInfo)

	// Renewed is called if the API has rejected the session of an attempt and
	// its source was asked for a newer one: immediately before the attempt is
	// sent again, or before Done if it is not.
	Renewed func(RenewedInfo)

	// Done is called when an attempt has ended: with an error, or with a
	// response whose header has arrived and whose body was inspected for an API
	// error.
	Done func(DoneInfo)
}

// LimitedInfo is how long an attempt waited for a limiter.
type LimitedInfo struct {
	N    int           // the number of the attempt, from 1
	Wait time.Duration // until the limiter let it pass, or failed
	Err  error         // of the limiter, or of the context; nil: it passed
}

// AttemptInfo is an attempt that is about to be sent.
type AttemptInfo struct {
	N       int     // its number, from 1; always 1 without a Retry
	Verb    string  // of HTTP
	Method  string  // of the API, see [Method]; empty: the request is no call, or its form cannot be read
	Circuit Circuit // that it is signed on, never Auto; Auto: no Signer signs it

	// URL is that of the caller's request. Of an API call it has the path, with
	// an escaped {id} for each id in that of a Graph call, and the query with
	// REDACTED for the value of every parameter but method, format, fields, count
	// and anchor. Of any other request, whose URL may be a secret as a whole, it
	// has scheme and host.
	URL string
}

// RenewedInfo is the renewal of a session that the API has rejected.
type RenewedInfo struct {
	N          int           // the number of the attempt
	Status     int           // HTTP status of the response that rejects the session
	Code       okerrors.Code // the API error in it
	RejectedAt time.Time     // when it had arrived
	Took       time.Duration // how long the source took to return a session
	Err        error         // of the source, or of the context; nil: none

	// Repeated reports that the attempt is now sent again, with a newer
	// session. If false and Err is nil, the source had no newer one, the body
	// cannot be sent again, or BeforeRepeat failed.
	Repeated bool
}

// DoneInfo is how an attempt has ended.
type DoneInfo struct {
	N       int           // the number of the attempt
	Method  string        // as in AttemptInfo
	Circuit Circuit       // as in AttemptInfo
	Renewed bool          // the attempt was sent twice, the second time with a newer session
	Status  int           // HTTP status; 0: there is no response
	Code    okerrors.Code // of the API error; 0: there is none
	Err     error         // the API error, or the error of the attempt without a response; nil: neither
}

// WithTrace returns a context whose requests call the hooks of t. Hooks that ctx
// already has are called after those of t. WithTrace copies t; a nil t returns
// ctx. A call without a Trace costs nothing more.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	if t == nil {
		return ctx
	}
	c := &hooksContext{hooks: hooks{*t}}
	o, h := c.Init(ctx), &c.hooks
	if outer := hooksOf(o); outer != nil {
		h.Limited = both(h.Limited, outer.Limited)
		h.Attempt = both(h.Attempt, outer.Attempt)
		h.Renewed = both(h.Renewed, outer.Renewed)
		h.Done = both(h.Done, outer.Done)
	}
	o.Tracer = h
	return c
}

// A hooksContext is a context with hooks, in one piece of memory.
type hooksContext struct {
	okcall.Context
	hooks hooks
}

// both returns a hook that calls first and second, each of which may be nil.
func both[Info any](first, second func(Info)) func(Info) {
	if first == nil || second == nil {
		if first == nil {
			return second
		}
		return first
	}
	return func(i Info) {
		first(i)
		second(i)
	}
}

// hooks are a Trace as the Tracer of a context.
type hooks struct{ Trace }

// hooksOf returns the hooks in o, which may be nil; nil: it has none.
func hooksOf(o *okcall.Options) *hooks {
	if !o.Traced() {
		return nil
	}
	h, _ := o.Tracer.(*hooks)
	return h
}

// Waited implements [okcall.Tracer].
func (h *hooks) Waited(attempt int, wait time.Duration, err error) {
	if h.Limited != nil {
		h.Limited(LimitedInfo{N: max(1, attempt), Wait: wait, Err: err})
	}
}

package transport

// This file sends one attempt, for whichever layer is the lowest: Signer, Group,
// or Retry above neither. net/http does not report whether a request that failed
// was sent. It shows in the kind of error and in the request body, of which the
// transport reads nothing before it has a connection.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// sendAttempt sends r through the RoundTripper below b. The lowest layer of a
// stack sends each attempt with it: a Signer its calls, and a Retry what no
// Signer below it handles. It gives the attempt its timeout, and finds out
// whether an attempt that failed was sent. It may replace r.Body, so a request that
// has one must be a private copy. r.Body must not be shared with another attempt.
//
// An error shows in its type or in an *attemptError whether the request was
// sent; for an error of a write that may have run, that is
// okerrors.ErrOutcomeUnknown. isWrite is called after an error only.
func sendAttempt(b *roundtrip.Base, r *http.Request, timeout time.Duration, isWrite func() bool) (*http.Response, roundtrip.Verdict, bodyState, error) {
	// http.Transport checks this only when it needs a connection. A request that
	// is not sent must not count as one that may have run.
	if r.Context().Err() != nil {
		roundtrip.CloseRequest(r)
		return nil, roundtrip.Verdict{}, bodyUnread, roundtrip.ContextErr(r.Context())
	}
	if r.Body != nil && mustTrack(b, r.Body) {
		r.Body = &trackedBody{ReadCloser: r.Body}
	}
	var resp *http.Response
	var v roundtrip.Verdict
	var err error
	if timeout > 0 {
		resp, v, err = sendWithin(b, r, timeout)
	} else {
		resp, v, err = b.Send(r)
	}
	if err == nil {
		return resp, v, bodyNone, nil
	}
	body := stateOf(r)
	return nil, v, body, markSent(r, err, body, isWrite)
}

// An attemptError is an error of an attempt whose type does not show whether
// the request was sent. Its text is that of err and the hint.
type attemptError struct {
	err   error
	sent  bool   // at least in part, as far as is known
	write bool   // not known to be safe to repeat
	hint  string // what to do, with its separator; or empty
}

func (e *attemptError) Error() string { return e.err.Error() + e.hint }
func (e *attemptError) Unwrap() error { return e.err }

// Is reports whether target is okerrors.ErrOutcomeUnknown and the request is a
// write that may have run.
func (e *attemptError) Is(target error) bool {
	return e.sent && e.write && target == okerrors.ErrOutcomeUnknown
}

// Timeout reports whether err is a timeout; [net/url.Error] calls it.
func (e *attemptError) Timeout() bool { return roundtrip.IsTimeout(e.err) }

// markSent returns err, or an *attemptError around it if others could not see
// by err alone whether r was sent. Errors of layers that have judged by
// themselves stay as they are.
func markSent(r *http.Request, err error, body bodyState, isWrite func() bool) error {
	switch unsent := isUnsent(err, body); {
	case roundtrip.IsTerminal(err), has[*okerrors.Error](err), has[*attemptError](err):
		return err
	// The type of err shows it to any layer above, also to those of others.
	case unsent && isConnecting(err):
		return err
	case unsent:
		return &attemptError{err: err}
	// net/http has rejected the request before it sent it, such as for an invalid
	// header.
	case body != bodyRead && !has[*url.Error](err) && isPermanent(err):
		return err
	case body == bodyUnread && (r.Context().Err() != nil || has[*attemptTimeoutError](err)):
		return err // it ended while the request waited for a connection
	}
	write := isWrite()
	if !write && !isConnecting(err) {
		return err
	}
	// net/http may keep only the text of the error, as http.Client does after its
	// Timeout. A Call learns the outcome in this way.
	if o := okcall.FromContext(r.Context()); write && o.IsCaller() {
		o.Caller.SetMayHaveRun()
	}
	return &attemptError{err: err, sent: true, write: write, hint: hintFor(err)}
}

// hintFor returns what to do if net/http could not repeat a request over HTTP/2
// that the server has not processed. Then the server was about to close the
// connection, and net/http repeats by itself what it can send again.
func hintFor(err error) string {
	if strings.Contains(err.Error(), "http2: Transport: cannot retry") {
		return "; a write by GET, or with an Idempotency-Key, is sent only once, see transport.Signer: send writes by POST, without such a header"
	}
	return ""
}

// A bodyState is what is known about the body of a request that failed.
type bodyState int

const (
	bodyNone   bodyState = iota // there is none, or nothing is known
	bodyUnread                  // no part of it was read
	bodyRead                    // it was read, at least in part
)

// A trackedBody is the body of a request that remembers whether it was read.
type trackedBody struct {
	io.ReadCloser
	read atomic.Bool
}

func (b *trackedBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.ReadCloser.Read(p)
}

func (b *trackedBody) wasRead() bool { return b.read.Load() }

// stateOf returns the state of the body of r, which sendAttempt has sent.
func stateOf(r *http.Request) bodyState {
	var read bool
	if b, ok := r.Body.(interface{ wasRead() bool }); ok {
		read = b.wasRead()
	} else if text := okcall.InMemory(r.Body); text != nil {
		read = int64(text.Len()) != r.ContentLength
	} else {
		return bodyNone
	}
	if read {
		return bodyRead
	}
	return bodyUnread
}

// mustTrack reports whether body must be wrapped to learn whether it was read. A
// body in memory shows it by its length. It is left as it is above an
// http.Transport, which sends it together with the header, in one packet, only
// if it knows its type. Other RoundTrippers may read it even later.
func mustTrack(b *roundtrip.Base, body io.ReadCloser) bool {
	if body == http.NoBody {
		return false
	}
	_, tracked := body.(interface{ wasRead() bool })
	return !tracked && !(b.IsOverTransport() && okcall.InMemory(body) != nil)
}

// sendWithin sends r through the RoundTripper below b, and ends the attempt
// unless it returns within timeout. The context of the attempt lives until the
// body of the response is closed.
func sendWithin(b *roundtrip.Base, r *http.Request, timeout time.Duration) (*http.Response, roundtrip.Verdict, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	late := &attemptTimeoutError{after: timeout}
	timer := time.AfterFunc(timeout, func() { cancel(late) })
	alive := false
	defer func() { // also after a panic
		timer.Stop()
		if !alive {
			cancel(nil)
		}
	}()
	resp, v, err := b.Send(r.WithContext(ctx))
	if timer.Stop(); context.Cause(ctx) == error(late) { // a response that came nevertheless is dead
		roundtrip.Discard(resp)
		if err != nil && err != error(late) { // http.Transport returns the cause itself
			late = &attemptTimeoutError{after: timeout, cause: err}
		}
		return nil, roundtrip.Verdict{}, late
	}
	if err != nil || resp.Body == nil {
		return resp, v, err
	}
	alive = true
	resp.Body = endWith(resp.Body, func() { cancel(nil) })
	return resp, v, nil
}

// endWith returns body, whose Close also calls end. That of a response with
// status 101 stays an io.Writer.
func endWith(body io.ReadCloser, end func()) io.ReadCloser {
	b := &endingBody{body, end}
	if w, ok := body.(io.Writer); ok {
		return &endingConn{b, w}
	}
	return b
}

type endingBody struct {
	io.ReadCloser
	end func() // ends the context of the attempt
}

func (b *endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

type endingConn struct {
	*endingBody
	io.Writer
}

// An attemptTimeoutError is the end of an attempt by Retry.AttemptTimeout. It
// is not context.DeadlineExceeded: the context of the caller goes on.
type attemptTimeoutError struct {
	after time.Duration // the AttemptTimeout
	cause error         // nil: none that says more
}

func (e *attemptTimeoutError) Error() string {
	return fmt.Sprintf("okru: no response within the AttemptTimeout of %v", e.after)
}

func (e *attemptTimeoutError) Timeout() bool { return true }

// Unwrap returns what the layer below made of the timeout, if that says more.
func (e *attemptTimeoutError) Unwrap() error {
	if isCanceled(e.cause) {
		return nil // only the attempt was canceled
	}
	return e.cause
}

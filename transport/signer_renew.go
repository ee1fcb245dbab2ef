package transport

// This file repeats a call once after the API has rejected its session. The limit
// of one repeat is in its structure: renew is called by RoundTripVerdict, and not
// by the repeat.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/internal/token"
)

// A rejection is an API error that rejects the session of a call.
type rejection struct {
	keys *keys           // with which the call was signed
	err  *okerrors.Error // as sent: it may have the keys of a new session
}

// renew repeats c, whose session was rejected by resp, of which v is the verdict. It
// returns these if there is no newer session, or if the request body cannot be read
// again. If the user must sign in, it returns an error that is also the rejection.
func (s *signer) renew(c *call, resp *http.Response, v roundtrip.Verdict) (*http.Response, roundtrip.Verdict, error) {
	if c.source.tokens == nil {
		return resp, v, nil // the session of WithToken cannot be renewed
	}
	ctx := c.request.Context()
	finish(ctx, resp)
	c.trace.rejected(resp, c.rejected.err)
	fresh, err := c.source.replace(ctx, c.rejected)
	c.trace.renewed(err)
	switch {
	// The caller has left, and gets the end of its context: the renewal goes on
	// for others.
	case ctx.Err() != nil:
		return nil, roundtrip.Verdict{}, terminal(roundtrip.WithContext(ctx, err))
	// Only the user can help. The error is both, that of the source and the
	// rejection.
	case errors.Is(err, token.ErrSignIn):
		return nil, roundtrip.Verdict{}, terminal(&signInError{source: err, rejection: v.Err})
	// No newer session, for now or at all: the rejection is what the caller needs
	// to see.
	case err != nil || c.rejected.keys.isOf(fresh):
		return resp, v, nil
	}
	again, ok := repeatable(c.request, c.isForm)
	if !ok {
		return resp, v, nil
	}
	if err := s.mayRepeat(c, again); err != nil {
		return nil, roundtrip.Verdict{}, err
	}
	repeat := *c
	repeat.request, repeat.source, repeat.renewed, repeat.rejected = again, source{fixed: fresh}, true, nil
	if resp, v, err = s.attempt(&repeat); err != nil {
		return nil, roundtrip.Verdict{}, err
	}
	resp.Request = c.request
	// The new session is rejected as well. The source learns it, so that it does
	// not renew for each call; the caller gets this rejection.
	if repeat.rejected != nil {
		finish(ctx, resp)
		c.source.rejected(repeat.rejected)
	}
	return resp, v, nil
}

// mayRepeat returns an error if BeforeRepeat does not allow to repeat c as the
// request again, whose body it then closes.
func (s *signer) mayRepeat(c *call, again *http.Request) error {
	if s.settings.BeforeRepeat == nil {
		return nil
	}
	body := again.Body
	if c.isForm || body == nil { // formOf has closed the body of a form
		body = http.NoBody
	}
	var err error
	closingOnPanic(body, func() { err = s.settings.BeforeRepeat(c.request) })
	if err != nil {
		body.Close()
		return terminal(roundtrip.WithContext(c.request.Context(), err))
	}
	return nil
}

// finishTimeout is how long a call waits for the end of a response that rejects
// its session. It is more than a slow network needs for 64 KiB, and a server
// that never ends the response delays the renewal no longer.
const finishTimeout = time.Second

var errUnfinished = fmt.Errorf("okru: the response that rejects the session did not end within %v; its rest was not read", finishTimeout)

// finish reads the body of resp, an API error, into memory and closes it: the
// renewal may need its connection, see [http.Transport.MaxConnsPerHost]. The
// caller reads the same bytes, and gets the same error after them.
func finish(ctx context.Context, resp *http.Response) {
	ctx, cancel := context.WithTimeoutCause(ctx, finishTimeout, errUnfinished)
	defer cancel()
	body := resp.Body
	defer body.Close()
	// A Read of a body cannot be given a context. Closing the body ends it.
	stop := context.AfterFunc(ctx, func() { body.Close() }) // ends the Read
	defer stop()
	text, err := io.ReadAll(body) // of at most maxErrorBody, see maskedBody
	rest := io.Reader(bytes.NewReader(text))
	if err != nil {
		rest = io.MultiReader(rest, failingReader{roundtrip.WithContext(ctx, err)})
	}
	resp.Body = io.NopCloser(rest)
}

// A failingReader returns its error.
type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// repeatable returns r with a body that was not read yet.
func repeatable(r *http.Request, isForm bool) (*http.Request, bool) {
	if isForm || r.Body == nil || r.Body == http.NoBody {
		return r, true
	}
	if r.GetBody == nil {
		return nil, false
	}
	b, err := okcall.NewBody(r)
	if err != nil {
		return nil, false
	}
	again := *r
	again.Body = b
	return &again, true
}

// A signInError is the error of a call whose user must sign in. It matches
// okerrors.ErrSession, whether the API has rejected the session of this call or
// of an earlier one.
type signInError struct {
	source    error // of the token source; it matches token.ErrSignIn
	rejection error // of the API, an *okerrors.Error; nil: the call was not sent
}

// Error returns the text of the source, which says what to do, and the
// rejection.
func (e *signInError) Error() string {
	if e.rejection == nil {
		return e.source.Error()
	}
	return e.source.Error() + " (" + e.rejection.Error() + ")"
}

// Unwrap returns both errors.
func (e *signInError) Unwrap() []error {
	if e.rejection == nil {
		return []error{e.source, okerrors.ErrSession}
	}
	return []error{e.source, e.rejection}
}

// Format implements [fmt.Formatter]: every verb prints the text of Error.
func (e *signInError) Format(f fmt.State, _ rune) { redact.Format(f, e.Error()) }

package roundtrip

// This file has what the errors of the layers have in common: the end of a context,
// and the methods Timeout and Terminal.

import (
	"context"
	"errors"
)

// ContextErr returns nil while ctx goes on, and then an error that matches both
// ctx.Err() and context.Cause(ctx) by errors.Is. It is ctx.Err() itself if
// there is no other cause.
func ContextErr(ctx context.Context) error { return WithContext(ctx, nil) }

// WithContext returns err, which a request with ctx failed with. If ctx has
// ended, the result also matches what ContextErr(ctx) matches: http.Transport
// returns context.Cause(ctx) alone, and other RoundTrippers return an error of the
// connection that ctx has closed.
func WithContext(ctx context.Context, err error) error {
	end := ctx.Err()
	if end == nil {
		return err
	}
	if cause := context.Cause(ctx); err == nil {
		err = cause
	} else if !errors.Is(err, cause) {
		err = &contextError{cause, err}
	}
	if !errors.Is(err, end) {
		err = &contextError{end, err}
	}
	return err
}

// A contextError is the error of a request whose context has ended. It matches
// the error of the context, or its cause, and the error of the request.
type contextError struct{ end, err error }

func (e *contextError) Error() string   { return e.end.Error() + ": " + e.err.Error() }
func (e *contextError) Unwrap() []error { return []error{e.end, e.err} }

// Timeout reports whether a deadline has passed. Package net/http looks for the
// method only in the error itself, not in what it wraps.
func (e *contextError) Timeout() bool { return IsTimeout(e.end) || IsTimeout(e.err) }

// IsTimeout reports whether err is a timeout by its method Timeout, or by that of
// an error that it wraps. Errors that wrap others have a method Timeout which
// calls it: [net/url.Error] and net.Error do not unwrap.
func IsTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// IsTerminal reports whether err is final by its method Terminal: a layer has
// rejected the request itself, and another attempt would be rejected as well.
func IsTerminal(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Terminal() bool
	}](err)
	return ok && t.Terminal()
}

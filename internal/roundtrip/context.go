package roundtrip

import "context"

// ContextErr returns nil while ctx goes on, and then an error that matches both
// ctx.Err() and context.Cause(ctx) by errors.Is. It is ctx.Err() itself if
// there is no other cause.
func ContextErr(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != err {
		return &contextError{err, cause}
	}
	return err
}

// A contextError is the error of a context that ended for a cause.
type contextError struct{ err, cause error }

func (e *contextError) Error() string   { return e.err.Error() + ": " + e.cause.Error() }
func (e *contextError) Unwrap() []error { return []error{e.err, e.cause} }

// Timeout reports whether the deadline of the context passed. Package net/http
// looks for it only in the error itself, not in what it wraps.
func (e *contextError) Timeout() bool { return e.err == context.DeadlineExceeded }

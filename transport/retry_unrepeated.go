package transport

import "errors"

// unrepeated is an error of a transport that the policy wanted to repeat, and
// why that was not possible.
type unrepeated struct{ cause, why error }

func (e *unrepeated) Error() string   { return e.why.Error() + ": " + e.cause.Error() }
func (e *unrepeated) Unwrap() []error { return []error{e.why, e.cause} }

// Terminal tells layers above not to repeat either.
func (e *unrepeated) Terminal() bool { return true }

// Timeout tells what the cause does; [net/url.Error] asks for it.
func (e *unrepeated) Timeout() bool { return isTimeout(e.cause) }

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

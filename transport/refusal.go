package transport

import (
	"errors"
	"fmt"
)

// A refusal is an error from before a call was sent. It is final: trying
// again changes nothing.
type refusal struct{ err error }

func refuse(format string, args ...any) error {
	return &refusal{fmt.Errorf("okru: "+format, args...)}
}

// terminal returns err as one that is not to be tried again.
func terminal(err error) error {
	if t, ok := errors.AsType[interface {
		error
		Terminal() bool
	}](err); ok && t.Terminal() {
		return err
	}
	return &refusal{err}
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// Terminal tells Retry that the error is final.
func (r *refusal) Terminal() bool { return true }

// Timeout tells what the cause does; [net/url.Error] asks for it.
func (r *refusal) Timeout() bool { return isTimeout(r.err) }

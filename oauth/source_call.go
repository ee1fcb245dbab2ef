package oauth

// This file calls the code of grants, stores and hooks. A Source does not trust
// it: it may hang, ignore its context, panic, or end its goroutine.

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// call calls fn, which runs code of a grant or a store, and returns its result.
// If ctx ends first, call returns an error and leaves fn alone: a grant or a
// store that ignores its context must not block the Source. The result that
// such an fn returns in the end is passed to late, unless it is an error.
//
// A panic of fn is returned as an error. operation names fn in errors.
func call[T any](ctx context.Context, s *Source, operation string, fn func(context.Context) (T, error), late func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result) // unbuffered: a result is received, or it is late
	go func() {
		r := result{err: errGoexit}
		defer func() {
			select {
			case done <- r:
			case <-ctx.Done():
				s.abandoned.Add(-1)
				if r.err == nil && late != nil {
					late(r.value)
				}
			}
		}()
		r.err = protect(func() (err error) {
			r.value, err = fn(ctx)
			return err
		})
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		s.abandoned.Add(1)
		var zero T
		return zero, contextFailure(ctx, operation)
	}
}

// callErr is call for functions that return only an error.
func callErr(ctx context.Context, s *Source, operation string, fn func(context.Context) error) error {
	_, err := call(ctx, s, operation, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) }, nil)
	return err
}

// maxAbandoned is how many calls may be running whose result was not awaited.
// Without a bound, a grant that hangs would cost a goroutine per cool-down. One
// call would be too few: a single hanging connection would block the Source.
const maxAbandoned = 2

var (
	errAbandoned = &failure{text: "okru: earlier calls of the grant or the store ignore that their context has ended, and have not returned"}
	errGoexit    = errors.New("okru: the grant or the store ended its goroutine")
)

// withTimeout returns a context that has the values of ctx and ends after the
// timeout, but not with ctx: a renewal also serves other callers.
func (s *Source) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if s.timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.timeout)
}

// contextFailure returns the error of an operation whose context has ended.
func contextFailure(ctx context.Context, operation string) error {
	return &failure{text: "okru: " + operation + ": " + ctx.Err().Error(), causes: []error{ctx.Err(), context.Cause(ctx)}}
}

// protect calls fn. It returns the error of fn, or a panic of fn as a
// *panicError.
func protect(fn func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = newPanicError(value)
		}
	}()
	return fn()
}

// A panicError is a panic of a grant, a store or a hook. In the goroutine of a
// renewal it would end the program.
type panicError struct{ failure }

// newPanicError returns an error that shows value and the stack. A value that is
// neither an error nor a string is not shown: it may be a token.
func newPanicError(value any) error {
	e := &panicError{}
	switch v := value.(type) {
	case error:
		e.text = cleanText(v.Error(), nil)
		e.causes = []error{redactError(v, nil)}
	case string:
		e.text = cleanText(v, nil)
	default:
		e.text = fmt.Sprintf("a value of type %T", v)
	}
	e.text = "okru: panic: " + e.text + " [" + panicStack() + "]"
	return e
}

// panicStack returns the functions that were running when the panic occurred,
// the innermost first. It must be called while the panic is being recovered.
func panicStack() string {
	const maxFrames = 10
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	var stack []string
	for panicked, more := false, true; more && len(stack) < maxFrames; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicked, stack = true, nil
		case panicked && !strings.HasPrefix(f.Function, "runtime."):
			stack = append(stack, fmt.Sprintf("%s (%s:%d)", path.Base(f.Function), filepath.Base(f.File), f.Line))
		}
	}
	return strings.Join(stack, " < ")
}

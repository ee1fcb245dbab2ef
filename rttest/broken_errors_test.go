package rttest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/go-okru/okru/rttest"
)

// failed returns a layer that does something with the errors of next, but for
// the context's.
func failed(does func(r *http.Request, err error) error) trip {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil && r.Context().Err() == nil {
			err = does(r, err)
		}
		return resp, err
	}
}

// ended returns a layer that does something with errors of contexts.
func ended(does func(err error) error) trip {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil && r.Context().Err() != nil {
			err = does(err)
		}
		return resp, err
	}
}

var brokenErrors = []broken{
	breaks(rttest.ErrorKept, "hides the error of the body", failed(func(_ *http.Request, err error) error {
		if strings.Contains(err.Error(), "the caller's body") {
			return errRejected
		}
		return err
	})),
	breaks(rttest.ErrorKept, "has an error of its own", failed(func(*http.Request, error) error { return errRejected })),
	breaks(rttest.ErrorKept, "formats the error", failed(func(_ *http.Request, err error) error { return fmt.Errorf("layer: %v", err) })),
	sound("wraps the error and has a method Timeout", failed(func(_ *http.Request, err error) error { return wrapper{err} })),
	breaks(rttest.TimeoutKept, "wraps the error", failed(func(_ *http.Request, err error) error { return fmt.Errorf("layer: %w", err) })),
	breaks(rttest.TimeoutKept, "wraps the error of a deadline", ended(func(err error) error { return fmt.Errorf("layer: %w", err) })),
	breaks(rttest.ErrorBare, "adds the URL", failed(func(r *http.Request, err error) error {
		return &url.Error{Op: "Get", URL: fmt.Sprint(r.URL), Err: err}
	})),
	breaks(rttest.ErrorBare, "adds the URL within", failed(func(r *http.Request, err error) error {
		return wrapper{&url.Error{Op: "Get", URL: fmt.Sprint(r.URL), Err: err}}
	})),
}

// wrapper wraps an error as a layer should.
type wrapper struct{ err error }

func (w wrapper) Error() string { return "layer: " + w.err.Error() }
func (w wrapper) Unwrap() error { return w.err }

func (w wrapper) Timeout() bool {
	t, ok := w.err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}

var brokenContexts = []broken{
	breaks(rttest.ContextChecked, "rejects an ended context in its own words", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.Context().Err() != nil {
			return reject(next, r)
		}
		return next.RoundTrip(r)
	}),
	broken{"waits before it looks at the context", rttest.Kit{Wrap: trip(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		time.Sleep(time.Minute)
		return next.RoundTrip(r)
	}).wrap}, []rttest.Clause{rttest.ContextChecked, rttest.ContextEnds}},

	broken{"formats the context's error", rttest.Kit{
		Wrap: ended(func(err error) error { return errors.New("layer: " + err.Error()) }).wrap,
	}, []rttest.Clause{rttest.ContextChecked, rttest.ContextEnds}},
	breaks(rttest.ContextEnds, "sleeps between attempts", retry{sleep: true}.trip),
	breaks(rttest.ContextEnds, "has its own error for a pause cut short", retry{ownError: true}.trip),
	breaks(rttest.ContextEnds, "has the last error for a pause cut short", retry{lastError: true}.trip),
	breaks(rttest.ContextEnds, "formats the error of a pause cut short", retry{formatError: true}.trip),
	breaks(rttest.ContextEnds, "has its own error for a response that does not come", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		first := make([]byte, 1)
		n, err := resp.Body.Read(first)
		if err != nil && err != io.EOF {
			resp.Body.Close()
			return nil, errRejected
		}
		if n > 0 {
			b := &body{ReadCloser: resp.Body}
			b.read = io.MultiReader(bytes.NewReader(first), resp.Body).Read
			resp.Body = b
		}
		return resp, nil
	})),
	stalls("sleeps before the call", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		time.Sleep(2 * time.Hour)
		return next.RoundTrip(r)
	}),
	stalls("waits for a deadline that is not the caller's", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Hour)
		defer cancel()
		_ = pause(context.WithoutCancel(ctx), 2*time.Hour)
		return next.RoundTrip(r)
	}),
	stalls("has an error of its own for a wait cut short", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if pause(r.Context(), 2*time.Hour) != nil {
			return reject(next, r)
		}
		return next.RoundTrip(r)
	}),

	breaks(rttest.ContextReaches, "starts from Background", with(func(context.Context) context.Context { return context.Background() })),
	breaks(rttest.ContextReaches, "cuts the cancellation", with(context.WithoutCancel)),
	breaks(rttest.ContextReaches, "loses the trace", with(func(ctx context.Context) context.Context { return untraced{ctx} })),
	breaks(rttest.ContextReaches, "cuts the cancellation when it returns", cutAtReturn),
	breaks(rttest.ContextReaches, "returns without next", detach),
	breaks(rttest.ContextLives, "ends the timeout of an attempt when it returns", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		resp, err := next.RoundTrip(r.WithContext(ctx))
		return responseTo(r, resp), err
	}),
	sound("ends the timeout of an attempt when the response is closed", timeoutUntilClose),
}

// stalls is a layer that breaks ContextEnds while a call has to wait.
func stalls(name string, does trip) broken {
	return broken{name, rttest.Kit{Wrap: trip(pass).wrap, Stall: does.wrap}, []rttest.Clause{rttest.ContextEnds}}
}

// with returns a layer that sends requests with another context.
func with(other func(context.Context) context.Context) trip {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r.WithContext(other(r.Context())))
		return responseTo(r, resp), err
	}
}

// untraced is a context without its trace.
type untraced struct{ context.Context }

func (c untraced) Value(key any) any {
	v := c.Context.Value(key)
	if _, ok := v.(*httptrace.ClientTrace); ok {
		return nil
	}
	return v
}

// cutAtReturn lets the caller's context end the call, but not the response.
func cutAtReturn(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	if err := r.Context().Err(); err != nil {
		cancel(err)
		return rejectWith(r, err)
	}
	stop := context.AfterFunc(r.Context(), func() { cancel(r.Context().Err()) })
	defer stop()
	resp, err := next.RoundTrip(r.WithContext(ctx))
	if err != nil && r.Context().Err() != nil {
		err = r.Context().Err()
	}
	return responseTo(r, resp), err
}

func rejectWith(r *http.Request, err error) (*http.Response, error) {
	closeBody(r)
	return nil, err
}

// detach returns when the caller's context ends, and leaves next running.
func detach(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return rejectWith(r, err)
	}
	type result struct {
		resp *http.Response
		err  error
	}
	results := make(chan result, 1)
	go func() {
		resp, err := next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
		results <- result{responseTo(r, resp), err}
	}()
	select {
	case got := <-results:
		return got.resp, got.err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func timeoutUntilClose(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	resp, err := next.RoundTrip(r.WithContext(ctx))
	if err != nil || resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		context.AfterFunc(ctx, cancel)
		return responseTo(r, resp), err
	}
	b := &body{ReadCloser: resp.Body}
	b.close = func() { cancel() }
	resp.Body = b
	return responseTo(r, resp), nil
}

package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/transport"
)

// ctxSource waits in TokenContext, and returns what the context ended with.
type ctxSource struct{ sourceFunc }

func (ctxSource) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// lateSource has a session, and hangs after it was rejected.
type lateSource struct{ rejected bool }

func (s *lateSource) Invalidate(*oauth2.Token) { s.rejected = true }

func (s *lateSource) Token() (*oauth2.Token, error) {
	if s.rejected {
		time.Sleep(time.Hour)
	}
	return &oauth2.Token{AccessToken: "token-0"}, nil
}

// Wherever a call waits, the end of its context is reported with the cause.
func TestCauseOfContext(t *testing.T) {
	stop := errors.New("stop")
	inContext := func(r *http.Request) (*http.Response, error) { // as http.Transport does
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	reject := func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(apiError(102, "x"))), Request: r}, nil
	}
	hang := sourceFunc(func() (*oauth2.Token, error) { time.Sleep(time.Hour); return nil, errors.New("late") })
	for name, test := range map[string]struct {
		source oauth2.TokenSource
		before func(*http.Request) error
		base   transport.Func
		slow   bool // the form
		sent   bool
	}{
		"token source":              {source: hang, base: succeed},
		"source with context":       {source: ctxSource{}, base: succeed},
		"renewal":                   {source: &lateSource{}, base: reject},
		"form":                      {source: new(renewable), base: succeed, slow: true},
		"response":                  {source: new(renewable), base: inContext, sent: true},
		"before the repeat":         {source: new(renewable), base: reject, before: func(r *http.Request) error { <-r.Context().Done(); return r.Context().Err() }},
		"before the repeat, silent": {source: new(renewable), base: reject, before: func(r *http.Request) error { <-r.Context().Done(); return errors.New("no") }},
		"end of the rejection": {source: new(renewable), base: func(r *http.Request) (*http.Response, error) {
			resp, err := reject(r)
			resp.Body = &endlessBody{strings.NewReader(apiError(102, "x")), r.Context()}
			return resp, err
		}},
	} {
		for end, newContext := range map[error]func(context.Context) (context.Context, func()){
			context.Canceled: func(ctx context.Context) (context.Context, func()) {
				ctx, cancel := context.WithCancelCause(ctx)
				return ctx, func() { time.Sleep(time.Second / 2); cancel(stop) }
			},
			context.DeadlineExceeded: func(ctx context.Context) (context.Context, func()) {
				ctx, cancel := context.WithTimeoutCause(ctx, time.Second/2, stop)
				return ctx, func() { time.Sleep(time.Second); cancel() }
			},
		} {
			t.Run(name+", "+end.Error(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					source := test.source
					if _, ok := source.(*lateSource); ok {
						source = new(lateSource)
					} else if _, ok := source.(*renewable); ok {
						source = new(renewable)
					}
					ctx, cancel := newContext(t.Context())
					go cancel()
					r := post("", "method=users.getInfo").WithContext(ctx)
					if test.slow {
						body, w := io.Pipe()
						defer w.Close()
						r.Body, r.GetBody, r.ContentLength = body, nil, -1
					}
					s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "s", TokenSource: source, BeforeRepeat: test.before}
					start := time.Now()
					resp, err := s.Wrap(test.base).RoundTrip(r)
					if resp != nil || !errors.Is(err, end) || !errors.Is(err, stop) || isFinal(err) == test.sent || time.Since(start) != time.Second/2 {
						t.Errorf("after %v: %v, %v; it is %v: %t, %v: %t, final: %t", time.Since(start), resp, err, end, errors.Is(err, end), stop, errors.Is(err, stop), isFinal(err))
					}
					time.Sleep(2 * time.Hour) // what hangs ends
				})
			})
		}
	}
}

// An endlessBody has a text that is not followed by an end.
type endlessBody struct {
	io.Reader
	ctx context.Context
}

func (b *endlessBody) Read(p []byte) (int, error) {
	if n, _ := b.Reader.Read(p); n > 0 {
		return n, nil
	}
	<-b.ctx.Done()
	return 0, context.Cause(b.ctx)
}

func (*endlessBody) Close() error { return nil }

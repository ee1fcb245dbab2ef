package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// A slow base responds after the given times, one per attempt.
type slow struct {
	after []time.Duration
	sent  int
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	after := s.after[min(s.sent, len(s.after)-1)]
	s.sent++
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	select {
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	case <-time.After(after):
		return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: &liveBody{ctx: r.Context(), rest: strings.NewReader(`{"uid":"1"}`)}}, nil
	}
}

func (s *slow) attempts() int { return s.sent }

// A liveBody can be read until its context ends, as those of net/http.
type liveBody struct {
	ctx  context.Context
	rest io.Reader
}

func (b *liveBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.rest.Read(p)
}

func (b *liveBody) Close() error { return nil }

const never = 1000 * time.Hour

func TestAttemptTimeout(t *testing.T) {
	retry := transport.Retry{MinDelay: -1, AttemptTimeout: time.Second}
	for name, stack := range stacks(retry) {
		for _, test := range []struct {
			name, url string
			after     []time.Duration
			attempts  int
			took      time.Duration
			fails     bool
		}{
			{"fast", readURL, []time.Duration{time.Second - 1}, 1, time.Second - 1, false},
			{"once late", readURL, []time.Duration{never, 0}, 2, time.Second, false},
			{"always late", readURL, []time.Duration{never}, 4, 4 * time.Second, true},
			{"write", writeURL, []time.Duration{never}, 1, time.Second, true},
			{"long poll, upload", "https://up.mycdn.me/upload", []time.Duration{time.Hour}, 1, time.Hour, false},
		} {
			synctest.Test(t, func(t *testing.T) {
				base := &slow{after: test.after}
				start := time.Now()
				resp, err := stack(base).RoundTrip(newGet(t, t.Context(), test.url))
				if took := time.Since(start); base.attempts() != test.attempts || took != test.took || (err != nil) != test.fails {
					t.Errorf("%s, %s: %d attempts in %v: %v; want %d in %v", name, test.name, base.attempts(), took, err, test.attempts, test.took)
				}
				if err == nil {
					time.Sleep(time.Hour) // the attempt is over; its response is not
					if got := finish(t, resp); got != `{"uid":"1"}` {
						t.Errorf("%s, %s: the body is %q", name, test.name, got)
					}
					return
				}
				var timeout interface{ Timeout() bool }
				if !errors.As(err, &timeout) || !timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
					!strings.Contains(err.Error(), "AttemptTimeout of 1s") || !(&url.Error{Err: err}).Timeout() {
					t.Errorf("%s, %s: the error is %v", name, test.name, err)
				}
				if unknown := errors.Is(err, okerrors.ErrOutcomeUnknown); unknown != (test.url == writeURL) && name != "alone" {
					t.Errorf("%s, %s: ErrOutcomeUnknown is %v", name, test.name, unknown)
				}
			})
		}
	}
}

// The context of an attempt goes on until the body of its response is closed, and
// ends then: what it holds, such as a timer, is released.
func TestAttemptEndsWithItsBody(t *testing.T) {
	for name, stack := range stacks(transport.Retry{Max: -1, AttemptTimeout: time.Hour}) {
		var attempt context.Context
		resp, err := stack(transport.Func(func(r *http.Request) (*http.Response, error) {
			attempt = r.Context()
			return respondWith(200, "true").response(r), nil
		})).RoundTrip(newGet(t, t.Context(), readURL))
		if err != nil || attempt.Err() != nil {
			t.Errorf("%s: %v; the context of the attempt ends before the body is read: %v", name, err, attempt.Err())
			continue
		}
		if resp.Body.Close(); attempt.Err() == nil {
			t.Errorf("%s: the context of the attempt goes on after Close", name)
		}
	}
}

// An attempt without a response to close ends with its error, or with a response
// that has no body.
func TestAttemptEndsWithoutABody(t *testing.T) {
	for name, base := range map[string]transport.Func{
		"error": func(*http.Request) (*http.Response, error) { return nil, errBroken },
		"no body": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 204, Header: http.Header{}}, nil
		},
	} {
		var attempt context.Context
		_, err := transport.Retry{Max: -1, AttemptTimeout: time.Hour}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			attempt = r.Context()
			return base(r)
		})).RoundTrip(newGet(t, t.Context(), readURL))
		if attempt.Err() == nil || (err != nil) != (name == "error") {
			t.Errorf("%s: %v; the context of the attempt has ended: %t", name, err, attempt.Err() != nil)
		}
	}
}

// The error of an attempt that was late has what the base made of that, unless it
// is nothing but the end of the attempt.
func TestAttemptTimeoutHasItsCause(t *testing.T) {
	for _, test := range []struct {
		err   error
		shown bool
	}{{errBroken, true}, {context.Canceled, false}} {
		_, err := transport.Retry{Max: -1, AttemptTimeout: time.Nanosecond}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, test.err
		})).RoundTrip(newGet(t, t.Context(), readURL))
		if errors.Is(err, test.err) != test.shown || err == nil || err.Error() != "okru: no response within the AttemptTimeout of 1ns" {
			t.Errorf("%v: the error is %v and matches %v: %t", test.err, err, test.err, errors.Is(err, test.err))
		}
	}
}

// A RoundTripper that returns a response together with an error breaks its
// contract. The response is closed all the same, and the error returned.
func TestResponseBesideAnErrorIsClosed(t *testing.T) {
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{
		"Signer": signer().Wrap, "Group": transport.Group{Token: "tkn1group"}.Wrap, "Retry": transport.Retry{Max: -1}.Wrap,
		"Retry over another layer": func(base http.RoundTripper) http.RoundTripper {
			return transport.Chain(transport.Func(func(*http.Request) (*http.Response, error) { panic("not sent") }), transport.Retry{Max: -1, If: func(a transport.Attempt) bool {
				if a.Response != nil && a.Err != nil {
					t.Error("an attempt has both a response and an error")
				}
				return false
			}}.Wrap,
				func(http.RoundTripper) http.RoundTripper { return base }, signer().Wrap)
		},
		"Retry with a timeout": transport.Retry{Max: -1, AttemptTimeout: time.Hour}.Wrap,
	} {
		for _, url := range []string{readURL, "https://api.ok.ru/graph/me/chats", "https://up.mycdn.me/upload"} {
			s := &script{outcomes: []outcome{respondWith(200, "true")}}
			resp, err := wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
				resp, _ := s.RoundTrip(r)
				return resp, errBroken
			})).RoundTrip(newGet(t, t.Context(), url))
			passes := (name == "Signer" && url != readURL) || (name == "Group" && !strings.Contains(url, "graph"))
			if !errors.Is(err, errBroken) || !passes && (resp != nil || s.open != 0) {
				t.Errorf("%s, %s: %v, %v; %d responses are open", name, url, resp, err, s.open)
			}
		}
	}
}

// The deadline of the caller bounds all attempts together, and its error differs
// from that of AttemptTimeout.
func TestAttemptTimeoutWithinDeadline(t *testing.T) {
	for name, stack := range stacks(transport.Retry{MinDelay: -1, AttemptTimeout: time.Second}) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
			defer cancel()
			base := &slow{after: []time.Duration{never}}
			start := time.Now()
			_, err := stack(base).RoundTrip(newGet(t, ctx, readURL))
			if took := time.Since(start); took != 2500*time.Millisecond || base.attempts() != 3 || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %d attempts in %v: %v", name, base.attempts(), took, err)
			}
		})
	}
}

// A response that comes in the moment of the timeout is closed, and its attempt
// repeated.
func TestAttemptTimeoutTogetherWithResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			s := &script{outcomes: []outcome{respondWith(200, "1")}}
			base := transport.Func(func(r *http.Request) (*http.Response, error) {
				if s.attempts() == 0 {
					time.Sleep(time.Second)
				}
				return s.RoundTrip(r)
			})
			resp, err := transport.Retry{MinDelay: -1, AttemptTimeout: time.Second}.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
			if err != nil {
				t.Fatal(err)
			}
			if finish(t, resp) != "1" || s.open != 0 {
				t.Errorf("%d responses open", s.open)
			}
		}
	})
}

// The repeat after a renewal has a timeout of its own, and the renewal none.
func TestAttemptTimeoutOfRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		base := transport.Func(func(r *http.Request) (*http.Response, error) {
			sent++
			time.Sleep(900 * time.Millisecond)
			text := apiError(102, "PARAM_SESSION_EXPIRED : x")
			if sent == 2 {
				text = "true"
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: &liveBody{r.Context(), strings.NewReader(text)}}, nil
		})
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: &sleepy{renewable: new(renewable)}}
		rt := transport.Chain(base, transport.Retry{AttemptTimeout: time.Second}.Wrap, s.Wrap)
		resp, err := rt.RoundTrip(get("method=users.getInfo"))
		if err != nil || sent != 2 {
			t.Fatalf("sent %d times: %v", sent, err)
		}
		if got := finish(t, resp); got != "true" {
			t.Errorf("the body is %q", got)
		}
	})
}

// A sleepy source takes its time.
type sleepy struct{ *renewable }

func (s *sleepy) TokenContext(context.Context) (*oauth2.Token, error) {
	time.Sleep(5 * time.Second)
	return s.Token()
}

// A deadline that a layer below sets is one of its attempt.
func TestDeadlineOfLayerBelow(t *testing.T) {
	below := func(next http.RoundTripper) http.RoundTripper {
		return transport.Func(func(r *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Second)
			defer cancel()
			return next.RoundTrip(r.WithContext(ctx))
		})
	}
	for url, want := range map[string]int{readURL: 4, writeURL: 1} {
		synctest.Test(t, func(t *testing.T) {
			base := &slow{after: []time.Duration{never}}
			_, err := transport.Chain(base, quick.Wrap, below, signer().Wrap).RoundTrip(newGet(t, t.Context(), url))
			if base.attempts() != want || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %d attempts, want %d: %v", url, base.attempts(), want, err)
			}
		})
	}
}

// With status 101 the body is a connection, and stays one.
func TestAttemptTimeoutKeepsConnection(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Upgrade", "echo")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err == nil {
			io.CopyN(conn, rw, 5)
			conn.Close()
		}
	}))
	defer server.Close()
	r := newGet(t, t.Context(), readURL)
	r.Header.Set("Upgrade", "echo")
	r.Header.Set("Connection", "Upgrade")
	resp, err := transport.Retry{AttemptTimeout: time.Minute}.Wrap(dialTo(server)).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatal("the body cannot be written to")
	}
	io.WriteString(conn, "hello")
	if got := finish(t, resp); got != "hello" {
		t.Errorf("the connection returned %q", got)
	}
}

// The error of a call whose context has ended matches the error of the context
// and its cause, wherever the call was.
func TestErrorsHaveCauseOfContext(t *testing.T) {
	cause := errors.New("the user left")
	for where, base := range map[string]http.RoundTripper{
		"in flight":                        &slow{after: []time.Duration{never}},
		"during the pause":                 &script{outcomes: []outcome{respondWith(429, "", "Retry-After", "9")}},
		"during the pause, after an error": &script{outcomes: []outcome{failure(opError("dial", errBroken))}},
		"in flight, with a bare error": transport.Func(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}),
		"in flight, with another error": transport.Func(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, errBroken
		}),
	} {
		for name, stack := range stacks(transport.Retry{MinDelay: time.Hour, MaxDelay: time.Hour, Backoff: fiveSeconds}) {
			for _, ends := range []func(context.Context) (context.Context, context.CancelFunc, error){
				func(ctx context.Context) (context.Context, context.CancelFunc, error) {
					ctx, cancel := context.WithCancelCause(ctx)
					time.AfterFunc(time.Second, func() { cancel(cause) })
					return ctx, func() { cancel(nil) }, context.Canceled
				},
				func(ctx context.Context) (context.Context, context.CancelFunc, error) {
					ctx, cancel := context.WithTimeoutCause(ctx, 6*time.Second, cause)
					return ctx, cancel, context.DeadlineExceeded
				},
			} {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel, end := ends(t.Context())
					defer cancel()
					if where[:9] == "during th" && end == context.DeadlineExceeded {
						return // a pause that would reach the deadline does not begin
					}
					resp, err := stack(base).RoundTrip(newGet(t, ctx, readURL))
					if resp != nil || !errors.Is(err, end) || !errors.Is(err, cause) {
						t.Errorf("%s, %s: %v is not both %v and the cause", where, name, err, end)
					}
					if timeout := (&url.Error{Err: err}).Timeout(); timeout != (end == context.DeadlineExceeded) {
						t.Errorf("%s, %s: Timeout of %v is %v", where, name, err, timeout)
					}
				})
			}
		}
	}
}

// What has ended before it was sent is not sent.
func TestEndedContextSendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, stack := range stacks(quick) {
		s := &script{outcomes: []outcome{respondWith(200, "1")}}
		var bodies tracked
		var n atomic.Int32
		_, err := stack(s).RoundTrip(bodies.post(t, transport.WithAttempts(ctx, &n), "https://api.ok.ru/fb.do", "method=stream.publish"))
		if s.attempts() != 0 || !errors.Is(err, context.Canceled) || errors.Is(err, okerrors.ErrOutcomeUnknown) {
			t.Errorf("%s: sent %d times: %v", name, s.attempts(), err)
		}
		bodies.check(t)
	}
}

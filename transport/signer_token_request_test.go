package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/transport"
)

// A gate is what token sources of tests do: it counts how often it is asked and
// waits until it is opened.
type gate struct {
	mu    sync.Mutex
	asked int
	open  chan struct{}
	token func() (*oauth2.Token, error)
}

func newGate() *gate {
	return &gate{open: make(chan struct{}), token: func() (*oauth2.Token, error) { return &oauth2.Token{AccessToken: "token"}, nil }}
}

func (g *gate) ask() (*oauth2.Token, error) {
	g.mu.Lock()
	g.asked++
	g.mu.Unlock()
	<-g.open
	return g.token()
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

type (
	pointerSource struct{ *gate }
	sliceSource   struct { // not comparable
		gates []*gate
	}
	anySource struct{ gate any } // comparable by its type, not by its value
)

func (s *pointerSource) Token() (*oauth2.Token, error) { return s.ask() }
func (s sliceSource) Token() (*oauth2.Token, error)    { return s.gates[0].ask() }
func (s anySource) Token() (*oauth2.Token, error)      { return s.gate.(func() (*oauth2.Token, error))() }

// sourcesOf are the kinds of sources that know no context.
var sourcesOf = map[string]func(*gate) oauth2.TokenSource{
	"pointer":           func(g *gate) oauth2.TokenSource { return &pointerSource{g} },
	"func":              func(g *gate) oauth2.TokenSource { return sourceFunc(g.ask) },
	"slice":             func(g *gate) oauth2.TokenSource { return sliceSource{[]*gate{g}} },
	"func in any":       func(g *gate) oauth2.TokenSource { return anySource{g.ask} },
	"ReuseTokenSource":  func(g *gate) oauth2.TokenSource { return oauth2.ReuseTokenSource(nil, &pointerSource{g}) },
	"value, comparable": func(g *gate) oauth2.TokenSource { return valueSource{g} },
}

type valueSource struct{ *gate }

func (s valueSource) Token() (*oauth2.Token, error) { return s.ask() }

// forEachSource runs test in a bubble for each kind of source, as the source of
// the Signer and as the source of each call. call sends one call.
func forEachSource(t *testing.T, test func(t *testing.T, g *gate, call func(context.Context) error)) {
	for kind, newSource := range sourcesOf {
		for _, of := range []string{"signer", "call"} {
			t.Run(kind+" of the "+of, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newGate()
					ts := newSource(g)
					s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "s"}
					if of == "signer" {
						s.TokenSource = ts
					}
					rt := s.Wrap(transport.Func(succeed))
					test(t, g, func(ctx context.Context) error {
						if of == "call" {
							ctx = transport.WithTokenSource(ctx, ts)
						}
						_, err := rt.RoundTrip(get("method=users.getInfo").WithContext(ctx))
						return err
					})
				})
			})
		}
	}
}

func succeed(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// However many calls give up waiting, a source that hangs is asked once, by one
// goroutine.
func TestHangingSourceCostsOneGoroutine(t *testing.T) {
	forEachSource(t, func(t *testing.T, g *gate, call func(context.Context) error) {
		before := runtime.NumGoroutine()
		for range 30 {
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
					defer cancel()
					if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) || !isFinal(err) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; g.count() != 1 || n > 3 {
			t.Errorf("asked %d times, %d more goroutines", g.count(), n)
		}
		close(g.open)
		synctest.Wait()
		if err := call(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// One result serves all calls that wait, whether their contexts can end or not.
func TestWaitingCallsShareTheResult(t *testing.T) {
	down := errors.New("down")
	for name, want := range map[string]error{"session": nil, "error": down} {
		t.Run(name, func(t *testing.T) {
			forEachSource(t, func(t *testing.T, g *gate, call func(context.Context) error) {
				token := g.token
				if want != nil {
					g.token = func() (*oauth2.Token, error) { return nil, want }
				}
				var wg sync.WaitGroup
				for i := range 100 {
					ctx := t.Context()
					if i%3 == 0 {
						ctx = context.Background()
					}
					wg.Go(func() {
						if err := call(ctx); !errors.Is(err, want) || err != nil && !isFinal(err) {
							t.Error(err)
						}
					})
				}
				synctest.Wait()
				close(g.open)
				wg.Wait()
				if g.count() != 1 {
					t.Errorf("asked %d times", g.count())
				}
				g.token = token
				if err := call(t.Context()); err != nil { // an error does not stay
					t.Error(err)
				}
			})
		})
	}
}

// A source that panics, or ends its goroutine, costs the calls that wait their
// session and nothing more.
func TestPanicOfSource(t *testing.T) {
	cause := errors.New("cause access_token=" + canaryToken)
	for name, test := range map[string]struct {
		fail func()
		want string
		is   error
	}{
		"string":  {func() { panic("out of tokens") }, "out of tokens", nil},
		"error":   {func() { panic(cause) }, "cause", cause},
		"token":   {func() { panic(&oauth2.Token{AccessToken: canaryToken}) }, "*oauth2.Token", nil},
		"runtime": {func() { var s []int; _ = s[len(canaryToken)] }, "index out of range", nil},
		"Goexit":  {runtime.Goexit, "ended its goroutine", nil},
	} {
		t.Run(name, func(t *testing.T) {
			forEachSource(t, func(t *testing.T, g *gate, call func(context.Context) error) {
				token := g.token
				g.token = func() (*oauth2.Token, error) { test.fail(); return nil, nil }
				var wg sync.WaitGroup
				for i := range 10 {
					wg.Go(func() {
						err := call(t.Context())
						if err == nil || !strings.Contains(err.Error(), test.want) || !isFinal(err) || test.is != nil && !errors.Is(err, test.is) {
							t.Errorf("%v", err)
							return
						}
						if name != "Goexit" && !strings.Contains(err.Error(), "TestPanicOfSource") {
							t.Errorf("no stack in %v", err)
						}
						if i == 0 {
							canary.Check(t, err, canaryToken)
						}
					})
				}
				synctest.Wait()
				close(g.open)
				wg.Wait()
				if g.count() != 1 {
					t.Errorf("asked %d times", g.count())
				}
				g.token = token
				if err := call(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// isFinal reports whether err is Terminal.
func isFinal(err error) bool {
	final, ok := errors.AsType[interface {
		error
		Terminal() bool
	}](err)
	return ok && final.Terminal()
}

// Sources of the same type, or of the same function, are different users.
func TestSourcesAreNotMixedUp(t *testing.T) {
	sources := map[string]func(user string, wait func()) oauth2.TokenSource{
		"func": func(user string, wait func()) oauth2.TokenSource {
			return sourceFunc(func() (*oauth2.Token, error) { wait(); return &oauth2.Token{AccessToken: user}, nil })
		},
		"value": func(user string, wait func()) oauth2.TokenSource {
			return anySource{func() (*oauth2.Token, error) { wait(); return &oauth2.Token{AccessToken: user}, nil }}
		},
	}
	for name, newSource := range sources {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				open := make(chan struct{})
				var mu sync.Mutex
				sent := make(map[string]string) // the session of each user's call
				rt := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "s"}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
					q := r.URL.Query()
					mu.Lock()
					defer mu.Unlock()
					sent[q.Get("uid")] = q.Get("access_token")
					return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
				}))
				var wg sync.WaitGroup
				for i := range 50 {
					user := fmt.Sprint("user-", i)
					ctx := transport.WithTokenSource(t.Context(), newSource(user, func() { <-open }))
					wg.Go(func() {
						if _, err := rt.RoundTrip(get("method=users.getInfo&uid=" + user).WithContext(ctx)); err != nil {
							t.Error(err)
						}
					})
				}
				synctest.Wait()
				close(open)
				wg.Wait()
				for user, session := range sent {
					if user != session {
						t.Errorf("the call of %s used the session of %s", user, session)
					}
				}
				if len(sent) != 50 {
					t.Errorf("%d calls were sent", len(sent))
				}
			})
		})
	}
}

// A result that was on its way before a session was rejected is not taken for a
// newer session.
func TestRejectionDuringARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &slowRenewable{}
		reject := make(chan struct{})
		rt := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "s", TokenSource: source}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			text := "true"
			if r.URL.Query().Get("access_token") == "token-0" {
				<-reject
				text = apiError(102, "PARAM_SESSION_EXPIRED : x")
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &closer{Reader: strings.NewReader(text)}, Request: r}, nil
		}))
		var wg sync.WaitGroup
		call := func() {
			wg.Go(func() {
				resp, err := rt.RoundTrip(get("method=users.getInfo").WithContext(t.Context()))
				if err != nil {
					t.Error(err)
				} else if text := finish(t, resp); text != "true" {
					t.Error(text)
				}
			})
		}
		call()
		time.Sleep(2 * time.Second) // its session is rejected after the second call has asked for one
		call()
		time.Sleep(time.Millisecond)
		close(reject)
		wg.Wait()
	})
}

// slowRenewable is a renewable source that takes a second to return what it had
// when it was asked.
type slowRenewable struct{ renewable }

func (s *slowRenewable) Token() (*oauth2.Token, error) {
	t, err := s.renewable.Token()
	time.Sleep(time.Second)
	return t, err
}

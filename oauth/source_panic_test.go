package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// A bomb panics where it is put, until it is spent.
type bomb struct {
	at    string
	value any
	spent bool
}

func (b *bomb) pass(at string) {
	if at == b.at && !b.spent {
		panic(b.value)
	}
}

// A brittle store has a bomb in it, and takes a second to load.
type brittle struct {
	*memory
	*bomb
}

func (s brittle) Load(ctx context.Context) (*oauth2.Token, error) {
	time.Sleep(time.Second)
	s.pass("Load")
	return s.memory.Load(ctx)
}

func (s brittle) Save(ctx context.Context, t *oauth2.Token) error {
	s.pass("Save")
	return s.memory.Save(ctx, t)
}

func (s brittle) Lock(ctx context.Context) (func(), error) {
	s.pass("Lock")
	unlock, err := s.memory.Lock(ctx)
	return func() {
		unlock()
		s.pass("unlock")
	}, err
}

// mined returns a source of A, or of endless failure, with b in it.
func mined(b *bomb, h *hooks, fails bool) *oauth.Source {
	e := &endpoint{body: goodResponse}
	if fails {
		e.err = errNetwork
	}
	g := e.refresh()
	g.HTTPClient = &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
		b.pass("Transport")
		return e.RoundTrip(r)
	})}
	o := h.options(brittle{newMemory(nil), b})
	o.OnToken = func(t *oauth2.Token) {
		b.pass("OnToken")
		h.onToken(t)
	}
	o.OnError = func(err error) {
		b.pass("OnError")
		h.onError(err)
	}
	return oauth.NewSource(g, o)
}

// isPanic reports whether err is about the panic of a bomb, with its stack.
func isPanic(err error) bool {
	return err != nil && strings.Contains(err.Error(), "panic: boom") && strings.Contains(err.Error(), "source_panic_test.go:")
}

// A panic in a goroutine of a Source would end the program. It is an error
// instead, for the callers who wait and for OnError.
func TestPanicIsAnErrorForWaitingCallers(t *testing.T) {
	tests := map[string]struct {
		fails bool // without the bomb
		got   bool // there is a session in spite of it
		heard int  // errors by OnError
	}{
		"Transport": {false, false, 1},
		"Load":      {false, false, 1},
		"Lock":      {false, false, 1},
		"Save":      {false, true, 1},
		"unlock":    {false, true, 1},
		"OnToken":   {false, true, 1},
		"OnError":   {true, false, 0},
	}
	for at, test := range tests {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hooks
				b := &bomb{at: at, value: "boom"}
				s := mined(b, &h, test.fails)
				var waiting sync.WaitGroup
				for range 3 {
					waiting.Go(func() {
						if err := wantErr(t, s, nil); !isPanic(err) {
							t.Errorf("a caller gets %v, want the panic", err)
						}
					})
				}
				waiting.Wait()
				if len(h.errs) != test.heard {
					t.Errorf("OnError received %v, want %d errors", h.errs, test.heard)
				}
				for _, err := range h.errs {
					if !isPanic(err) {
						t.Errorf("OnError received %q, which does not show what panicked where", err)
					}
				}
				b.spent = true
				if !test.got {
					wantErr(t, s, nil) // for the cool-down
					time.Sleep(5 * time.Second)
				}
				if !test.fails {
					want(t, s, "A")
				}
			})
		})
	}
}

func TestPanicInTheBackground(t *testing.T) {
	for at, after := range map[string]string{"Transport": "old", "Load": "old", "Save": "A", "OnToken": "A"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hooks
				b := &bomb{at: at, value: errNetwork, spent: true}
				s := mined(b, &h, false)
				s.Replace(nil, token("old", "R", time.Minute))
				b.spent = false
				want(t, s, "old")
				time.Sleep(2 * time.Second)
				synctest.Wait()
				want(t, s, after)
				if len(h.errs) != 1 || !errors.Is(h.errs[0], errNetwork) {
					t.Errorf("OnError heard of %v, want the error that was panicked with", h.errs)
				}
				b.spent = true
				time.Sleep(5 * time.Second)
				_, _ = s.Token() // starts a renewal where there was none
				time.Sleep(2 * time.Second)
				want(t, s, "A")
			})
		})
	}
}

func TestPanicDuringReplace(t *testing.T) {
	for _, at := range []string{"Lock", "Save", "unlock", "OnToken"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hooks
				s := mined(&bomb{at: at, value: "boom"}, &h, false)
				s.Replace(nil, token("N", "", 0))
				want(t, s, "N")
				if len(h.errs) != 1 || !isPanic(h.errs[0]) {
					t.Errorf("OnError received %v, want the panic", h.errs)
				}
			})
		})
	}
}

// A hook that panics with what it was given must not get it printed.
func TestPanicPrintsNoSecret(t *testing.T) {
	for name, value := range map[string]any{
		"a token": &oauth2.Token{AccessToken: "CANARY"}, "a text": "access_token=CANARY\n", "an error": errors.New("refresh_token=CANARY"),
	} {
		for _, at := range []string{"OnToken", "Load", "Save", "Transport"} {
			t.Run(name+" in "+at, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var h hooks
					_, err := mined(&bomb{at: at, value: value}, &h, false).Token()
					h.errs = append(h.errs, err)
					if len(h.errs) != 2 {
						t.Errorf("OnError received %d errors", len(h.errs)-1)
					}
					for _, err := range h.errs {
						if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "CANARY") {
							t.Errorf("error is %q", err)
						}
						canary.Check(t, err, "CANARY")
					}
				})
			})
		}
	}
}

// A panic is shown with its value, if that cannot be a secret, and with the functions
// that led to it, ten at most.
func TestPanicTexts(t *testing.T) {
	var deep func(n int)
	deep = func(n int) {
		if n == 0 {
			panic("deep")
		}
		deep(n - 1)
	}
	var nothing *oauth2.Token
	const hook = `oauth_test\.TestPanicTexts\.func[\d.]+ \(source_panic_test\.go:\d+\)`
	const callers = ` < oauth\.\(\*Source\)\.callOnToken\.func1 \(source_hooks\.go:\d+\) < oauth\.protect \(source_call\.go:\d+\) < oauth\.\(\*Source\)\.callOnToken \(source_hooks\.go:\d+\)` +
		` < oauth\.\(\*renewal\)\.callHooks \(source_hooks\.go:\d+\) < oauth\.\(\*renewal\)\.run \(source_renew\.go:\d+\)\]$`
	for want, hook := range map[string]func(*oauth2.Token){
		`boom \[` + hook + callers:                            func(*oauth2.Token) { panic("boom") },
		`network is down \[` + hook + callers:                 func(*oauth2.Token) { panic(errNetwork) },
		`a value of type \*oauth2\.Token \[` + hook + callers: func(*oauth2.Token) { panic(token("CANARY", "", 0)) },
		`runtime error: .* \[` + hook + callers:               func(*oauth2.Token) { _ = *nothing },
		`again \[` + hook + callers: func(*oauth2.Token) {
			defer func() { _ = recover(); panic("again") }()
			panic("first")
		},
		`deep \[(oauth_test\.TestPanicTexts\.func1 \(source_panic_test\.go:\d+\) < ){9}oauth_test\.TestPanicTexts\.func1 \(source_panic_test\.go:\d+\)\]$`: func(*oauth2.Token) { deep(20) },
	} {
		s := oauth.NewSource(unclocked(), oauth.Options{OnToken: hook})
		if err := wantErr(t, s, nil); !regexp.MustCompile(`^okru: sign-in failed: panic: ` + want).MatchString(err.Error()) {
			t.Errorf("the error is\n%v, want\n%s", err, want)
		}
	}
}

// Of several panics the callers get the first, without the new session.
func TestFirstPanicCounts(t *testing.T) {
	s := oauth.NewSource(grantFunc(func(context.Context) (*oauth2.Token, error) { return token("CANARY-new", "", 0), nil }), oauth.Options{
		OnToken: func(got *oauth2.Token) { panic("first with " + got.AccessToken) },
		OnError: func(error) { panic("second") },
	})
	err := wantErr(t, s, nil)
	if !strings.HasPrefix(err.Error(), "okru: sign-in failed: panic: first with [redacted]") {
		t.Errorf("the error is %v", err)
	}
	want(t, s, "CANARY-new")
}

// A hook that panics about a late session is reported as well.
func TestPanicAboutALateSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h hooks
		g := &oneLate{end: make(chan struct{}), late: token("late", "", 0)}
		s := oauth.NewSource(g, oauth.Options{Timeout: time.Second, OnError: h.onError, OnToken: func(*oauth2.Token) { panic("boom") }})
		wantErr(t, s, context.DeadlineExceeded)
		close(g.end)
		synctest.Wait()
		want(t, s, "late")
		if len(h.errs) != 2 || !isPanic(h.errs[1]) {
			t.Errorf("OnError received %v, want the timeout and the panic", h.errs)
		}
	})
}

// It is not known whether OK received a code whose exchange did not return.
func TestCodeIsNotSentAfterAPanic(t *testing.T) {
	e := &endpoint{body: goodResponse}
	g := e.code()
	g.HTTPClient = &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
		_, _ = e.RoundTrip(r)
		panic("boom")
	})}
	s := oauth.NewSource(g, oauth.Options{CoolDown: -1})
	if err := wantErr(t, s, nil); !strings.Contains(err.Error(), "panic: boom [") || !strings.Contains(err.Error(), "]") {
		t.Fatalf("error is %v, want the panic", err)
	}
	wantErr(t, s, oauth.ErrSignIn)
	wantExchanges(t, e, 1)
}

func TestLoopbackThatPanics(t *testing.T) {
	g := oauth.Loopback{ClientID: "512", RedirectURL: "http://127.0.0.1:0/", Open: func(string) error { panic("boom") }}
	if _, err := g.Token(t.Context()); !isPanic(err) {
		t.Errorf("error is %v, want the panic", err)
	}
}

package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
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
	e := &endpoint{body: goodAnswer}
	if fails {
		e.err = errNetwork
	}
	g := e.refresh()
	g.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
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

// panicOf returns what fn panics with.
func panicOf(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

// A panic in a goroutine of a Source would end the program.
func TestPanicReachesThoseWhoWait(t *testing.T) {
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
						if got := panicOf(func() { _, _ = s.Token() }); got != "boom" {
							t.Errorf("a caller recovers %v, want the panic", got)
						}
					})
				}
				waiting.Wait()
				if len(h.errs) != test.heard {
					t.Errorf("OnError heard of %v, want %d errors", h.errs, test.heard)
				}
				for _, err := range h.errs {
					if text := err.Error(); !strings.HasPrefix(text, "okru: panic in ") || !strings.HasSuffix(text, ": boom") ||
						!strings.Contains(text, "panic_test.go:") {
						t.Errorf("OnError heard %q, which does not tell what panics where", text)
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
	for at, heard := range map[string]int{"Lock": 1, "Save": 1, "unlock": 1, "OnToken": 0} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hooks
				s := mined(&bomb{at: at, value: "boom"}, &h, false)
				if got := panicOf(func() { s.Replace(nil, token("N", "", 0)) }); got != "boom" {
					t.Errorf("Replace panics with %v", got)
				}
				want(t, s, "N")
				if len(h.errs) != heard {
					t.Errorf("OnError heard of %v, want %d errors", h.errs, heard)
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
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h hooks
				s := mined(&bomb{at: "OnToken", value: value}, &h, false)
				if got := panicOf(func() { _, _ = s.Token() }); got != value {
					t.Errorf("recovered %v", got)
				}
				if len(h.errs) != 1 || strings.Contains(h.errs[0].Error(), "\n") || strings.Contains(h.errs[0].Error(), "CANARY") {
					t.Errorf("OnError heard %q", h.errs)
				}
			})
		})
	}
}

// Nobody knows whether OK has seen a code whose exchange did not return.
func TestCodeIsNotSentAfterAPanic(t *testing.T) {
	e := &endpoint{body: goodAnswer}
	g := e.code()
	g.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		_, _ = e.RoundTrip(r)
		panic("boom")
	})}
	s := oauth.NewSource(g, oauth.Options{CoolDown: -1})
	if got := panicOf(func() { _, _ = s.Token() }); got != "boom" {
		t.Fatalf("recovered %v", got)
	}
	wantErr(t, s, oauth.ErrSignIn)
	wantExchanges(t, e, 1)
}

func TestLoopbackThatPanics(t *testing.T) {
	g := oauth.Loopback{ClientID: "512", RedirectURL: "http://127.0.0.1:0/", Open: func(string) error { panic("boom") }}
	if got := panicOf(func() { _, _ = g.Token(t.Context()) }); got != "boom" {
		t.Errorf("recovered %v", got)
	}
}

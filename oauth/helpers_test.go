package oauth_test

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// token returns a session that expires after life, unless that is 0, and has a
// refresh token if refresh is not empty.
func token(access, refresh string, life time.Duration) *oauth2.Token {
	t := &oauth2.Token{AccessToken: access, TokenType: "session", RefreshToken: refresh}
	if life != 0 {
		t.Expiry = time.Now().Add(life)
	}
	return t
}

// A script is a grant that answers as told.
type script struct {
	answer func(n int) (*oauth2.Token, error) // n counts from 1
	delay  time.Duration                      // each answer takes this long, unless its context ends

	mu    sync.Mutex
	calls []string
}

// numbered returns a script of sessions T1, T2, … that live for life and have
// refresh tokens.
func numbered(life time.Duration) *script {
	return &script{answer: func(n int) (*oauth2.Token, error) {
		return token(fmt.Sprintf("T%d", n), fmt.Sprintf("R%d", n), life), nil
	}}
}

// unclocked is numbered without refresh tokens.
func unclocked() *script {
	return &script{answer: func(n int) (*oauth2.Token, error) {
		return token(fmt.Sprintf("T%d", n), "", time.Hour), nil
	}}
}

func failing(err error) *script {
	return &script{answer: func(int) (*oauth2.Token, error) { return nil, err }}
}

func (g *script) play(ctx context.Context, call string) (*oauth2.Token, error) {
	g.mu.Lock()
	g.calls = append(g.calls, call)
	n := len(g.calls)
	g.mu.Unlock()
	if g.delay > 0 {
		select {
		case <-time.After(g.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return g.answer(n)
}

func (g *script) Token(ctx context.Context) (*oauth2.Token, error) { return g.play(ctx, "token") }

func (g *script) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.calls)
}

// A renewing script is a Renewer too.
type renewing struct{ *script }

func (g renewing) Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	return g.play(ctx, "renew "+old.AccessToken+" "+old.RefreshToken)
}

// want fails the test unless s has the session access.
func want(t *testing.T, s oauth2.TokenSource, access string) *oauth2.Token {
	t.Helper()
	got, err := s.Token()
	if err != nil {
		t.Fatalf("Token: %v; want %s", err, access)
	}
	if got.AccessToken != access {
		t.Fatalf("Token is %s, want %s", got.AccessToken, access)
	}
	return got
}

// wantErr fails the test unless s has no session for the reason target.
func wantErr(t *testing.T, s oauth2.TokenSource, target error) error {
	t.Helper()
	got, err := s.(contextSource).TokenContext(t.Context())
	if err == nil || got != nil {
		t.Fatalf("TokenContext returns %v, %v; want no session and error %v", got, err, target)
	}
	if target != nil && !errors.Is(err, target) {
		t.Fatalf("Token: %v; want one that is %v", err, target)
	}
	if final, ok := errors.AsType[interface {
		error
		Terminal() bool
	}](err); !ok || !final.Terminal() {
		t.Errorf("error %v is not Terminal: Retry would repeat the call", err)
	}
	return err
}

type contextSource interface {
	TokenContext(context.Context) (*oauth2.Token, error)
}

func wantCalls(t *testing.T, g *script, n int) {
	t.Helper()
	if got := g.count(); got != n {
		t.Fatalf("the grant was asked %d times (%v), want %d", got, g.calls, n)
	}
}

var errNetwork = errors.New("network is down")

// hooks collects what a Source reports.
type hooks struct {
	mu     sync.Mutex
	tokens []string
	errs   []error
}

func (h *hooks) onToken(t *oauth2.Token) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tokens = append(h.tokens, t.AccessToken)
}

func (h *hooks) onError(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errs = append(h.errs, err)
}

func (h *hooks) options(store oauth.Store) oauth.Options {
	return oauth.Options{Store: store, OnToken: h.onToken, OnError: h.onError}
}

func md5Hex(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }

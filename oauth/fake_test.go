package oauth_test

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"slices"
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

// A memory is a store whose faults are set from outside.
type memory struct {
	lock chan struct{}

	mu                        sync.Mutex
	content                   *oauth2.Token
	journal                   []string
	loadErr, saveErr, lockErr error
}

func newMemory(t *oauth2.Token) *memory {
	return &memory{content: t, lock: make(chan struct{}, 1)}
}

func (m *memory) note(op string) {
	m.journal = append(m.journal, op)
}

func (m *memory) Load(context.Context) (*oauth2.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note("load")
	return m.content, m.loadErr
}

func (m *memory) Save(_ context.Context, t *oauth2.Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note("save " + t.AccessToken)
	if m.saveErr == nil {
		m.content, m.loadErr = t, nil
	}
	return m.saveErr
}

func (m *memory) Lock(ctx context.Context) (func(), error) {
	m.mu.Lock()
	m.note("lock")
	err := m.lockErr
	m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case m.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return func() {
		m.mu.Lock()
		m.note("unlock")
		m.mu.Unlock()
		<-m.lock
	}, nil
}

// access returns the access token that m has.
func (m *memory) access() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.content == nil {
		return ""
	}
	return m.content.AccessToken
}

// put is another process at work.
func (m *memory) put(t *oauth2.Token) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.content, m.loadErr = t, nil
}

func (m *memory) fault(load, save, lock error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loadErr, m.saveErr, m.lockErr = load, save, lock
}

// ops returns what was done to m since the last call of ops.
func (m *memory) ops() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() { m.journal = nil }()
	return slices.Clone(m.journal)
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
	got, err := s.Token()
	if err == nil {
		t.Fatalf("Token is %s, want error %v", got.AccessToken, target)
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

func wantCalls(t *testing.T, g *script, n int) {
	t.Helper()
	if got := g.count(); got != n {
		t.Fatalf("the grant was asked %d times (%v), want %d", got, g.calls, n)
	}
}

func wantOps(t *testing.T, m *memory, want ...string) {
	t.Helper()
	if got := m.ops(); !slices.Equal(got, want) {
		t.Errorf("store was used as %v, want %v", got, want)
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

// slowSaver is a memory that takes 20 s to save.
type slowSaver struct{ *memory }

func (m slowSaver) Save(ctx context.Context, t *oauth2.Token) error {
	select {
	case <-time.After(20 * time.Second):
		return m.memory.Save(ctx, t)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// slowLoader is a memory that takes a second to load.
type slowLoader struct{ *memory }

func (m slowLoader) Load(ctx context.Context) (*oauth2.Token, error) {
	defer time.Sleep(time.Second)
	return m.memory.Load(ctx)
}

func md5Hex(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }

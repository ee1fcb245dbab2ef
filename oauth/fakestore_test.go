package oauth_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

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

// saves returns how often m was given a session since the last call of ops.
func (m *memory) saves() (n int) {
	for _, op := range m.ops() {
		if strings.HasPrefix(op, "save ") {
			n++
		}
	}
	return n
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

func wantOps(t *testing.T, m *memory, want ...string) {
	t.Helper()
	if got := m.ops(); !slices.Equal(got, want) {
		t.Errorf("store was used as %v, want %v", got, want)
	}
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

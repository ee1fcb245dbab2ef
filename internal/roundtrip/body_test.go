package roundtrip_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/internal/roundtrip"
)

// A body counts what is read from it, and how often it is closed. At its end it
// waits for Close if it is endless.
type body struct {
	rest    io.Reader
	endless bool
	read    int
	closed  int
	ended   chan struct{} // closed by Close
}

func newBody(length int, endless bool) *body {
	return &body{rest: strings.NewReader(strings.Repeat("x", length)), endless: endless, ended: make(chan struct{})}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.rest.Read(p)
	b.read += n
	if n == 0 && b.endless {
		<-b.ended
		return 0, errors.New("closed")
	}
	return n, err
}

func (b *body) Close() error {
	if b.closed++; b.closed == 1 {
		close(b.ended)
	}
	return nil
}

// What is discarded is read up to 64 KiB, for at most 50 ms, and closed once.
func TestDiscard(t *testing.T) {
	for name, test := range map[string]struct {
		body *body
		read int
		took time.Duration
	}{
		"empty":       {newBody(0, false), 0, 0},
		"short":       {newBody(100, false), 100, 0},
		"as long":     {newBody(64<<10, false), 64 << 10, 0},
		"longer":      {newBody(100<<10, false), 64 << 10, 0},
		"never ends":  {nil, 100, 50 * time.Millisecond},
		"never comes": {nil, 0, 50 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := test.body
			if b == nil {
				b = newBody(test.read, true)
			}
			begin := time.Now()
			roundtrip.Discard(&http.Response{Body: b})
			if took := time.Since(begin); b.read != test.read || took != test.took {
				t.Errorf("%s: read %d bytes in %v, want %d in %v", name, b.read, took, test.read, test.took)
			}
			if time.Sleep(time.Hour); b.closed != 1 {
				t.Errorf("%s: closed %d times", name, b.closed)
			}
		})
	}
	roundtrip.Discard(nil)
	roundtrip.Discard(new(http.Response))
}

func TestCloseRequest(t *testing.T) {
	b := newBody(1, false)
	if roundtrip.CloseRequest(&http.Request{Body: b}); b.closed != 1 || b.read != 0 {
		t.Errorf("closed %d times, %d bytes read", b.closed, b.read)
	}
	roundtrip.CloseRequest(new(http.Request))
}

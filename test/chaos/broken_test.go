package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// The tests here break the client, each in one way, and want the soak to find
// out. Nothing else goes wrong.

// smallPlan is a soak without trouble, of the calls that warmUp makes.
func smallPlan(t *testing.T) plan {
	p := newPlan(1, 10*time.Millisecond, t.TempDir())
	p.schedule, p.callers, p.people, p.trial = nil, 1, ways, 1
	return p
}

// finds fails t unless a soak of p finds that a promise was broken.
func finds(t *testing.T, p plan, promise string) {
	t.Helper()
	p.recovery = 0
	r, err := run(p)
	if err != nil {
		t.Fatal(err)
	}
	if r.broken(promise) == 0 {
		t.Errorf("%s were not found; calls: %v", promise, r.calls())
	}
}

func TestSoundClientIsFoundSound(t *testing.T) {
	r, err := run(smallPlan(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.findings() {
		if f.times > 0 {
			t.Errorf("%s: %d %v", f.what, f.times, f.how)
		}
	}
	if r.audit.told == 0 || r.tally.succeeded.Load() == 0 {
		t.Errorf("nothing succeeded: %v", r)
	}
}

// A retry below everything that repeats whatever got lost.
func TestDuplicatesAreFound(t *testing.T) {
	p := smallPlan(t)
	p.below = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if !isCall(r) {
			return next.RoundTrip(r)
		}
		again := r.Clone(r.Context())
		again.Body = nil
		if r.GetBody != nil {
			again.Body, _ = r.GetBody()
		}
		if resp, err := next.RoundTrip(r); err == nil {
			discard(resp) // suppose that it was lost
		}
		return next.RoundTrip(again)
	})
	finds(t, p, "writes duplicated")
}

// A client that reports success without a call.
func TestLostWritesAreFound(t *testing.T) {
	p := smallPlan(t)
	p.above = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if params(r).Get("method") != writeMethod {
			return next.RoundTrip(r)
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
	})
	finds(t, p, "writes lost")
}

// A client that returns to each caller the response of the call before.
func TestSwappedAnswersAreFound(t *testing.T) {
	p := smallPlan(t)
	var mu sync.Mutex
	var last []byte
	p.above = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		mu.Lock()
		defer mu.Unlock()
		if last == nil {
			last = text
		}
		resp.Body, last = io.NopCloser(bytes.NewReader(last)), text
		return resp, err
	})
	finds(t, p, "wrong responses")
}

// A client that calls on behalf of another user.
func TestWrongUsersAreFound(t *testing.T) {
	p := smallPlan(t)
	var first atomic.Pointer[oauth2.Token]
	p.below = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if token := params(r).Get("access_token"); token != "" {
			first.CompareAndSwap(nil, &oauth2.Token{AccessToken: token})
		}
		return next.RoundTrip(r)
	})
	p.above = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if t := first.Load(); t != nil {
			r = r.WithContext(transport.WithToken(r.Context(), t))
		}
		return next.RoundTrip(r)
	})
	finds(t, p, "wrong responses")
}

// A layer that forgets about contexts.
func TestLateCallsAreFound(t *testing.T) {
	p := smallPlan(t)
	p.deadline, p.slack = 20*time.Millisecond, time.Millisecond
	p.above = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		time.Sleep(20 * time.Millisecond)
		return nil, r.Context().Err()
	})
	finds(t, p, "calls back late")
}

// A layer that lets one call hang.
func TestStuckCallsAreFound(t *testing.T) {
	p := smallPlan(t)
	p.deadline, p.slack = 100*time.Millisecond, 0
	p.patience = 0
	ever := make(chan struct{})
	defer close(ever)
	var done atomic.Bool
	p.above = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if done.CompareAndSwap(false, true) {
			<-ever
		}
		return next.RoundTrip(r)
	})
	finds(t, p, "calls never back")
}

// A client that never gets over it.
func TestLastingFailuresAreFound(t *testing.T) {
	p := smallPlan(t)
	p.above = layer(func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, errors.New("never again") })
	finds(t, p, "sessions or clients that did not recover")
}

// A layer that leaves a goroutine behind.
func TestLeakedGoroutinesAreFound(t *testing.T) {
	p := smallPlan(t)
	p.patience = 0
	ever := make(chan struct{})
	defer close(ever)
	var once sync.Once
	p.below = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		once.Do(func() { go func() { <-ever }() })
		return next.RoundTrip(r)
	})
	finds(t, p, "goroutines leaked")
}

// A layer that does not close one response.
func TestOpenConnectionsAreFound(t *testing.T) {
	p := smallPlan(t)
	p.patience = 100 * time.Millisecond
	var once sync.Once
	p.below = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if isCall(r) {
			once.Do(func() {
				forgotten := r.Clone(t.Context())
				forgotten.Body = nil
				if r.GetBody != nil {
					forgotten.Body, _ = r.GetBody()
				}
				if resp, err := next.RoundTrip(forgotten); err == nil {
					t.Cleanup(func() { resp.Body.Close() })
				}
			})
		}
		return next.RoundTrip(r)
	})
	finds(t, p, "connections left open")
}

// A layer that quotes what was sent.
func TestSecretsAreFound(t *testing.T) {
	for _, name := range []string{"access_token", "sig"} {
		p := smallPlan(t)
		var secret atomic.Value
		p.below = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			if text := params(r).Get(name); text != "" {
				secret.Store(text)
			}
			return next.RoundTrip(r)
		})
		p.above = layer(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil {
				resp.Body.Close()
			}
			return nil, fmt.Errorf("got no answer to ?%s=%v: %w", name, secret.Load(), errors.Join(err, io.ErrUnexpectedEOF))
		})
		finds(t, p, "secrets in errors, logs and traces")
	}
}

func TestGrowingHeapIsFound(t *testing.T) {
	for _, test := range []struct {
		samples []uint64
		grows   bool
	}{
		{nil, false},
		{[]uint64{1, 1 << 40}, false}, // too few to decide
		{[]uint64{50 << 20, 90 << 20, 60 << 20}, false},
		{[]uint64{50 << 20, 90 << 20, 120 << 20}, true},
		{[]uint64{1 << 20, 1 << 20, 1 << 20, 1 << 20, 900 << 20, 1 << 20, 1 << 20, 900 << 20, 2 << 20}, false}, // peaks
	} {
		h := heap{samples: test.samples}
		if h.grows() != test.grows {
			t.Errorf("heap of %v bytes: grows: %v, want %v", test.samples, h.grows(), test.grows)
		}
	}
}

// A limiter that does what the server asks for, for a century.
func TestLongPausesAreFound(t *testing.T) {
	p := smallPlan(t)
	p.above = layer(func(http.RoundTripper, *http.Request) (*http.Response, error) {
		return nil, &ratelimit.LimitedError{Wait: 100 * 365 * 24 * time.Hour}
	})
	finds(t, p, "pauses beyond 10 minutes")
}

// A limiter that learns from every host.
func TestPausesBecauseOfAnotherHostAreFound(t *testing.T) {
	p := smallPlan(t)
	p.above = layer(func(http.RoundTripper, *http.Request) (*http.Response, error) {
		return nil, &ratelimit.LimitedError{Wait: 10 * time.Minute}
	})
	finds(t, p, "pauses because of another host")
}

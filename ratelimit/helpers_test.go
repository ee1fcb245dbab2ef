package ratelimit_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-okru/okru/ratelimit"
)

func response(r *http.Request, status int, text string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}
}

func newRequest(ctx context.Context, method string) *http.Request {
	r, _ := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/fb.do?method="+method, nil)
	return r
}

// recorder is a limiter that keeps the outcomes it observes.
type recorder struct {
	mu    sync.Mutex
	waits int
	seen  []ratelimit.Outcome
	err   error
}

func (l *recorder) Wait(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits++
	return l.err
}

func (l *recorder) Observe(o ratelimit.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, o)
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func send(t *testing.T, rt http.RoundTripper, r *http.Request) {
	t.Helper()
	resp, err := rt.RoundTrip(r)
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
}

// passes records when callers passed.
type passes struct {
	mu sync.Mutex
	at []time.Time
}

func (p *passes) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, time.Now())
}

// within fails t if more calls passed in some window than a bucket of perSecond
// and burst allows.
func (p *passes) within(t *testing.T, perSecond float64, burst int) {
	t.Helper()
	if over := p.over(perSecond, burst); over > 1e-3 {
		t.Errorf("%.2f calls too many passed in some window", over)
	}
}

// over returns by how many calls the worst window exceeds what may pass in it:
// rate·t + burst, and what late timers may bunch.
func (p *passes) over(perSecond float64, burst int) float64 {
	slices.SortFunc(p.at, time.Time.Compare)
	// From pass i to pass j, j-i+1 pass. With f(i) = i - rate·t(i), the excess
	// is f(j) - f(i) + 1 - burst - rate·0.02, at its worst for the lowest f(i).
	lowest, worst := math.Inf(1), math.Inf(-1)
	for i, at := range p.at {
		f := float64(i) - perSecond*at.Sub(p.at[0]).Seconds()
		lowest = min(lowest, f)
		worst = max(worst, f-lowest+1-float64(burst)-perSecond*0.02)
	}
	return worst
}

// noDeadline is a context that ends but does not say when.
type noDeadline struct{ context.Context }

func (noDeadline) Deadline() (time.Time, bool) { return time.Time{}, false }

func checkRejected(t *testing.T, err error, wait time.Duration, late bool) {
	t.Helper()
	if !errors.Is(err, ratelimit.ErrLimited) || errors.Is(err, context.DeadlineExceeded) != late {
		t.Fatalf("Wait = %v; want ErrLimited, and DeadlineExceeded: %t", err, late)
	}
	limited, ok := errors.AsType[*ratelimit.LimitedError](err)
	if !ok || limited.Wait != wait || !limited.Terminal() || limited.Timeout() != late {
		t.Errorf("the rejection is %#v; want one that would wait %v", err, wait)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-okru/okru/transport"
)

// tracked makes requests and keeps count of their bodies.
type tracked struct{ bodies []*trackedBody }

type trackedBody struct {
	io.Reader
	closes int
}

func (b *trackedBody) Close() error { b.closes++; return nil }

func (c *tracked) open(form string) io.ReadCloser {
	b := &trackedBody{Reader: strings.NewReader(form)}
	c.bodies = append(c.bodies, b)
	return b
}

// post returns a POST of form; its body is the first one.
func (c *tracked) post(t testing.TB, ctx context.Context, url, form string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "POST", url, c.open(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.ContentLength = int64(len(form))
	r.GetBody = func() (io.ReadCloser, error) { return c.open(form), nil }
	return r
}

func (c *tracked) check(t testing.TB) {
	t.Helper()
	for i, b := range c.bodies {
		if b.closes != 1 {
			t.Errorf("body %d of %d was closed %d times, want 1", i, len(c.bodies), b.closes)
		}
	}
}

func TestRetrySendsFreshBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &script{outcomes: []outcome{failure(errBroken), respondWith(500, "page"), respondWith(200, "1")}}
		var bodies tracked
		r := bodies.post(t, t.Context(), "https://api.ok.ru/fb.do", "method=friends.get")
		before := *r
		resp, err := transport.Retry{}.Wrap(base).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		for i, form := range base.forms {
			if form != "method=friends.get" {
				t.Errorf("attempt %d sent %q", i+1, form)
			}
		}
		if base.attempts() != 3 || base.open != 0 {
			t.Errorf("%d attempts, %d responses open; want 3, 0", base.attempts(), base.open)
		}
		if r.Body != before.Body || r.ContentLength != before.ContentLength {
			t.Error("the caller's request was changed")
		}
		bodies.check(t)
	})
}

func TestRetryNeedsGetBody(t *testing.T) {
	base := &script{outcomes: []outcome{respondWith(429, "slow down")}}
	var bodies tracked
	r := bodies.post(t, t.Context(), writeURL, "text=1")
	r.GetBody = nil
	resp, err := transport.Retry{}.Wrap(base).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := finish(t, resp); got != "slow down" || base.attempts() != 1 {
		t.Errorf("body %q after %d attempts, want the first response", got, base.attempts())
	}
	bodies.check(t)
}

// A failure of GetBody is the end. It takes nothing away from a response, and
// an error shows both.
func TestRetryGetBodyFails(t *testing.T) {
	errGone := errors.New("file is gone")
	for _, test := range []struct {
		name    string
		outcome outcome
	}{{"response", respondWith(429, "slow down")}, {"error", failure(errBroken)}} {
		base := &script{outcomes: []outcome{test.outcome}}
		var bodies tracked
		r := bodies.post(t, transport.WithIdempotent(t.Context(), true), writeURL, "text=1")
		r.GetBody = func() (io.ReadCloser, error) { return nil, errGone }
		resp, err := transport.Retry{}.Wrap(base).RoundTrip(r)
		if test.outcome.err != nil {
			if resp != nil || !errors.Is(err, errBroken) || !errors.Is(err, errGone) {
				t.Errorf("%s: outcome %v, %v; want an error that shows both", test.name, resp, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := finish(t, resp); got != "slow down" {
			t.Errorf("%s: body %q, want that of the first response", test.name, got)
		}
		if base.attempts() != 1 {
			t.Errorf("%s: %d attempts, want 1", test.name, base.attempts())
		}
		bodies.check(t)
	}
}

package oktest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/oktest"
)

func httptestServer(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// What net/http promises about a RoundTripper is true of the one in process.
func TestInProcessIsARoundTripper(t *testing.T) {
	srv := newServer(t)
	rt := srv.InProcess()
	body := &closeCounter{Reader: strings.NewReader(sessionless("method", "group.getInfo", "uids", "1").Encode())}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, realAPI+"/fb.do", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	before := r.Clone(r.Context())
	resp, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n := body.closed.Load(); n != 1 {
		t.Errorf("the request body was closed %d times", n)
	}
	if !reflect.DeepEqual(r.Header, before.Header) || *r.URL != *before.URL || r.Host != before.Host || r.Body != body || r.RequestURI != "" {
		t.Error("the request was modified")
	}
	if resp.Request != r {
		t.Error("resp.Request is another request")
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || int64(len(text)) != resp.ContentLength || resp.Header.Get("Content-Length") != "2" {
		t.Errorf("got %q, %v, ContentLength %d", text, err, resp.ContentLength)
	}
	if resp.Status != "200 OK" || resp.Proto != "HTTP/1.1" {
		t.Errorf("got %s %s", resp.Proto, resp.Status)
	}
}

func TestInProcessRejectsHalfARequest(t *testing.T) {
	srv := newServer(t)
	for name, r := range map[string]*http.Request{
		"no URL":    {Header: http.Header{}},
		"no Header": {URL: &url.URL{Scheme: "https", Host: "api.ok.ru", Path: "/fb.do"}},
	} {
		body := &closeCounter{Reader: strings.NewReader("")}
		r.Body = body
		if resp, err := srv.InProcess().RoundTrip(r); err == nil || resp != nil || body.closed.Load() != 1 {
			t.Errorf("%s: got %v, %v; the body was closed %d times", name, resp, err, body.closed.Load())
		}
	}
}

// A handler that hangs does not keep a caller beyond its context, and neither does a
// body that never ends.
func TestInProcessReturnsWithItsContext(t *testing.T) {
	for name, body := range map[string]func() io.Reader{
		"handler": func() io.Reader { return strings.NewReader(sessionless("method", "test.hang").Encode()) },
		"body":    func() io.Reader { r, _ := io.Pipe(); return r },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hang := make(chan struct{})
				srv := oktest.NewServer(app)
				srv.Handle("test.hang", func(url.Values) (any, error) { <-hang; return true, nil })
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, realAPI+"/fb.do", body())
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				start := time.Now()
				_, err = srv.InProcess().RoundTrip(r)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
					t.Errorf("got %v after %v", err, time.Since(start))
				}
				close(hang)
				srv.Close()
			})
		})
	}
}

func TestInProcessBodyAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := oktest.NewServer(app)
		defer srv.Close()
		srv.Inject(oktest.Fault{Pause: time.Hour})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, realAPI+"/blank.html", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path, r.URL.RawQuery = "/fb.do", sessionless("method", "group.getInfo", "uids", "1").Encode()
		resp, err := srv.InProcess().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Minute)
			resp.Body.Close()
		}()
		start := time.Now()
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, http.ErrBodyReadAfterClose) || time.Since(start) != time.Minute {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

// A server made outside a bubble works inside one.
func TestInProcessInABubbleOfAnother(t *testing.T) {
	srv := newServer(t)
	srv.Inject(oktest.Fault{Delay: time.Hour})
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			if got := burst(t, srv, 3); got != 3 {
				t.Errorf("%d calls, want 3", got)
			}
		})
	}
}

func TestInProcessFromManyGoroutines(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "secret")
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			token := anna.Token()
			for range 20 {
				if r := get(t, srv.InProcess(), realAPI, clientSigned(token, "method", "events.get")); r.code(t) != 0 {
					t.Error(r.body)
				}
			}
			srv.Configure(oktest.Settings{})
			srv.Limit()
		})
	}
	wg.Wait()
	if got := len(srv.Calls()); got != 1000 {
		t.Errorf("%d calls in the journal, want 1000", got)
	}
}

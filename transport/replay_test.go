package transport_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// net/http repeats a request with one of these headers by itself, if a kept
// connection breaks, whatever its verb and the value of the header. A write
// that ran before must not run again.
func TestIdempotencyKeyIsNotReplayed(t *testing.T) {
	var runs atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if strings.Contains(r.URL.RawQuery+string(text), "users.getLoggedInUser") {
			return // keeps the connection
		}
		runs.Add(1)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}))
	defer server.Close()
	base := dialTo(server)
	defer base.CloseIdleConnections()
	rt := transport.Chain(base, quick.Wrap, signer().Wrap, transport.Group{Token: "tkn:1"}.Wrap)
	const api = "https://api.ok.ru/fb.do"
	for _, header := range []http.Header{
		{}, {"Idempotency-Key": {"1"}}, {"Idempotency-Key": {""}}, {"Idempotency-Key": {}}, {"Idempotency-Key": nil},
		{"X-Idempotency-Key": {"1"}}, {"X-Idempotency-Key": nil}, {"idempotency-key": {"1"}}, {"X-IDEMPOTENCY-KEY": {""}},
		{"Idempotency-Key": {"1"}, "X-Idempotency-Key": {"2"}},
	} {
		for name, r := range map[string]*http.Request{
			"form":              request(t.Context(), "POST", api, "method=users.setStatus&status=1"),
			"marked as a write": request(transport.WithIdempotent(t.Context(), false), "POST", api, "method=users.getInfo"),
			"query":             request(t.Context(), "POST", api+"?method=users.setStatus", ""),
			"NoBody":            request(t.Context(), "POST", api+"?method=users.setStatus", ""),
			"GET":               request(t.Context(), "GET", api+"?method=users.setStatus", ""),
			"GET, NoBody":       request(t.Context(), "GET", api+"?method=users.setStatus", ""),
			"HEAD":              request(t.Context(), "HEAD", api+"?method=users.setStatus", ""),
			"OPTIONS":           request(t.Context(), "OPTIONS", api+"?method=users.setStatus", ""),
			"DELETE":            request(t.Context(), "DELETE", api+"?method=users.setStatus", ""),
			"Graph":             request(t.Context(), "POST", "https://api.ok.ru/graph/me/subscribe", `{"url":"x"}`),
			"Graph, no body":    request(t.Context(), "POST", "https://api.ok.ru/graph/me/subscribe", ""),
			"Graph DELETE":      request(t.Context(), "DELETE", "https://api.ok.ru/graph/me/subscribe", ""),
			"Graph HEAD":        request(t.Context(), "HEAD", "https://api.ok.ru/graph/me/subscribe", ""),
			"multipart":         request(t.Context(), "POST", api+"?method=photos.upload", "--x"),
		} {
			for key, values := range header {
				r.Header[key] = values
			}
			if strings.Contains(name, "NoBody") {
				r.Body, r.GetBody = http.NoBody, func() (io.ReadCloser, error) { return http.NoBody, nil }
			}
			if name == "multipart" {
				r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			}
			warm, err := rt.RoundTrip(newGet(t, t.Context(), api+"?method=users.getLoggedInUser"))
			if err != nil {
				t.Fatal(err)
			}
			finish(t, warm)
			runs.Store(0)
			_, err = rt.RoundTrip(r)
			if n := runs.Load(); n != 1 || !errors.Is(err, okerrors.ErrOutcomeUnknown) {
				t.Errorf("%v, %s: ran %d times: %v", header, name, n, err)
			}
		}
	}
	r := request(t.Context(), "POST", api, "method=users.getInfo") // safe: may run again
	r.Header.Set("Idempotency-Key", "1")
	runs.Store(0)
	if _, err := rt.RoundTrip(r); err == nil || runs.Load() < 4 {
		t.Errorf("a read with a key ran %d times: %v", runs.Load(), err)
	}
}

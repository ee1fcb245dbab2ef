package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/transport"
)

// The calls of the table, and which of them are writes.
var outcomeCalls = []struct {
	name    string
	make    func(ctx context.Context) *http.Request
	isWrite bool
}{
	{"read GET", func(ctx context.Context) *http.Request { return request(ctx, "GET", readURL, "") }, false},
	{"read POST", func(ctx context.Context) *http.Request { return request(ctx, "POST", apiURL, "method=users.getInfo") }, false},
	{"read by path", func(ctx context.Context) *http.Request {
		return request(ctx, "GET", "https://api.ok.ru/api/friends/get", "")
	}, false},
	{"search", func(ctx context.Context) *http.Request {
		return request(ctx, "GET", apiURL+"?method=places.searchNear", "")
	}, false},
	{"write marked safe", func(ctx context.Context) *http.Request {
		return request(transport.WithIdempotent(ctx, true), "POST", apiURL, "method=users.setStatus")
	}, false},
	{"upload", func(ctx context.Context) *http.Request {
		return request(ctx, "POST", "https://up.mycdn.me/upload", "photo")
	}, false},
	{"another service", func(ctx context.Context) *http.Request {
		return request(ctx, "POST", "https://other.example/fb.do?method=users.setStatus", "x")
	}, false},
	{"write GET", func(ctx context.Context) *http.Request { return request(ctx, "GET", writeURL, "") }, true},
	{"write POST", func(ctx context.Context) *http.Request { return request(ctx, "POST", apiURL, "method=users.setStatus") }, true},
	{"write by path", func(ctx context.Context) *http.Request {
		return request(ctx, "POST", "https://api.ok.ru/api/mediatopic/post", "attachment=x")
	}, true},
	{"write multipart", func(ctx context.Context) *http.Request {
		r := request(ctx, "POST", apiURL+"?method=photos.upload", "")
		body := func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(strings.NewReader("--x--"), 5)), nil }
		r.Body, _ = body()
		r.GetBody, r.ContentLength = body, 5
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		return r
	}, true},
	{"getUploadUrl", func(ctx context.Context) *http.Request {
		return request(ctx, "POST", apiURL, "method=photosV2.getUploadUrl")
	}, true},
	{"read marked unsafe", func(ctx context.Context) *http.Request {
		return request(transport.WithIdempotent(ctx, false), "POST", apiURL, "method=users.getInfo")
	}, true},
	{"Graph GET", func(ctx context.Context) *http.Request {
		return request(ctx, "GET", "https://api.ok.ru/graph/me/chats", "")
	}, false},
	{"Graph POST", func(ctx context.Context) *http.Request {
		return request(ctx, "POST", "https://api.ok.ru/graph/me/messages/chat:C1", `{"message":{}}`)
	}, true},
	{"Graph GET marked unsafe", func(ctx context.Context) *http.Request {
		return request(transport.WithIdempotent(ctx, false), "GET", "https://api.ok.ru/graph/me/chats", "")
	}, true},
	{"batch", func(ctx context.Context) *http.Request {
		return request(ctx, "POST", apiURL, "method=batch.execute&methods=[]")
	}, true},
}

const apiURL = "https://api.ok.ru/fb.do"

// An event is what happens to a call, over a real connection or none.
type event struct {
	name    string
	serve   http.HandlerFunc                        // the server; nil: base is set
	base    func(*http.Transport) http.RoundTripper // what is below the Signer; nil: the transport
	timeout time.Duration                           // of the context; 0: none
	retry   transport.Retry
	unknown bool // the error of a write matches ErrOutcomeUnknown
}

func respondCode(code, status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error_code":%d,"error_msg":"text"}`, code)
	}
}

// neverRespond waits until the client closes the connection. A handler that returned
// then would respond with status 200: over TLS, the client says that it closes before
// it does, and a fast response still reaches it.
func neverRespond(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// hijack ends the connection in a way of its own.
func hijack(end func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			end(conn)
			conn.Close()
		}
	}
}

// inTurn serves the first request by one handler and the others by another.
func inTurn(first, then http.HandlerFunc) http.HandlerFunc {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			first(w, r)
			return
		}
		then(w, r)
	}
}

func fails(err error) func(*http.Transport) http.RoundTripper {
	return func(*http.Transport) http.RoundTripper {
		return transport.Func(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				r.Body.Close()
			}
			return nil, err
		})
	}
}

// thenFails passes the first request on, and fails the others with err.
func thenFails(err error) func(*http.Transport) http.RoundTripper {
	return func(base *http.Transport) http.RoundTripper {
		var n atomic.Int32
		return transport.Func(func(r *http.Request) (*http.Response, error) {
			if n.Add(1) == 1 {
				return base.RoundTrip(r)
			}
			return fails(err)(nil).RoundTrip(r)
		})
	}
}

func outcomeEvents() []event {
	always := transport.Retry{MinDelay: -1, Max: 1, If: func(a transport.Attempt) bool { return true }}
	dial := opError("dial", syscall.ECONNREFUSED)
	return []event{
		{name: "closed after it ran", serve: hijack(func(net.Conn) {}), unknown: true},
		{name: "reset after it ran", serve: hijack(func(c net.Conn) { c.(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn).SetLinger(0) }), unknown: true},
		{name: "nonsense", serve: hijack(func(c net.Conn) { io.WriteString(c, "nonsense\r\n\r\n") }), unknown: true},
		{name: "deadline in flight", serve: neverRespond, timeout: 250 * time.Millisecond, unknown: true},
		{name: "AttemptTimeout in flight", serve: neverRespond,
			retry: transport.Retry{MinDelay: -1, Max: 1, AttemptTimeout: 250 * time.Millisecond}, unknown: true},
		{name: "deadline while dialing", base: func(base *http.Transport) http.RoundTripper {
			base.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
			return base
		}, timeout: 30 * time.Millisecond},
		{name: "AttemptTimeout while dialing", base: func(base *http.Transport) http.RoundTripper {
			base.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
			return base
		}, retry: transport.Retry{MinDelay: -1, AttemptTimeout: 20 * time.Millisecond}},
		{name: "context over before", base: fails(nil), timeout: -1},
		{name: "dial", base: fails(dial)},
		{name: "name lookup", base: fails(&net.DNSError{Err: "no such host", Name: "api.ok.ru"})},
		{name: "limiter", base: fails(terminalError{})},
		{name: "any error", base: fails(errBroken), unknown: true},
		{name: "code 1", serve: respondCode(1, 200), unknown: true},
		{name: "code 2", serve: respondCode(2, 200), unknown: true},
		{name: "code 31", serve: respondCode(31, 200), unknown: true},
		{name: "code 5000", serve: respondCode(5000, 200), unknown: true},
		{name: "code 9999", serve: respondCode(9999, 200), unknown: true},
		{name: "code 2 with 503 and Retry-After", serve: respondCode(2, 503, "Retry-After", "0"), unknown: true},
		{name: "code 8", serve: respondCode(8, 200)},
		{name: "code 10", serve: respondCode(10, 200)},
		{name: "code 100 with 500", serve: respondCode(100, 500)},
		{name: "code 104", serve: respondCode(104, 200)},
		{name: "code 454", serve: respondCode(454, 200)},
		{name: "reset, then dial", serve: hijack(func(net.Conn) {}), base: thenFails(dial), retry: always, unknown: true},
		{name: "500, then dial", serve: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, base: thenFails(dial), retry: always, unknown: true},
		{name: "code 2, then code 104", serve: inTurn(respondCode(2, 200), respondCode(104, 200)), retry: always, unknown: true},
		{name: "code 2, then limiter", serve: respondCode(2, 200), base: thenFails(terminalError{}), retry: always, unknown: true},
		{name: "429, then dial", serve: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, base: thenFails(dial), retry: always},
		{name: "429, then code 104", serve: inTurn(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, respondCode(104, 200)), retry: always},
		{name: "503 with Retry-After, then dial", serve: respondCode(0, 503, "Retry-After", "0"), base: thenFails(dial), retry: always},
		{name: "503, then dial", serve: respondCode(0, 503), base: thenFails(dial), retry: always, unknown: true},
		{name: "code 8, then dial", serve: respondCode(8, 200), base: thenFails(dial), retry: transport.Retry{MinDelay: -1, MaxDelay: 1, Max: 1, If: always.If}},
		{name: "dial, then code 8", base: fails(dial), retry: always},
	}
}

// The table of calls and events: the error of exactly those writes that may
// have run matches ErrOutcomeUnknown, and a Caller learns it, too.
func TestOutcomeUnknown(t *testing.T) {
	for _, event := range outcomeEvents() {
		t.Run(event.name, func(t *testing.T) {
			for _, call := range outcomeCalls {
				serve := event.serve
				if strings.Contains(event.name, "then code") { // which counts the requests
					serve = outcomeEvents()[indexOf(event.name)].serve
				}
				server := httptest.NewUnstartedServer(serve)
				server.StartTLS()
				pool := dialTo(server)
				var base http.RoundTripper = pool
				if event.base != nil {
					base = event.base(pool)
				}
				retry := event.retry
				if retry.Max == 0 && retry.AttemptTimeout == 0 {
					retry = transport.Retry{MinDelay: -1, MaxDelay: time.Millisecond}
				}
				ctx, cancel := t.Context(), func() {}
				if event.timeout != 0 {
					ctx, cancel = context.WithTimeout(ctx, event.timeout)
				}
				if strings.HasPrefix(event.name, "AttemptTimeout") && (call.name == "upload" || call.name == "another service") {
					ctx, cancel = context.WithTimeout(ctx, 30*time.Millisecond) // they have none
				}
				var caller okcall.Caller
				r := call.make(ctx)
				if okcall.Default.IsCall(r.URL) {
					r = r.WithContext(okcall.With(r.Context(), func(o *okcall.Options) { o.Caller = &caller }))
				}
				resp, err := transport.Chain(base, okerrors.Decode, retry.Wrap, signer().Wrap, transport.Group{Token: "tkn:1"}.Wrap).RoundTrip(r)
				if err == nil {
					resp.Body.Close()
					if okcall.Default.IsCall(r.URL) {
						t.Errorf("%s: no error", call.name)
					}
				}
				want := event.unknown && call.isWrite
				if got := errors.Is(err, okerrors.ErrOutcomeUnknown); got != want {
					t.Errorf("%s: ErrOutcomeUnknown is %v, want %v: %v", call.name, got, want, err)
				}
				if _, isAPI := errors.AsType[*okerrors.Error](err); !isAPI && caller.MayHaveRun() != want {
					t.Errorf("%s: the Caller has learned %v, want %v: %v", call.name, caller.MayHaveRun(), want, err)
				}
				cancel()
				pool.CloseIdleConnections()
				server.CloseClientConnections()
				server.Close()
			}
		})
	}
}

func indexOf(name string) int {
	for i, e := range outcomeEvents() {
		if e.name == name {
			return i
		}
	}
	return -1
}

package okru_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// A traceLog is what the hooks of an httptrace.ClientTrace are given.
type traceLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *traceLog) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *traceLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// trace returns a trace that logs all that it is given, under a name.
func (l *traceLog) trace(name string) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:              func(hostPort string) { l.add("%s GetConn %s", name, hostPort) },
		GotConn:              func(i httptrace.GotConnInfo) { l.add("%s GotConn %s", name, i.Conn.RemoteAddr()) },
		PutIdleConn:          func(err error) { l.add("%s PutIdleConn %v", name, err) },
		GotFirstResponseByte: func() { l.add("%s GotFirstResponseByte", name) },
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			l.add("%s Got1xxResponse %d %v", name, code, h)
			return nil
		},
		ConnectStart: func(network, addr string) { l.add("%s ConnectStart %s %s", name, network, addr) },
		TLSHandshakeDone: func(s tls.ConnectionState, err error) {
			l.add("%s TLSHandshakeDone %s %v", name, s.NegotiatedProtocol, err)
		},
		WroteHeaderField: func(key string, value []string) { l.add("%s WroteHeaderField %s %q", name, key, value) },
		WroteHeaders:     func() { l.add("%s WroteHeaders", name) },
		WroteRequest:     func(i httptrace.WroteRequestInfo) { l.add("%s WroteRequest %v", name, i.Err) },
	}
}

// Nothing that a program sees of its calls shows a secret: neither an error, a
// log, a trace, a header nor the request of the response, over HTTP/1.1 and
// HTTP/2, whether the call succeeds or not.
func TestWireShowsNoSecret(t *testing.T) {
	for name, network := range map[string]func(*oktest.Server) http.RoundTripper{"HTTP/1.1": (*oktest.Server).Transport, "HTTP/2": (*oktest.Server).HTTP2} {
		for _, fault := range []*oktest.Fault{
			nil,
			{Error: &okerrors.Error{Code: okerrors.CodePermissionDenied, Message: "PERMISSION_DENIED : x"}},
			{Status: 503},
			{Reset: true},
		} {
			for _, verb := range []string{"GET", "POST"} {
				t.Run(fmt.Sprintf("%s %s %+v", name, verb, fault), func(t *testing.T) {
					checkWire(t, network, fault, verb)
				})
			}
		}
	}
}

func checkWire(t *testing.T, network func(*oktest.Server) http.RoundTripper, fault *oktest.Fault, verb string) {
	fake, cfg := newFake(t)
	carol := fake.NewUser("carol", "password")
	session := carol.Token().AccessToken
	secrets := []string{session, app.Secret, transport.DeriveSecret(session, app.Secret)}
	var logged strings.Builder
	cfg.Base, cfg.TokenSource, cfg.Retry = network(fake), oauth.Static(session, ""), transport.Retry{Max: -1}
	cfg.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client := newClient(t, cfg)
	if fault != nil {
		fake.Inject(*fault)
	}
	traced := new(traceLog)
	ctx := httptrace.WithClientTrace(t.Context(), traced.trace("inner"))
	ctx = httptrace.WithClientTrace(ctx, traced.trace("outer"))
	check := func(v any) { t.Helper(); canary.Check(t, v, secrets...) }

	const query = "method=users.getCurrentUser&fields=uid"
	r, _ := http.NewRequestWithContext(ctx, verb, "https://api.ok.ru/fb.do?"+query, nil)
	resp, err := client.Do(r)
	check(err)
	if resp != nil {
		resp.Body.Close()
		check(resp.Header)
		check(resp.Request.URL)
		check(resp.Request.Header)
	}
	if (err == nil) == (fault != nil && fault.Status == 0) {
		t.Errorf("the error is %v", err)
	}
	_, err = okru.Call[any](ctx, client, "users.getCurrentUser", url.Values{"fields": {"uid"}})
	check(err)
	check(logged.String())
	check(traced.text())
	for _, secret := range append(secrets, "sig=") {
		if strings.Contains(traced.text(), secret) {
			t.Errorf("the trace shows %s:\n%s", secret, traced.text())
		}
	}
	checkTrace(t, traced, network(fake).(*http.Transport).Protocols.HTTP2(), query)
}

// checkTrace reports an error unless every hook of both traces ran, the outer
// one first, and saw the caller's own path.
func checkTrace(t *testing.T, traced *traceLog, http2 bool, query string) {
	traced.mu.Lock()
	defer traced.mu.Unlock()
	for i, hook := range []string{"GetConn", "GotConn", "WroteHeaderField", "WroteHeaders", "WroteRequest"} {
		outer := slices.IndexFunc(traced.lines, func(line string) bool { return strings.HasPrefix(line, "outer "+hook) })
		inner := slices.IndexFunc(traced.lines, func(line string) bool { return strings.HasPrefix(line, "inner "+hook) })
		if outer < 0 || inner < outer {
			t.Errorf("%d: %s ran at %d and %d", i, hook, outer, inner)
		}
	}
	if path := fmt.Sprintf("inner WroteHeaderField :path [%q]", "/fb.do?"+query); http2 && !slices.Contains(traced.lines, path) {
		t.Errorf("no %s in\n%s", path, strings.Join(traced.lines, "\n"))
	}
}

// A header that an interim response has, and that quotes the signed URL, does
// not reach a trace.
func TestInterimResponseShowsNoSecret(t *testing.T) {
	const token, secret = "canary-token-1a2b3c", "canary-application-secret-6f"
	traced := new(traceLog)
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		h := textproto.MIMEHeader{"Link": {"<" + r.URL.String() + ">; rel=preload"}, "X": {"kept"}}
		if err := httptrace.ContextClientTrace(r.Context()).Got1xxResponse(103, h); err != nil {
			return nil, err
		}
		if !strings.Contains(h.Get("Link"), token) {
			t.Error("the header of the layer below was changed")
		}
		return nil, errors.New("enough")
	})
	rt := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: secret, TokenSource: oauth.Static(token, "")}.Wrap(base)
	ctx := httptrace.WithClientTrace(context.Background(), traced.trace("a"))
	r, _ := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/fb.do?method=users.getInfo", nil)
	_, _ = rt.RoundTrip(r)
	canary.Check(t, traced.text(), token, secret)
	if text := traced.text(); !strings.Contains(text, "103") || !strings.Contains(text, "kept") || strings.Contains(text, "sig=") {
		t.Error(text)
	}
}

package transport_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// nonce is a parameter of which every call has a value of its own, by which
// the server knows a call that runs twice.
const nonce = "nonce"

// A rig is a stack of Retry and Signer over the fake, by real TCP and TLS.
type rig struct {
	server *oktest.Server
	token  *oauth2.Token
	base   *countBodies
	last   atomic.Int64 // nonce
}

func newRig(t testing.TB, protocol string) *rig {
	server := oktest.NewServer(oktest.App{})
	t.Cleanup(server.Close)
	done := func(url.Values) (any, error) { return true, nil }
	server.Handle("users.getInfo", done)
	server.Handle("users.setStatus", done)
	token := server.NewUser("user", "password").Token("VALUABLE_ACCESS", "SET_STATUS")
	base := server.Transport()
	if protocol == http2 {
		base = over(t, http2, server.Handler())
	}
	return &rig{server: server, token: token, base: &countBodies{next: base}}
}

// The protocols that the matrix runs over.
const http1, http2 = "HTTP/1.1", "HTTP/2"

// over returns a transport that reaches handler under every https URL, by this
// protocol.
func over(t testing.TB, protocol string, handler http.Handler) *http.Transport {
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = protocol == http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	base := dialTo(server)
	base.ForceAttemptHTTP2 = server.EnableHTTP2
	t.Cleanup(base.CloseIdleConnections)
	return base
}

// stack returns a new layer with a budget of its own, over the same pool of
// connections, that makes no pauses to speak of.
func (rig *rig) stack() http.RoundTripper {
	app := rig.server.App()
	return transport.Chain(rig.base,
		transport.Retry{MinDelay: -1, MaxDelay: time.Millisecond}.Wrap,
		transport.Signer{ApplicationKey: app.Key, ApplicationSecret: app.Secret, TokenSource: oauth2.StaticTokenSource(rig.token)}.Wrap)
}

// A matrixCall is a call of the matrix, and what came of it.
type matrixCall struct {
	attempts int
	status   int
	err      error // of the call or of reading the response
}

// call makes one call, with more parameters from extra.
func (rig *rig) call(rt http.RoundTripper, ctx context.Context, httpMethod, method string, extra ...string) (id string, c matrixCall) {
	id = strconv.FormatInt(rig.last.Add(1), 10)
	params := url.Values{"method": {method}, nonce: {id}}
	for i := 0; i < len(extra); i += 2 {
		params.Set(extra[i], extra[i+1])
	}
	var n atomic.Int32
	ctx = transport.WithAttempts(ctx, &n)
	var r *http.Request
	if httpMethod == "GET" {
		r, _ = http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/fb.do?"+params.Encode(), nil)
	} else {
		r, _ = http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/fb.do", strings.NewReader(params.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := rt.RoundTrip(r)
	if err == nil {
		c.status = resp.StatusCode
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	c.err, c.attempts = err, int(n.Load())
	return id, c
}

// runs returns how often each call ran on the server, by its nonce.
func (rig *rig) runs() map[string]int {
	runs := make(map[string]int)
	for _, c := range rig.server.Calls() {
		if c.Ran {
			runs[c.Params.Get(nonce)]++
		}
	}
	return runs
}

// countBodies counts the responses whose bodies were not closed.
type countBodies struct {
	next http.RoundTripper
	open atomic.Int64
}

func (c *countBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err == nil {
		c.open.Add(1)
		resp.Body = &countedBody{ReadCloser: resp.Body, close: sync.OnceFunc(func() { c.open.Add(-1) })}
	}
	return resp, err
}

type countedBody struct {
	io.ReadCloser
	close func()
}

func (b *countedBody) Close() error { b.close(); return b.ReadCloser.Close() }

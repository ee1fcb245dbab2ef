package oktest_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-okru/okru/oktest"
)

// closeCounter is a request body that counts how often it is closed.
type closeCounter struct {
	io.Reader
	closed atomic.Int32
}

func (c *closeCounter) Close() error {
	c.closed.Add(1)
	return nil
}

// Nothing but the two hosts of OK is reached, and nothing is dialled to find
// out.
func TestForeignRequestsAreRejected(t *testing.T) {
	srv := newServer(t)
	for way, rt := range ways(srv) {
		for _, address := range []string{
			"https://example.com/fb.do",
			"https://ok.ru/",
			"https://api.ok.ru.example.com/fb.do",
			"https://api.ok.ru:8443/fb.do",
			"http://api.ok.ru/fb.do",
			"http://connect.ok.ru/dk",
			"http://localhost:1/callback",
			srv.URL() + "/fb.do",
		} {
			body := &closeCounter{Reader: strings.NewReader("x=1")}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"?access_token=CANARY", body)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := rt.RoundTrip(r)
			if err == nil || resp != nil {
				t.Errorf("%s: %s is not rejected", way, address)
				continue
			}
			if terminal, ok := err.(interface{ Terminal() bool }); !ok || !terminal.Terminal() {
				t.Errorf("%s: %s: the error %T is not terminal", way, address, err)
			}
			if text := err.Error(); !strings.HasPrefix(text, "okru: oktest: ") || strings.Contains(text, "CANARY") {
				t.Errorf("%s: %s: got %q", way, address, text)
			}
			if n := body.closed.Load(); n != 1 {
				t.Errorf("%s: %s: the body was closed %d times", way, address, n)
			}
		}
	}
	if got := srv.Connections(); got != 0 {
		t.Errorf("%d connections, want 0", got)
	}
}

func TestHostsServeTheirOwnPaths(t *testing.T) {
	srv := newServer(t)
	for address, want := range map[string]int{
		realAPI + "/fb.do":             200,
		"https://api.ok.ru:443/fb.do":  200,
		realAPI + "/blank.html":        200,
		realAPI + "/dk":                404,
		realAPI + "/oauth/authorize":   404,
		realConnect + "/fb.do":         404,
		realConnect + "/dk":            400,
		realConnect + "/nothing":       404,
		realAPI + "/oauth/token.do":    405,
		srv.URL() + "/fb.do":           200,
		srv.URL() + "/dk":              400,
		srv.URL() + "/oauth/authorize": 401,
	} {
		rt := srv.Transport()
		if strings.HasPrefix(address, srv.URL()) {
			rt = &http.Transport{DisableKeepAlives: true}
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := send(rt, r); got.err != nil || got.StatusCode != want {
			t.Errorf("%s: got %d, %v, want %d", address, got.StatusCode, got.err, want)
		}
	}
}

func TestConnections(t *testing.T) {
	srv := newServer(t)
	call := func(rt http.RoundTripper) {
		if r := get(t, rt, realAPI, sessionless("method", "group.getInfo", "uids", "1")); r.code(t) != 0 {
			t.Error(r.body)
		}
	}
	for range 60 {
		call(srv.Transport())
	}
	if got := srv.Connections(); got != 1 {
		t.Errorf("60 calls made %d connections, want 1", got)
	}
	(&http.Client{Transport: srv.Transport()}).CloseIdleConnections()
	call(srv.Transport())
	if got := srv.Connections(); got != 2 {
		t.Errorf("after CloseIdleConnections: %d connections, want 2", got)
	}
	clone := srv.Transport().(*http.Transport).Clone()
	clone.DisableKeepAlives = true
	call(clone)
	call(clone)
	if got := srv.Connections(); got != 4 {
		t.Errorf("after two calls of a clone without keep-alive: %d connections, want 4", got)
	}
	srv.Inject(oktest.Fault{Reset: true, Times: 1})
	post(t, srv.Transport(), realAPI, nil)
	call(srv.Transport())
	if got := srv.Connections(); got != 5 {
		t.Errorf("after a reset: %d connections, want 5", got)
	}
}

// The certificate is good for the two names only, and not trusted by other clients.
func TestStrangersDoNotTrustTheFake(t *testing.T) {
	srv := newServer(t)
	stranger := srv.Transport().(*http.Transport).Clone()
	stranger.TLSClientConfig = new(tls.Config)
	if r := get(t, stranger, realAPI, nil); r.err == nil || !strings.Contains(r.err.Error(), "certificate") {
		t.Errorf("a client with the system's certificates: got %v", r.err)
	}
}

// Close ends what is under way and leaves no goroutine.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	srv := oktest.NewServer(app)
	srv.Handle("test.echo", func(url.Values) (any, error) { return true, nil })
	srv.Inject(oktest.Fault{Method: "test.echo", Delay: time.Hour})
	var wg sync.WaitGroup
	for way, rt := range ways(srv) {
		get(t, rt, realAPI, sessionless("method", "group.getInfo", "uids", "1"))
		wg.Go(func() {
			if r := post(t, rt, realAPI, sessionless("method", "test.echo")); r.err == nil {
				t.Errorf("%s: a call under way got %s", way, r.body)
			}
		})
	}
	client := &http.Client{Transport: new(http.Transport)}
	if resp, err := client.Get(srv.URL() + "/blank.html"); err != nil {
		t.Error(err)
	} else {
		resp.Body.Close()
	}
	for arrived := 0; arrived < 2; runtime.Gosched() {
		arrived = 0
		for _, c := range srv.Calls() {
			if c.Method == "test.echo" {
				arrived++
			}
		}
	}
	transport, inProcess := srv.Transport(), srv.InProcess()
	srv.Close()
	srv.Close()
	wg.Wait()
	for way, rt := range map[string]http.RoundTripper{"Transport": transport, "InProcess": inProcess} {
		if r := get(t, rt, realAPI, sessionless("method", "test.echo")); r.err == nil {
			t.Errorf("%s: a call after Close got %s", way, r.body)
		}
	}
	client.CloseIdleConnections()
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 1000 {
			stacks := make([]byte, 1<<16)
			t.Fatalf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(time.Millisecond)
	}
}

func TestHandlerInAServerOfTheCallers(t *testing.T) {
	srv := newServer(t)
	mux := http.NewServeMux()
	mux.Handle("/", srv.Handler())
	other := httptestServer(t, mux)
	r := get(t, new(http.Transport), other, sessionless("method", "group.getInfo", "uids", "1"))
	if r.code(t) != 0 {
		t.Error(r.body)
	}
}

// HTTP/2 is spoken where it is asked for, and a fault breaks one stream only.
func TestHTTP2(t *testing.T) {
	srv := newServer(t)
	params := sessionless("method", "group.getInfo", "uids", "1")
	for want, rt := range map[string]http.RoundTripper{"HTTP/1.1": srv.Transport(), "HTTP/2.0": srv.HTTP2()} {
		if r := post(t, rt, realAPI, params); r.code(t) != 0 || r.Proto != want {
			t.Errorf("got %s %s, want %s", r.Proto, r.body, want)
		}
		if got := last(t, srv).Proto; got != want {
			t.Errorf("the journal has %s, want %s", got, want)
		}
	}
	connections := srv.Connections()
	srv.Inject(oktest.Fault{Reset: true, Times: 1})
	if r := post(t, srv.HTTP2(), realAPI, params); r.err == nil {
		t.Errorf("a reset: got %s", r.body)
	}
	if r := post(t, srv.HTTP2(), realAPI, params); r.code(t) != 0 || srv.Connections() != connections {
		t.Errorf("after a reset: %s, %d new connections", r.body, srv.Connections()-connections)
	}
	srv.Inject(oktest.Fault{Header: http.Header{"Connection": {"close"}}, Times: 1})
	if r := post(t, srv.HTTP2(), realAPI, params); r.code(t) != 0 {
		t.Errorf("GOAWAY: %s", r.body)
	}
	if r := post(t, srv.HTTP2(), realAPI, params); r.code(t) != 0 || srv.Connections() != connections+1 {
		t.Errorf("after GOAWAY: %s, %d new connections, want 1", r.body, srv.Connections()-connections)
	}
}

package chaos

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// A path is a client, the proxy, and a server that counts its requests.
type path struct {
	weather weather
	proxy   *proxy
	server  *httptest.Server
	client  *http.Client
	served  atomic.Int32
}

const pageSize = 4000

func newPath(t *testing.T) *path {
	before := goleak.IgnoreCurrent()
	p := new(path)
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.served.Add(1)
		_, _ = w.Write(make([]byte, pageSize))
	}))
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.server.StartTLS()
	p.proxy = newProxy(&p.weather, func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", p.server.Listener.Addr().String())
	})
	if err := p.proxy.open(); err != nil {
		t.Fatal(err)
	}
	transport := p.server.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = dialer{&p.weather, p.proxy}.DialContext
	p.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		p.client.CloseIdleConnections()
		p.proxy.close()
		p.server.Close()
		if err := settle(5*time.Second, func() error { return goleak.Find(before) }); err != nil {
			t.Error(err)
		}
	})
	return p
}

// post asks for the page, and returns how much of it came. It is no GET, which
// http.Transport would repeat by itself.
func (p *path) post(ctx context.Context) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://example.com/", strings.NewReader("body"))
	if err != nil {
		return 0, err
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return len(text), err
}

// Each kind of trouble is what it is called, to a client with a connection and
// to one without.
func TestProxyMakesTrouble(t *testing.T) {
	is := func(target error) func(error) bool {
		return func(err error) bool { return errors.Is(err, target) }
	}
	as := func(target any) func(error) bool { return func(err error) bool { return errors.As(err, target) } }
	for _, test := range []struct {
		kind   kind
		fresh  bool // it happens to new connections
		served int32
		is     func(error) bool
	}{
		{resetBefore, false, 0, is(syscall.ECONNRESET)},
		{resetAfter, false, 1, is(syscall.ECONNRESET)},
		{silence, false, 0, is(context.DeadlineExceeded)},
		{truncation, false, 1, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) }},
		{garbage, true, 0, as(new(tls.RecordHeaderError))},
		{impostor, true, 0, as(new(*tls.CertificateVerificationError))},
		{noName, true, 0, as(new(*net.DNSError))},
	} {
		p := newPath(t)
		if _, err := p.post(t.Context()); err != nil { // a connection to break
			t.Fatal(err)
		}
		if test.fresh {
			p.proxy.cut()
			p.client.CloseIdleConnections()
		}
		p.served.Store(0)
		p.weather.set(test.kind, 1000)
		ctx, cancel := t.Context(), context.CancelFunc(func() {})
		if test.kind == silence { // only a deadline ends it
			ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
		}
		_, err := p.post(ctx)
		cancel()
		if !test.is(err) {
			t.Errorf("%v: %v", test.kind, err)
		}
		if got := p.served.Load(); got != test.served {
			t.Errorf("%v: the server had %d requests, want %d", test.kind, got, test.served)
		}
		if p.weather.hits[test.kind].Load() == 0 {
			t.Errorf("%v was not counted", test.kind)
		}
	}
}

// What only slows data down loses none of it.
func TestProxyLosesNothing(t *testing.T) {
	for _, k := range []kind{latency, trickle, slicing} {
		p := newPath(t)
		p.weather.set(k, 1000)
		if n, err := p.post(t.Context()); n != pageSize || err != nil {
			t.Errorf("%v: %d bytes came, want %d: %v", k, n, pageSize, err)
		}
		if p.weather.hits[k].Load() == 0 {
			t.Errorf("%v was not counted", k)
		}
	}
}

func TestProxyRestarts(t *testing.T) {
	p := newPath(t)
	if _, err := p.post(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.proxy.shut()
	if _, err := p.post(t.Context()); err == nil {
		t.Error("no error while nobody listens")
	}
	if err := p.proxy.reopen(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := p.post(t.Context()); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	if n := p.proxy.count(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// quick is a Retry without pauses.
var quick = transport.Retry{MinDelay: -1}

// stacks are the ways to put a Retry over a base: alone, over a Signer, and
// over a Signer with a layer between that others wrote.
func stacks(retry transport.Retry) map[string]func(base http.RoundTripper) http.RoundTripper {
	return map[string]func(base http.RoundTripper) http.RoundTripper{
		"alone": retry.Wrap,
		"over Signer": func(base http.RoundTripper) http.RoundTripper {
			return transport.Chain(base, retry.Wrap, signer().Wrap)
		},
		"over Signer and another layer": func(base http.RoundTripper) http.RoundTripper {
			return transport.Chain(base, retry.Wrap, foreign, signer().Wrap)
		},
	}
}

// A failing body ends in err after some bytes.
type failingBody struct {
	text string
	err  error
}

func (b *failingBody) Read(p []byte) (int, error) {
	if b.text == "" {
		return 0, b.err
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}

func (*failingBody) Close() error { return nil }

// A body that streams from another source fails there with the errors of
// dialing. They say nothing about the request, which has begun to run.
func TestBodyErrorsDoNotMeanUnsent(t *testing.T) {
	var runs atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		runs.Add(1)
		io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	base := dialTo(server)
	for _, source := range []error{
		opError("dial", syscall.ECONNREFUSED), opError("proxyconnect", syscall.ECONNRESET), opError("socks connect", io.EOF),
		&net.DNSError{Err: "no such host", Name: "storage.example"}, fmt.Errorf("storage: %w", syscall.ECONNREFUSED), errors.New("Service Unavailable"),
	} {
		for _, text := range []string{"", "part", strings.Repeat("part", 64<<10)} {
			for name, stack := range stacks(quick) {
				for _, address := range []string{"https://api.ok.ru/fb.do?method=photos.upload", "https://up.mycdn.me/upload"} {
					runs.Store(0)
					body := func() (io.ReadCloser, error) { return &failingBody{text, source}, nil }
					r, _ := http.NewRequestWithContext(t.Context(), "POST", address, nil)
					r.Body, _ = body()
					r.GetBody, r.ContentLength = body, 1<<20
					r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
					var n atomic.Int32
					_, err := stack(base).RoundTrip(r.WithContext(transport.WithAttempts(r.Context(), &n)))
					if n.Load() != 1 || !errors.Is(err, source) {
						t.Errorf("%s, %s, %d bytes, then %v: %d attempts, %d runs, %v", name, address, len(text), source, n.Load(), runs.Load(), err)
					}
					isCall := strings.HasPrefix(address, "https://api.ok.ru")
					if errors.Is(err, okerrors.ErrOutcomeUnknown) != isCall {
						t.Errorf("%s, %s, then %v: ErrOutcomeUnknown is %v", name, address, source, !isCall)
					}
				}
			}
		}
	}
}

// dialTo returns a transport that reaches server under every https URL.
func dialTo(server *httptest.Server) *http.Transport {
	base := server.Client().Transport.(*http.Transport).Clone()
	base.TLSClientConfig.ServerName = "example.com" // in the certificate of httptest
	base.Proxy = nil
	base.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, server.Listener.Addr().String())
	}
	return base
}

// unwrapped is a client as a base that returns errors without the *url.Error.
func unwrapped(c *http.Client) http.RoundTripper {
	return transport.Func(func(r *http.Request) (*http.Response, error) {
		resp, err := c.Do(r)
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return resp, err
	})
}

// A base that follows redirects fails at a later hop with the errors of
// dialing. The write has run at the first one.
func TestLaterHopsDoNotMeanUnsent(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{gone.URL, "https://name.invalid/next", "ftp://files.example/"} {
			var runs atomic.Int32
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				runs.Add(1)
				http.Redirect(w, r, location, status)
			}))
			pool := dialTo(server)
			dial := pool.DialContext
			pool.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				switch host, _, _ := net.SplitHostPort(address); host {
				case "api.ok.ru":
					return dial(ctx, network, address)
				case "name.invalid":
					return nil, opError("dial", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true})
				}
				return nil, opError("dial", syscall.ECONNREFUSED)
			}
			client := &http.Client{Transport: pool}
			for kind, base := range map[string]http.RoundTripper{"client": transport.Func(client.Do), "client, unwrapped": unwrapped(client)} {
				for name, stack := range stacks(quick) {
					for _, r := range []*http.Request{
						request(t.Context(), "GET", writeURL, ""),
						request(t.Context(), "POST", "https://api.ok.ru/fb.do", "method=stream.publish&text=1"),
					} {
						if name == "alone" && r.Method == "GET" && kind != "client" {
							continue // nothing shows that a request without a body was sent
						}
						runs.Store(0)
						resp, err := stack(base).RoundTrip(r)
						if err == nil {
							resp.Body.Close() // a client returns the redirect of a body that it cannot have again
						}
						if n := runs.Load(); n != 1 || err != nil && !errors.Is(err, okerrors.ErrOutcomeUnknown) {
							t.Errorf("%s, %s, %s, %d to %s: ran %d times: %v", kind, name, r.Method, status, location, n, err)
						}
					}
				}
			}
			pool.CloseIdleConnections()
			server.Close()
		}
	}
}

// Errors that no repeat can fix, as net/http makes them, are returned at once.
func TestPermanentErrorsAreFinal(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	alert := listen(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, "\x15\x03\x01\x00\x02\x02\x16")
	})
	banner := listen(t, func(c net.Conn) { io.WriteString(c, "220 mail.example ESMTP\r\n") })
	proxy := func(status string) *http.Transport {
		address := listen(t, func(c net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
		})
		return &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: address})}
	}
	socks := listen(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 3))
		c.Write([]byte{5, 0xff})
	})
	withHeader := func(key, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header[key] = []string{value} }
	}
	to := func(scheme, host string) func(*http.Request) {
		return func(r *http.Request) { r.URL.Scheme, r.URL.Host = scheme, host }
	}
	for _, test := range []struct {
		name string
		base *http.Transport
		edit func(*http.Request)
	}{
		{"header value", new(http.Transport), withHeader("X-Text", "a\nb")},
		{"header name", new(http.Transport), withHeader("X Text", "a")},
		{"trailer", new(http.Transport), func(r *http.Request) { r.Trailer = http.Header{"X-Text": {"a\r\nb"}} }},
		{"verb", new(http.Transport), func(r *http.Request) { r.Method = "GET IT" }},
		{"scheme", new(http.Transport), to("htp", "api.ok.ru")},
		{"no scheme", new(http.Transport), to("", "api.ok.ru")},
		{"no host", new(http.Transport), to("https", "")},
		{"port", new(http.Transport), to("http", "127.0.0.1:99999")},
		{"https to an http server", new(http.Transport), to("https", plain.Listener.Addr().String())},
		{"http to a TLS server", new(http.Transport), to("http", alert)},
		{"https to a mail server", new(http.Transport), to("https", banner)},
		{"certificate", new(http.Transport), to("https", secure.Listener.Addr().String())},
		{"proxy, 407", proxy("407 Proxy Authentication Required"), to("https", "api.ok.ru")},
		{"proxy, 403", proxy("403 Forbidden"), to("https", "api.ok.ru")},
		{"SOCKS credentials", &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "socks5", Host: socks})}, to("https", "api.ok.ru")},
	} {
		defer test.base.CloseIdleConnections()
		for _, isWrite := range []bool{false, true} {
			rt := quick.Wrap(test.base)
			for range 3 {
				r := request(transport.WithIdempotent(t.Context(), !isWrite), "POST", "https://api.ok.ru/fb.do", "method=stream.publish")
				test.edit(r)
				var n atomic.Int32
				_, err := rt.RoundTrip(r.WithContext(transport.WithAttempts(r.Context(), &n)))
				if err == nil || n.Load() != 1 || errors.Is(err, okerrors.ErrOutcomeUnknown) && test.name != "http to a TLS server" {
					t.Errorf("%s: %d attempts: %v, ErrOutcomeUnknown %v", test.name, n.Load(), err, errors.Is(err, okerrors.ErrOutcomeUnknown))
				}
			}
		}
	}
}

// listen returns the address of a server that serves each connection once.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
				c.(*net.TCPConn).CloseWrite() // closing at once, with unread data, would reset the connection
				c.SetReadDeadline(time.Now().Add(time.Second))
				io.Copy(io.Discard, c)
			}()
		}
	}()
	return l.Addr().String()
}

// A proxy that cannot connect has passed nothing on: writes are repeated, too,
// where an unread body proves it.
func TestProxyRefusals(t *testing.T) {
	for status, attempts := range map[string]int32{
		"503 Service Unavailable": 4, "502 Bad Gateway": 4, "504 Gateway Timeout": 4, "500 Internal Server Error": 4, "429 Too Many Requests": 4,
		"400 Bad Request": 1, "407 Proxy Authentication Required": 1, "403 Forbidden": 1, "404 Not Found": 1,
	} {
		address := listen(t, func(c net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
		})
		base := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: address})}
		for name, stack := range stacks(quick) {
			for _, r := range []*http.Request{
				request(t.Context(), "POST", "https://api.ok.ru/fb.do", "method=stream.publish&text=1"),
				request(t.Context(), "POST", "https://api.ok.ru/fb.do", "method=users.getInfo&text=1"),
				request(t.Context(), "GET", readURL, ""),
				request(t.Context(), "GET", writeURL, ""),
			} {
				want := attempts
				if name == "alone" && r.Method == "GET" && r.URL.String() == writeURL {
					want = 1 // without a body, the error proves nothing
				}
				var n atomic.Int32
				_, err := stack(base).RoundTrip(r.WithContext(transport.WithAttempts(r.Context(), &n)))
				if err == nil || n.Load() != want {
					t.Errorf("%s, %s, %s %s: %d attempts, want %d: %v", status, name, r.Method, r.URL, n.Load(), want, err)
				}
				if attempts == 4 && want == 4 && errors.Is(err, okerrors.ErrOutcomeUnknown) {
					t.Errorf("%s, %s, %s %s: matches ErrOutcomeUnknown", status, name, r.Method, r.URL)
				}
			}
		}
	}
}

// The same text of a layer that has sent the request means nothing.
func TestStatusTextsDoNotMeanUnsent(t *testing.T) {
	for name, stack := range stacks(quick) {
		for _, r := range []*http.Request{
			request(t.Context(), "POST", "https://api.ok.ru/fb.do", "method=stream.publish&text=1"), request(t.Context(), "GET", writeURL, ""),
		} {
			sent := 0
			base := transport.Func(func(r *http.Request) (*http.Response, error) {
				sent++
				if r.Body != nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
				return nil, errors.New(http.StatusText(http.StatusServiceUnavailable))
			})
			if _, err := stack(base).RoundTrip(r); sent != 1 || !errors.Is(err, okerrors.ErrOutcomeUnknown) {
				t.Errorf("%s, %s: sent %d times: %v", name, r.Method, sent, err)
			}
		}
	}
}

// What fails before it is sent takes nothing from the budget, however often.
func TestUnsentCostsNoBudget(t *testing.T) {
	for name, stack := range stacks(quick) {
		swap := &exchangeable{next: &script{outcomes: []outcome{failure(opError("dial", syscall.ECONNREFUSED))}}}
		rt := stack(swap)
		for range 100 {
			if _, err := rt.RoundTrip(newGet(t, t.Context(), readURL)); errors.Is(err, transport.ErrBudget) {
				t.Fatal(err)
			}
		}
		s := &script{outcomes: []outcome{respondWith(500, "")}}
		swap.next = s
		if _, _ = rt.RoundTrip(newGet(t, t.Context(), readURL)); s.attempts() != 4 {
			t.Errorf("%s: the next call makes %d attempts, want 4", name, s.attempts())
		}
	}
}

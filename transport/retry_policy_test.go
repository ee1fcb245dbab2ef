package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

func codeResponse(status, code int, header ...string) outcome {
	return respondWith(status, fmt.Sprintf(`{"error_code":%d,"error_msg":"text"}`, code), header...)
}

func opError(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }

// The policy, as the number of attempts it allows a call that fails always,
// of at most four.
var policy = []struct {
	name        string
	outcome     outcome
	read, write int
}{
	{"200", respondWith(200, `{"uid":"1"}`), 1, 1},
	{"400", respondWith(400, "page"), 1, 1},
	{"404", respondWith(404, "page"), 1, 1},
	{"408", respondWith(408, "page"), 4, 1},
	{"421", respondWith(421, "page"), 4, 1},
	{"425", respondWith(425, "page"), 4, 1},
	{"409", respondWith(409, "page"), 1, 1},
	{"429", respondWith(429, "page"), 4, 4},
	{"429 with Retry-After", respondWith(429, "page", "Retry-After", "1"), 4, 4},
	{"500", respondWith(500, "<html>"), 4, 1},
	{"501", respondWith(501, ""), 1, 1},
	{"502", respondWith(502, "<html>"), 4, 1},
	{"503", respondWith(503, "<html>"), 4, 1},
	{"503 with Retry-After", respondWith(503, "", "Retry-After", "1"), 4, 4},
	{"503 with Retry-After in the past", respondWith(503, "", "Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"), 4, 4},
	{"503 with Retry-After that is nonsense", respondWith(503, "", "Retry-After", "soon"), 4, 1},
	{"504", respondWith(504, ""), 4, 1},

	{"code 1", codeResponse(200, 1), 2, 1},
	{"code 2", codeResponse(200, 2), 4, 1},
	{"code 8", codeResponse(200, 8), 4, 4},
	{"code 31", codeResponse(200, 31), 4, 1},
	{"code 9999", codeResponse(200, 9999), 2, 1},
	{"code 5000", codeResponse(200, 5000), 1, 1},
	{"code 4242, unknown", codeResponse(200, 4242), 1, 1},
	{"code in the header", respondWith(200, "", "Invocation-Error", "2"), 4, 1},

	{"500 with code 1", codeResponse(500, 1), 2, 1},
	{"500 with code 2", codeResponse(500, 2), 4, 1},
	{"500 with code 10", codeResponse(500, 10), 1, 1},
	{"500 with code 104", codeResponse(500, 104), 1, 1},
	{"500 with code 4242, unknown", codeResponse(500, 4242), 4, 1},
	{"503 with code 5000", codeResponse(503, 5000), 1, 1},
	{"503 with Retry-After and code 5000", codeResponse(503, 5000, "Retry-After", "1"), 1, 1},
	{"429 with code 5000", codeResponse(429, 5000), 1, 1},
	{"429 with code 4242, unknown", codeResponse(429, 4242), 4, 4},
	{"503 with Retry-After and code 9", codeResponse(503, 9, "Retry-After", "1"), 1, 1},
	{"503 with Retry-After and code 2", codeResponse(503, 2, "Retry-After", "1"), 4, 1},
	{"503 with Retry-After and code 1", codeResponse(503, 1, "Retry-After", "1"), 2, 1},
	{"503 with Retry-After and code 31", codeResponse(503, 31, "Retry-After", "1"), 4, 1},
	{"503 with Retry-After and code 9999", codeResponse(503, 9999, "Retry-After", "1"), 2, 1},
	{"503 with Retry-After and code 2 in the header", respondWith(503, "", "Retry-After", "1", "Invocation-Error", "2"), 4, 1},
	{"429 with code 2", codeResponse(429, 2), 4, 1},
	{"429 with code 8", codeResponse(429, 8), 4, 4},
	{"429 with code 9999", codeResponse(429, 9999), 2, 1},
	{"429 with code 1", codeResponse(429, 1), 2, 1},
	{"429 with code 11", codeResponse(429, 11), 1, 1},

	{"dial", failure(opError("dial", syscall.ECONNREFUSED)), 4, 4},
	{"dial, timeout", failure(opError("dial", os.ErrDeadlineExceeded)), 4, 4},
	{"dial, name not found", failure(opError("dial", &net.DNSError{Err: "no such host", Name: "api.ok.ru"})), 4, 4},
	{"look-up", failure(&net.DNSError{Err: "no such host", Name: "api.ok.ru"}), 4, 4},
	{"refused connection, by a dialer that is not of package net", failure(fmt.Errorf("connect: %w", syscall.ECONNREFUSED)), 4, 4},
	{"read, refused late", failure(opError("read", syscall.ECONNREFUSED)), 4, 1},
	{"proxy", failure(opError("proxyconnect", syscall.ECONNRESET)), 4, 4},
	{"SOCKS proxy", failure(opError("socks connect", syscall.ECONNRESET)), 4, 4},
	{"read", failure(opError("read", syscall.ECONNRESET)), 4, 1},
	{"write", failure(opError("write", syscall.EPIPE)), 4, 1},
	{"any error", failure(errBroken), 4, 1},
	{"timeout of package net", failure(opError("read", os.ErrDeadlineExceeded)), 4, 1},
	{"timeout that passes for a context's", failure(headerTimeout{}), 4, 1},
	{"certificate, unknown authority", failure(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), 1, 1},
	{"certificate, host name", failure(fmt.Errorf("tls: %w", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "api.ok.ru"})), 1, 1},
	{"certificate, invalid", failure(x509.CertificateInvalidError{Reason: x509.Expired}), 1, 1},
	{"certificate, no roots", failure(x509.SystemRootsError{}), 1, 1},
	{"certificate, critical extension", failure(x509.UnhandledCriticalExtension{}), 1, 1},
	{"certificate, insecure algorithm", failure(x509.InsecureAlgorithmError(x509.MD5WithRSA)), 1, 1},
	{"certificate, constraint", failure(x509.ConstraintViolationError{}), 1, 1},
	{"certificate, authority alone", failure(x509.UnknownAuthorityError{}), 1, 1},
	{"certificate, while dialing", failure(opError("dial", x509.CertificateInvalidError{Reason: x509.Expired})), 1, 1},
	{"deadline of a layer below", failure(fmt.Errorf("wait: %w", context.DeadlineExceeded)), 4, 1},
	{"context of a layer below, canceled", failure(errors.Join(errBroken, context.Canceled)), 1, 1},
	{"terminal", failure(terminalError{}), 1, 1},
	{"terminal around a dial error", failure(errors.Join(terminalError{}, opError("dial", syscall.ECONNREFUSED))), 1, 1},
	{"API error of a layer below, code 2", failure(&okerrors.Error{Code: 2, Status: 200}), 4, 1},
	{"API error of a layer below, code 8", failure(&okerrors.Error{Code: 8, Status: 200}), 4, 4},
	{"API error of a layer below, code 104", failure(&okerrors.Error{Code: 104, Status: 200}), 1, 1},
	{"API error of a layer below, 429", failure(&okerrors.Error{Code: 2, Status: 429}), 4, 1},
}

// headerTimeout is what net/http returns if a response's header does not come.
type headerTimeout struct{}

func (headerTimeout) Error() string     { return "net/http: timeout awaiting response headers" }
func (headerTimeout) Is(err error) bool { return err == context.DeadlineExceeded }

func TestPolicy(t *testing.T) {
	for _, test := range policy {
		t.Run(test.name, func(t *testing.T) {
			for _, call := range []struct {
				kind, url string
				want      int
			}{{"read", readURL, test.read}, {"write", writeURL, test.write}} {
				synctest.Test(t, func(t *testing.T) {
					base := &script{outcomes: []outcome{test.outcome}}
					resp, err := transport.Retry{}.Wrap(base).RoundTrip(newGet(t, t.Context(), call.url))
					if resp != nil {
						resp.Body.Close()
					}
					if base.attempts() != call.want || base.open != 0 {
						t.Errorf("%s: %d attempts, want %d; %d responses left open", call.kind, base.attempts(), call.want, base.open)
					}
					if want := test.outcome.err; !errors.Is(err, want) || want != nil && err.Error() != want.Error() {
						t.Errorf("%s: error %v, want %v", call.kind, err, test.outcome.err)
					}
				})
			}
		})
	}
}

// Codes that say nothing about the next attempt, by the classes that have
// them: none of these is ever repeated.
func TestPolicyNeverRepeats(t *testing.T) {
	codes := []int{3, 4, 7, 9, 10, 11, 12, 21, 22, 23, 24, 26, 30, 50, 100, 101, 102, 103, 104, 105, 106, 107, 110, 120, 160, 200, 210,
		300, 401, 402, 403, 451, 453, 454, 455, 458, 500, 504, 511, 600, 700, 704, 900, 1001, 1003, 1004, 1005, 1101, 1200, 1400, 2001, 2002}
	for _, code := range codes {
		for _, status := range []int{200, 429, 500, 503} {
			o := codeResponse(status, code, "Retry-After", "1")
			a := transport.Attempt{
				N: 1, Request: newGet(t, transport.WithIdempotent(t.Context(), true), readURL),
				Response: &http.Response{StatusCode: status, Header: o.header, Body: http.NoBody},
			}
			a.Response.Header.Set("Invocation-Error", fmt.Sprint(code))
			if transport.Retryable(a) {
				t.Errorf("code %d with status %d is repeated", code, status)
			}
		}
	}
}

func TestRetryableOfLittle(t *testing.T) {
	for name, test := range map[string]struct {
		attempt transport.Attempt
		want    bool
	}{
		"nothing":            {transport.Attempt{}, false},
		"no request, 429":    {transport.Attempt{Response: &http.Response{StatusCode: 429}}, true},
		"no request, 500":    {transport.Attempt{Response: &http.Response{StatusCode: 500}}, false},
		"no request, broken": {transport.Attempt{Err: errBroken}, false},
		"terminal, dialing":  {transport.Attempt{N: 1, Err: errors.Join(terminalError{}, opError("dial", syscall.ECONNREFUSED))}, false},
		"terminal, code 2 of another call": {transport.Attempt{N: 1, Request: newGet(t, t.Context(), readURL),
			Err: errors.Join(terminalError{}, &okerrors.Error{Code: okerrors.CodeService})}, false},
		"code 2": {transport.Attempt{N: 1, Request: newGet(t, t.Context(), readURL),
			Err: &okerrors.Error{Code: okerrors.CodeService}}, true},
		"no number, code 1": {transport.Attempt{Request: newGet(t, t.Context(), readURL),
			Response: &http.Response{StatusCode: 200, Header: http.Header{"Invocation-Error": {"1"}}}}, true},
	} {
		if got := transport.Retryable(test.attempt); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// A deadline of the call itself is the end, however the layer below puts it.
func TestRetryableAfterContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if transport.Retryable(transport.Attempt{N: 1, Request: newGet(t, ctx, readURL), Err: errBroken}) {
		t.Error("a call whose context is over is repeated")
	}
}

// The errors of net/http itself, not what this test believes them to be.
func TestPolicyOnRealErrors(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = nil
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	stuck, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and no more
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	proxy, _ := url.Parse(gone.URL)
	for _, test := range []struct {
		name, url   string
		transport   *http.Transport
		read, write bool
	}{
		{"connection refused", gone.URL, &http.Transport{}, true, true},
		{"connection to the proxy refused", "https://api.ok.ru", &http.Transport{Proxy: http.ProxyURL(proxy)}, true, true},
		{"certificate", secure.URL, &http.Transport{}, false, false},
		{"header timeout", "http://" + stuck.Addr().String(), &http.Transport{ResponseHeaderTimeout: time.Millisecond}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer test.transport.CloseIdleConnections()
			for method, want := range map[string]bool{"users.getInfo": test.read, "stream.publish": test.write} {
				r := newGet(t, t.Context(), "https://api.ok.ru/fb.do?method="+method)
				resp, err := test.transport.RoundTrip(newGet(t, t.Context(), test.url+"/fb.do?method="+method))
				if err == nil {
					resp.Body.Close()
					t.Fatal("no error")
				}
				if got := transport.Retryable(transport.Attempt{N: 1, Request: r, Err: err}); got != want {
					t.Errorf("%s after %q: %v, want %v", method, err, got, want)
				}
			}
		})
	}
}

func TestWithIdempotentOverridesName(t *testing.T) {
	for _, test := range []struct {
		name, url string
		safe      bool
		want      int
	}{
		{"a write marked safe", writeURL, true, 4},
		{"a read marked unsafe", readURL, false, 1},
		{"an upload marked safe", "https://up.mycdn.me/upload?photoId=1", true, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			base := &script{outcomes: []outcome{failure(errBroken)}}
			r := newGet(t, transport.WithIdempotent(t.Context(), test.safe), test.url)
			if _, err := (transport.Retry{}).Wrap(base).RoundTrip(r); !errors.Is(err, errBroken) {
				t.Errorf("%s: error %v", test.name, err)
			}
			if base.attempts() != test.want {
				t.Errorf("%s: %d attempts, want %d", test.name, base.attempts(), test.want)
			}
		})
	}
}

// A POST names its method in the form.
func TestPolicyReadsMethodOfForm(t *testing.T) {
	for form, want := range map[string]bool{"method=users.getInfo": true, "method=users.setStatus": false, "": false} {
		r, err := http.NewRequest("POST", "https://api.ok.ru/fb.do", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := transport.Retryable(transport.Attempt{N: 1, Request: r, Err: errBroken}); got != want {
			t.Errorf("form %q: %v, want %v", form, got, want)
		}
	}
}

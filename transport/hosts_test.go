package transport_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// What is signed, by Hosts and address: to another port of this machine
// listens another program.
func TestHosts(t *testing.T) {
	const signed, untouched, rejected = "signed", "untouched", "rejected"
	for _, test := range []struct{ hosts, base, want string }{
		{"", "https://api.ok.ru", signed},
		{"", "http://api.ok.ru", rejected},
		{"", "http://api.ok.ru:8080", rejected},
		{"", "http://api.ok.ru.", rejected},
		{"", "https://api.ok.ru:8443", untouched},
		{"127.0.0.1", "https://127.0.0.1", signed},
		{"127.0.0.1", "http://127.0.0.1:31337", untouched},
		{"127.0.0.1 127.0.0.1:8080", "http://127.0.0.1:8080", signed},
		{"127.0.0.1:8080", "http://127.0.0.1:8081", untouched},
		{"", "https://API.ok.ru:443", signed},
		{"api.ok.ru:443", "https://api.ok.ru", signed},
		{"API.OK.RU", "https://api.ok.ru", signed},
		{"proxy.example:8443", "https://proxy.example:8443", signed},
		{"proxy.example:8443", "https://proxy.example", untouched},
		{"proxy.example:8443", "http://proxy.example:8443", rejected},
		{"proxy.example:8443", "http://proxy.example", untouched},
		{"localhost:80", "http://localhost", signed},
		{"localhost:80", "http://localhost:80", signed},
		{"localhost", "http://localhost:80", signed},
		{"localhost", "http://localhost", signed},
		{"localhost:80", "https://localhost", untouched},
		{"localhost:443", "http://localhost", untouched},
		{"localhost", "http://localhost:8080", untouched},
		{"localhost:8080", "http://LOCALHOST:8080", signed},
		{"localhost", "http://localhost.:8080", untouched},
		{"[::1]", "http://[::1]:8080", untouched},
		{"[::1]:8080", "http://[::1]:8080", signed},
	} {
		got, r := untouched, newGet(t, t.Context(), test.base+"/fb.do?method=users.getInfo")
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", Hosts: strings.Fields(test.hosts)}
		_, err := s.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Has("sig") {
				got = signed
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
		})).RoundTrip(r)
		if err != nil {
			got = rejected
		}
		if got != test.want {
			t.Errorf("Hosts %q: %s is %s, want %s", test.hosts, test.base, got, test.want)
		}
	}
}

// The layers above the Signer know no hosts, and take its responses for the
// API's all the same.
func TestResponsesOfOtherHostsAreJudged(t *testing.T) {
	const read, write, method = "/api/users/getInfo", "/api/stream/publish", "/fb.do?method=users.getInfo"
	for _, test := range []struct {
		name, host, path string
		outcome          outcome
		attempts         int
		method           string // of the API error
	}{
		{"code", "proxy.example", read, codeResponse(200, 2), 4, "users.getInfo"},
		{"code in the header", "proxy.example", read, respondWith(200, "<html>", "Invocation-Error", "2"), 4, "users.getInfo"},
		{"code, a write", "proxy.example", write, codeResponse(200, 2), 1, "stream.publish"},
		{"code, a parameter", "proxy.example", method, codeResponse(200, 2), 4, "users.getInfo"},
		{"bad input", "proxy.example", read, codeResponse(200, 100), 1, "users.getInfo"},
		{"status", "proxy.example", read, respondWith(502, "<html>"), 4, ""},
		{"status, a write", "proxy.example", write, respondWith(502, "<html>"), 1, ""},
		{"success", "proxy.example", read, respondWith(200, `{"uid":"1"}`), 1, ""},
		{"error of the transport", "proxy.example", read, failure(errBroken), 4, ""},
		{"error of the transport, a write", "proxy.example", write, failure(errBroken), 1, ""},
		{"another host's", "other.example", read, codeResponse(502, 2), 1, ""},
	} {
		s := &script{outcomes: []outcome{test.outcome}}
		signer := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", Hosts: []string{"proxy.example"}}
		look := func(next http.RoundTripper) http.RoundTripper { // as a limit does, at all responses
			return transport.Func(func(r *http.Request) (*http.Response, error) {
				resp, err := next.RoundTrip(r)
				okerrors.FromResponse(resp)
				return resp, err
			})
		}
		rt := transport.Chain(s, okerrors.Decode, transport.Retry{MinDelay: -1}.Wrap, look, signer.Wrap)
		resp, err := rt.RoundTrip(newGet(t, t.Context(), "https://"+test.host+test.path))
		e, failed := errors.AsType[*okerrors.Error](err)
		if failed != (test.method != "") || failed && e.Method != test.method || s.attempts() != test.attempts {
			t.Errorf("%s: after %d attempts, want %d: %v, %v", test.name, s.attempts(), test.attempts, resp, err)
		}
	}
}

// Without a Signer that names its host, a request is not an API call, whatever
// a layer below makes of the response.
func TestErrorsOfOtherHostsAreNotRepeated(t *testing.T) {
	s := &script{outcomes: []outcome{codeResponse(200, 2)}}
	decode := func(next http.RoundTripper) http.RoundTripper {
		return transport.Func(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if e, failed := okerrors.FromResponse(resp); failed {
				resp.Body.Close()
				return nil, e
			}
			return resp, err
		})
	}
	rt := transport.Chain(s, transport.Retry{MinDelay: -1}.Wrap, decode)
	if _, err := rt.RoundTrip(newGet(t, t.Context(), "https://proxy.example/api/users/getInfo")); err == nil || s.attempts() != 1 {
		t.Errorf("after %d attempts: %v", s.attempts(), err)
	}
}

package transport_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-okru/okru/transport"
)

// A redirector answers each request whose URL is a key of it by a redirect to
// the value, after the status, and any other by true.
type redirector map[string]string

func (to redirector) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	resp := respondWith(200, "true").response(r)
	if target, ok := to[r.URL.Scheme+"://"+r.URL.Host+r.URL.Path]; ok {
		resp.StatusCode = http.StatusTemporaryRedirect
		if r.Method == "GET" {
			resp.StatusCode = http.StatusFound
		}
		resp.Header.Set("Location", target)
	}
	return resp, nil
}

// A call that a response of another host led to is not signed: that host chose
// the method and the parameters.
func TestCallAfterARedirect(t *testing.T) {
	const write = "https://api.ok.ru/fb.do?method=users.setStatus&status=x"
	for _, test := range []struct {
		name     string
		first    string
		to       redirector
		chosenBy string // in the error; empty: the call is sent
	}{
		{"from another host", "https://evil.example/picture", redirector{"https://evil.example/picture": write}, "evil.example"},
		{"from a similar host", "https://api.ok.ru.evil.example/a", redirector{"https://api.ok.ru.evil.example/a": write}, "api.ok.ru.evil.example"},
		{"from another port", "https://api.ok.ru:8443/a", redirector{"https://api.ok.ru:8443/a": write}, "api.ok.ru:8443"},
		{"from another scheme", "http://api.ok.ru/a", redirector{"http://api.ok.ru/a": write}, "http://api.ok.ru"},
		{"from another host, over http", "http://evil.example/a", redirector{"http://evil.example/a": write}, "evil.example"},
		{"through a page of the API", "https://evil.example/a", redirector{
			"https://evil.example/a": "https://api.ok.ru/b", "https://api.ok.ru/b": "https://api.ok.ru/c", "https://api.ok.ru/c": write}, "evil.example"},
		{"from the API and back", "https://api.ok.ru/a", redirector{"https://api.ok.ru/a": "https://evil.example/b", "https://evil.example/b": write}, "evil.example"},
		{"to another form of a call", "https://evil.example/a", redirector{"https://evil.example/a": "https://api.ok.ru/api/users/setStatus?status=x"}, "evil.example"},
		{"from a page of the API", "https://api.ok.ru/a", redirector{"https://api.ok.ru/a": "/b", "https://api.ok.ru/b": write}, ""},
		{"from the other of Hosts", "https://gateway.example/a", redirector{"https://gateway.example/a": write}, ""},
		{"from a loopback host", "http://127.0.0.1:8080/a", redirector{"http://127.0.0.1:8080/a": write}, ""},
	} {
		for _, circuit := range []transport.Circuit{transport.Auto, transport.Sessionless, transport.Unsigned} {
			for _, verb := range []string{"GET", "POST"} {
				var calls []*url.URL
				watched := transport.Func(func(r *http.Request) (*http.Response, error) {
					if r.URL.Query().Has("application_key") || strings.Contains(r.Header.Get("Content-Type"), "form") && r.URL.Path == "/fb.do" {
						calls = append(calls, r.URL)
					}
					return test.to.RoundTrip(r)
				})
				s := signer()
				s.Circuit, s.Hosts = circuit, []string{"api.ok.ru", "gateway.example", "127.0.0.1:8080"}
				c := &http.Client{Transport: s.Wrap(watched)}
				r, err := http.NewRequest(verb, test.first, nil)
				if verb == "POST" {
					r, err = http.NewRequest(verb, test.first, strings.NewReader("text=x"))
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
				if err != nil {
					t.Fatal(err)
				}
				resp, err := c.Do(r)
				if err == nil {
					resp.Body.Close()
				}
				var final interface{ Terminal() bool }
				switch {
				case test.chosenBy == "" && (err != nil || len(calls) != 1):
					t.Errorf("%s, %v %s: error %v, %d calls sent", test.name, circuit, verb, err, len(calls))
				case test.chosenBy == "":
				case err == nil || len(calls) > 0 || !strings.Contains(err.Error(), test.chosenBy) || !errors.As(err, &final) || !final.Terminal():
					t.Errorf("%s, %v %s: error %v, sent %v", test.name, circuit, verb, err, calls)
				}
			}
		}
	}
}

// A hop without a request could be of any host. Other requests than calls may
// come from anywhere.
func TestCallAfterAnUnknownHop(t *testing.T) {
	known := get("method=users.getInfo")
	for name, first := range map[string]*http.Response{
		"no request":             {},
		"no URL":                 {Request: new(http.Request)},
		"no request, further up": {Request: &http.Request{URL: known.URL, Response: new(http.Response)}},
	} {
		var base recorder
		r := get("method=users.getInfo")
		r.Response = first
		if _, err := signer().Wrap(&base).RoundTrip(r); err == nil || base.got != nil || !strings.Contains(err.Error(), "unknown") {
			t.Errorf("%s: error %v, sent %t", name, err, base.got != nil)
		}
		r = get("")
		r.URL.Path, r.Response = "/picture", first
		if _, err := signer().Wrap(&base).RoundTrip(r); err != nil || base.got != r {
			t.Errorf("%s, no call: error %v", name, err)
		}
	}
}

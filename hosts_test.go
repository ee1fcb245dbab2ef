package okru_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// A sink records where requests go and what they say, and answers true.
type sink struct{ urls, forms []string }

func (s *sink) RoundTrip(r *http.Request) (*http.Response, error) {
	form := ""
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		form = string(b)
	}
	s.urls, s.forms = append(s.urls, r.URL.String()), append(s.forms, form)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("true")), Request: r}, nil
}

func through(next http.RoundTripper) http.RoundTripper { return transport.Func(next.RoundTrip) }

// Call sends to the first of Hosts, signed, also where a layer below the client
// comes from somewhere else.
func TestCallGoesToTheFirstOfHosts(t *testing.T) {
	for _, test := range []struct {
		hosts string
		want  string
	}{
		{"", "https://api.ok.ru/fb.do"},
		{"gateway.example", "https://gateway.example/fb.do"},
		{"gateway.example:8443 api.ok.ru", "https://gateway.example:8443/fb.do"},
		{"127.0.0.1:8080", "http://127.0.0.1:8080/fb.do"},
		{"api.ok.ru 127.0.0.1:8080", "https://api.ok.ru/fb.do"},
	} {
		for _, passErrors := range []bool{false, true} {
			base := new(sink)
			c := newClient(t, okru.Config{ApplicationKey: "KEY", ApplicationSecret: "s", Hosts: strings.Fields(test.hosts), Base: base, PassErrors: passErrors})
			c.Transport = transport.Chain(c.Transport, through)
			if _, err := okru.Call[bool](t.Context(), c, "users.setStatus", url.Values{"status": {"x"}}); err != nil {
				t.Fatal(err)
			}
			if base.urls[0] != test.want || !strings.Contains(base.forms[0], "&sig=") {
				t.Errorf("Hosts %q: sent %s to %s", test.hosts, base.forms[0], base.urls[0])
			}
		}
	}
	base := new(sink)
	if _, err := okru.Call[bool](t.Context(), &http.Client{Transport: base}, "a.b", nil); err != nil || base.urls[0] != "https://api.ok.ru/fb.do" {
		t.Errorf("without a Signer: %v, sent to %v", err, base.urls)
	}
}

// If a layer hides Hosts, a call with its parameters goes nowhere.
func TestCallBehindALayerThatHidesHosts(t *testing.T) {
	base := new(sink)
	c := newClient(t, okru.Config{ApplicationKey: "KEY", ApplicationSecret: "s", Hosts: []string{"gateway.example"}, Base: base})
	c.Transport = through(c.Transport) // no Chain, no Unwrap
	_, err := okru.Call[bool](t.Context(), c, "auth.login", url.Values{"password": {"hidden"}})
	if err == nil || len(base.urls) > 0 || !strings.Contains(err.Error(), "Unwrap") || !strings.Contains(err.Error(), "gateway.example") {
		t.Errorf("error %v, sent to %v", err, base.urls)
	}
}

// A call with the session of a user is not made as another user.
func TestCallWithTheSessionOfAnother(t *testing.T) {
	base := new(sink)
	c := newClient(t, okru.Config{ApplicationKey: "KEY", ApplicationSecret: "s", TokenSource: oauth.Static("service", ""), Base: base})
	for _, name := range []string{"access_token", "session_key"} {
		_, err := okru.Call[bool](t.Context(), c, "users.setStatus", url.Values{name: {"anna"}, "status": {"x"}})
		if err == nil || len(base.urls) > 0 || !strings.Contains(err.Error(), "WithToken") || strings.Contains(err.Error(), "anna") {
			t.Errorf("%s: error %v, sent %q", name, err, base.forms)
		}
	}
	ctx := transport.WithToken(t.Context(), &oauth2.Token{AccessToken: "anna"})
	if _, err := okru.Call[bool](ctx, c, "users.setStatus", url.Values{"session_key": {"anna"}}); err != nil || !strings.Contains(base.forms[0], "access_token=anna") {
		t.Errorf("error %v, sent %q", err, base.forms)
	}
}

// A stack on top of a stack would sign, repeat and limit every call twice.
func TestStackOnAStackIsRejected(t *testing.T) {
	cfg := okru.Config{ApplicationKey: "KEY", ApplicationSecret: "s", Base: new(sink)}
	stack, err := okru.NewTransport(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for name, rt := range map[string]http.RoundTripper{
		"stack":              stack,
		"below other layers": transport.Chain(stack, through, transport.Retry{}.Wrap, through),
		"Signer":             transport.Signer{ApplicationKey: "KEY"}.Wrap(nil),
		"Group":              transport.Group{Token: "tkn:1"}.Wrap(nil),
	} {
		again := cfg
		again.Base = rt
		_, err1 := okru.NewTransport(again)
		_, err2 := okru.NewClient(again)
		again.Base = nil
		_, err3 := okru.Wrap(&http.Client{Transport: rt}, again)
		for _, err := range []error{err1, err2, err3} {
			if err == nil || !strings.Contains(err.Error(), "Signer already") {
				t.Errorf("%s: error %v", name, err)
			}
		}
	}
}

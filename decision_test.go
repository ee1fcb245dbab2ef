package okru_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// An observer is a Limiter without a limit that notes whether it learned of
// throttling.
type observer struct{ throttled bool }

func (o *observer) Wait(context.Context) error        { return nil }
func (o *observer) Observe(outcome ratelimit.Outcome) { o.throttled = o.throttled || outcome.Throttled }

// A throttle answers code 8 to every request, and notes how many there were and
// whether one was signed, or had the token of a group.
type throttle struct {
	requests int
	isSigned bool
}

func (s *throttle) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests++
	s.isSigned = s.isSigned || r.URL.Query().Has("sig") || r.URL.Query().Get("access_token") == "tkn:1"
	body := io.NopCloser(strings.NewReader(`{"error_code":8,"error_msg":"FLOOD_BLOCKED : x"}`))
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, Request: r}, nil
}

// Decode, Retry, Limit, Signer and Group decide alike whether a request is an API
// call, alone and in a stack. A layer without a Signer or a Group below knows
// api.ok.ru only.
func TestOneDecision(t *testing.T) {
	const other, api = "other", "api.ok.ru"
	hosts := []string{"gateway.example", "127.0.0.1:8080"}
	for _, test := range []struct{ address, host string }{
		{"https://api.ok.ru/fb.do?method=users.getInfo", api},
		{"https://API.OK.RU:443/fb.do?method=users.getInfo", api},
		{"https://api.ok.ru/api/users/getInfo", api},
		{"https://gateway.example/fb.do?method=users.getInfo", hosts[0]},
		{"https://gateway.example/api/users/getInfo", hosts[0]},
		{"http://127.0.0.1:8080/api/users/getInfo", hosts[1]},
		{"https://api.ok.ru/graph/me/chats", api},
		{"https://gateway.example/graph/chat:C1/messages", hosts[0]},
		{"http://127.0.0.1:8080/graph/me/info", hosts[1]},
		{"https://other.example/graph/me/chats", other},
		{"https://api.ok.ru/graphs/me", other},
		{"https://other.example/fb.do?method=users.getInfo", other},
		{"https://other.example/api/users/getInfo", other},
		{"https://other.example/api/x/y", other},
		{"https://other.example/x", other},
		{"http://127.0.0.1/x", other},
		{"http://127.0.0.1/fb.do?method=users.getInfo", other},
		{"http://localhost:8080/fb.do?method=users.getInfo", other},
		{"https://api.ok.ru:8443/fb.do?method=users.getInfo", other},
		{"https://api.ok.ru.other.example/fb.do?method=users.getInfo", other},
		{"https://www.ok.ru/fb.do?method=users.getInfo", other},
		{"https://api.ok.ru/oauth/token.do", other},
		{"https://api.ok.ru/", other},
	} {
		for _, under := range []struct {
			name  string
			hosts []string // nil: no Signer below
		}{{"alone", nil}, {"over a Signer of api.ok.ru", []string{api}}, {"over a Signer of Hosts", hosts}} {
			served := under.hosts
			if served == nil {
				served = []string{api}
			}
			want := false
			for _, h := range served {
				want = want || h == test.host
			}
			below := func() (*throttle, http.RoundTripper) {
				base := new(throttle)
				if under.hosts == nil {
					return base, base
				}
				group := transport.Group{Token: "tkn:1", Hosts: under.hosts}.Wrap(base)
				return base, transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "s", Hosts: under.hosts}.Wrap(group)
			}
			got := make(map[string]bool)

			base, rt := below()
			_, err := sendGet(t, okerrors.Decode(rt), test.address)
			_, got["Decode"] = errors.AsType[*okerrors.Error](err)
			if under.hosts != nil {
				got["Signer"] = base.isSigned
			}
			base, rt = below()
			_, _ = sendGet(t, transport.Retry{Max: 1, MaxDelay: time.Millisecond}.Wrap(rt), test.address)
			got["Retry"] = base.requests > 1
			_, rt = below()
			limiter := new(observer)
			_, _ = sendGet(t, ratelimit.Limit{Limiter: limiter}.Wrap(rt), test.address)
			got["Limit"] = limiter.throttled

			if under.hosts != nil {
				base, limiter = new(throttle), new(observer)
				stack, err := okru.NewTransport(okru.Config{ApplicationKey: "KEY", ApplicationSecret: "s", GroupToken: "tkn:1", Hosts: under.hosts,
					Limiter: limiter, Retry: transport.Retry{Max: 1, MaxDelay: time.Millisecond}, Base: base})
				if err != nil {
					t.Fatal(err)
				}
				_, err = sendGet(t, stack, test.address)
				_, got["Decode in a stack"] = errors.AsType[*okerrors.Error](err)
				got["Signer in a stack"], got["Retry in a stack"], got["Limit in a stack"] = base.isSigned, base.requests > 1, limiter.throttled
			}
			for layer, isCall := range got {
				if isCall != want {
					t.Errorf("%s %s: %s takes it for a call: %t, want %t", test.address, under.name, layer, isCall, want)
				}
			}
		}
	}
}

// sendGet sends a GET through rt and closes the response.
func sendGet(t *testing.T, rt http.RoundTripper, address string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(r)
	if err == nil {
		resp.Body.Close()
	}
	return resp, err
}

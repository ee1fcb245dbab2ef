package okru_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/transport"
)

const graphToken = "tknCANARY18YdUJZe:CQABPOJKAKEKEKEKE"

// graphClient returns a client of a bot over base.
func graphClient(t *testing.T, base http.RoundTripper, edit ...func(*okru.Config)) *http.Client {
	t.Helper()
	cfg := okru.Config{GroupToken: graphToken, Retry: transport.Retry{Max: -1}, Base: base}
	for _, e := range edit {
		e(&cfg)
	}
	return newClient(t, cfg)
}

func TestGraphSendsAndDecodes(t *testing.T) {
	var got *http.Request
	var sent string
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		got, sent = r, ""
		if r.Body != nil {
			text, _ := io.ReadAll(r.Body)
			sent = string(text)
		}
		return respond(200, "application/json", `{"chats":[{"seq":98211023614189660}],"marker":"M"}`)(r)
	})
	for _, test := range []struct {
		verb, path string
		body       any
		url, sent  string
	}{
		{"GET", "me/chats?count=10&marker=a%3D", nil, "https://api.ok.ru/graph/me/chats?count=10&marker=a%3D&access_token=", ""},
		{"POST", "me/messages/chat:C1", map[string]any{"message": map[string]string{"text": "привет"}}, "https://api.ok.ru/graph/me/messages/chat:C1?access_token=", `{"message":{"text":"привет"}}`},
		{"POST", "me/unsubscribe", nil, "https://api.ok.ru/graph/me/unsubscribe?access_token=", ""},
		{"POST", "chat:C1/messages", json.RawMessage(`{"a":1}`), "https://api.ok.ru/graph/chat:C1/messages?access_token=", `{"a":1}`},
	} {
		page, err := okru.Graph[struct {
			Chats  []struct{ Seq int64 }
			Marker string
		}](t.Context(), graphClient(t, base), test.verb, test.path, test.body)
		if err != nil || page.Marker != "M" || len(page.Chats) != 1 || page.Chats[0].Seq != 98211023614189660 {
			t.Errorf("%s: %+v, %v", test.path, page, err)
		}
		if !strings.HasPrefix(got.URL.String(), test.url) || got.Method != test.verb || sent != test.sent {
			t.Errorf("%s: sent %s %s with %q", test.path, got.Method, got.URL, sent)
		}
		kind := got.Header.Get("Content-Type")
		if (kind == "application/json;charset=utf-8") != (test.sent != "") || got.Header.Get("Accept") != "application/json" {
			t.Errorf("%s: sent %v", test.path, got.Header)
		}
	}
}

// Bad input is an error before anything is sent, which does not show the path.
func TestGraphRejects(t *testing.T) {
	sent := 0
	base := transport.Func(func(r *http.Request) (*http.Response, error) { sent++; return respond(200, "", "{}")(r) })
	bot := graphClient(t, base)
	for name, test := range map[string]struct {
		client     *http.Client
		ctx        context.Context
		verb, path string
		body       any
		want       string
	}{
		"nil client":              {nil, t.Context(), "GET", "me/chats", nil, "NewClient"},
		"plain client":            {http.DefaultClient, t.Context(), "GET", "me/chats", nil, "GroupToken"},
		"plain Transport":         {&http.Client{Transport: new(http.Transport)}, t.Context(), "GET", "me/chats", nil, "GroupToken"},
		"only a Signer":           {&http.Client{Transport: transport.Signer{ApplicationKey: "KEY"}.Wrap(nil)}, t.Context(), "GET", "me/chats", nil, "GroupToken"},
		"no token":                {graphClient(t, base, func(c *okru.Config) { c.ApplicationKey, c.GroupToken = "KEY", "" }), t.Context(), "GET", "me/chats", nil, "okru: graph/me/chats: a Graph call needs the token"},
		"an empty token":          {bot, transport.WithGroupToken(t.Context(), ""), "GET", "me/chats", nil, "WithGroupToken"},
		"a token in the path":     {bot, t.Context(), "GET", "me/chats?access_token=" + graphToken, nil, "leave it out"},
		"a token in a bad query":  {bot, t.Context(), "GET", "me/chats?access_token=" + graphToken + ";x", nil, "semicolon"},
		"the token in a segment":  {bot, t.Context(), "GET", "me/messages/" + graphToken, nil, "leave it out"},
		"verb in lower case":      {bot, t.Context(), "get", "me/chats", nil, "GET or POST"},
		"no verb":                 {bot, t.Context(), "", "me/chats", nil, "GET or POST"},
		"another verb":            {bot, t.Context(), "DELETE", "me/chats", nil, "GET or POST"},
		"GET with a body":         {bot, t.Context(), "GET", "me/chats", map[string]int{"count": 1}, "a GET has no body"},
		"slash":                   {bot, t.Context(), "GET", "/me/chats", nil, "me/chats?count=10"},
		"with graph":              {bot, t.Context(), "GET", "graph/me/chats", nil, "me/chats?count=10"},
		"a URL":                   {bot, t.Context(), "GET", "https://api.ok.ru/graph/me/chats", nil, "me/chats?count=10"},
		"no path":                 {bot, t.Context(), "GET", "", nil, "me/chats?count=10"},
		"only a query":            {bot, t.Context(), "GET", "?count=1", nil, "me/chats?count=10"},
		"dots":                    {bot, t.Context(), "GET", "me/../../fb.do", nil, "me/chats?count=10"},
		"fragment":                {bot, t.Context(), "GET", "me/chats#" + graphToken, nil, "me/chats?count=10"},
		"control character":       {bot, t.Context(), "GET", "me/chats\n" + graphToken, nil, "escape"},
		"what JSON cannot encode": {bot, t.Context(), "POST", "me/messages", math.NaN(), "JSON"},
		"nil context":             {bot, nil, "GET", "me/chats", nil, "nil Context"},
	} {
		_, err := okru.Graph[any](test.ctx, test.client, test.verb, test.path, test.body)
		if err == nil || sent > 0 || !strings.HasPrefix(err.Error(), "okru: ") || !strings.Contains(err.Error(), test.want) || errors.Is(err, okerrors.ErrOutcomeUnknown) {
			t.Errorf("%s: sent %d, error %v", name, sent, err)
		}
		sent = 0
		canary.Check(t, err, graphToken)
	}
}

// Each error begins with the path without ids, and shows neither the id nor the
// token. Of a write it matches ErrOutcomeUnknown if the write may have run.
func TestGraphFails(t *testing.T) {
	broken := transport.Func(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		return nil, errors.New("reset of " + r.URL.String())
	})
	for name, test := range map[string]struct {
		base    http.RoundTripper
		is      error
		unknown bool // of a write
	}{
		"API error that quotes": {respond(200, "application/json", `{"error_code":103,"error_msg":"PARAM_SESSION_KEY : Invalid `+graphToken+`"}`), okerrors.ErrSession, false},
		"code 2":                {respond(200, "application/json", `{"error_code":2,"error_msg":"SERVICE : x"}`), okerrors.ErrTransient, true},
		"code 2001":             {respond(200, "application/json", `{"error_code":2001,"error_msg":"GRAPH_PARAM_REQUEST : x"}`), okerrors.ErrInvalid, false},
		"page that quotes":      {respond(502, "text/html", "<h1>Bad Gateway</h1> of /graph/me?access_token="+graphToken+" "+graphToken), nil, true},
		"429":                   {respond(429, "text/html", "slow down"), okerrors.ErrThrottled, false},
		"another type":          {respond(200, "application/json", `["`+graphToken+`"]`), nil, true},
		"not JSON":              {respond(200, "text/html", graphToken), nil, true},
		"transport":             {broken, nil, true},
	} {
		for _, verb := range []string{"GET", "POST"} {
			for _, pass := range []bool{false, true} {
				bot := graphClient(t, test.base, func(c *okru.Config) { c.PassErrors = pass })
				_, err := okru.Graph[map[string]any](t.Context(), bot, verb, "me/messages/chat:C3ecb9d02a600", nil)
				if err == nil || !strings.HasPrefix(err.Error(), "okru: graph/me/messages/{id}: ") || strings.Contains(err.Error(), "C3ecb9d") && name != "transport" {
					t.Errorf("%s: error %v", name, err)
				}
				if test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("%s: %v is not %v", name, err, test.is)
				}
				if want := test.unknown && verb == "POST"; errors.Is(err, okerrors.ErrOutcomeUnknown) != want {
					t.Errorf("%s: %s: ErrOutcomeUnknown is %t, want %t: %v", name, verb, !want, want, err)
				}
				canary.Check(t, err, graphToken)
			}
		}
	}
}

// Graph goes to the first of Hosts, also through a Group without a Signer, and
// nowhere if a layer hides Hosts.
func TestGraphHosts(t *testing.T) {
	for _, hosts := range [][]string{nil, {"gateway.example:8443", "api.ok.ru"}, {"127.0.0.1:8080"}} {
		want := map[int]string{0: "https://api.ok.ru", 2: "https://gateway.example:8443", 1: "http://127.0.0.1:8080"}[len(hosts)]
		base := new(sink)
		for _, c := range []*http.Client{
			graphClient(t, base, func(c *okru.Config) { c.Hosts = hosts }),
			{Transport: transport.Group{Token: graphToken, Hosts: hosts}.Wrap(base)},
		} {
			_, err := okru.Graph[bool](t.Context(), c, "GET", "me/info", nil)
			if err != nil || !strings.HasPrefix(base.urls[len(base.urls)-1], want+"/graph/me/info?access_token=tkn") {
				t.Errorf("Hosts %q: %v, sent to %v", hosts, err, base.urls)
			}
		}
	}
	base := new(sink)
	c := graphClient(t, base, func(c *okru.Config) { c.Hosts = []string{"gateway.example"} })
	c.Transport = through(c.Transport)
	alone := &http.Client{Transport: through(transport.Group{Token: graphToken, Hosts: []string{"gateway.example"}}.Wrap(base))}
	for _, c := range []*http.Client{c, alone} {
		if _, err := okru.Graph[bool](t.Context(), c, "GET", "me/info", nil); err == nil || len(base.urls) > 0 || !strings.Contains(err.Error(), "gateway.example") {
			t.Errorf("error %v, sent to %v", err, base.urls)
		}
	}
}

// A bot needs no application. Without a key, calls that must be signed fail.
func TestBotWithoutApplication(t *testing.T) {
	base := new(sink)
	bot := graphClient(t, base)
	if _, err := okru.Graph[bool](t.Context(), bot, "GET", "me/info", nil); err != nil {
		t.Error(err)
	}
	if _, err := okru.Call[bool](t.Context(), bot, "users.getInfo", nil); err == nil || !strings.Contains(err.Error(), "ApplicationKey is empty") || len(base.urls) != 1 {
		t.Errorf("a REST call: %v, sent %q", err, base.urls)
	}
	for _, cfg := range []okru.Config{{}, {GroupToken: "tkn:1", ApplicationKey: " "}, {GroupToken: " tkn:1"}, {GroupToken: "tkn:1", Circuit: 9}} {
		if _, err := okru.NewClient(cfg); err == nil {
			t.Errorf("%v is accepted", cfg)
		}
	}
}

package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/rttest"
	"github.com/go-okru/okru/transport"
)

const (
	groupToken = "tknCANARY18YdUJZe:CQABPOJKAKEKEKEKE"
	chatsURL   = "https://api.ok.ru/graph/me/chats"
)

func group() transport.Group { return transport.Group{Token: groupToken} }

func TestGroupAddsToken(t *testing.T) {
	other := transport.WithGroupToken(t.Context(), "other:token")
	for _, test := range []struct {
		name string
		ctx  context.Context
		url  string
		want string // the query that is sent
	}{
		{"no query", t.Context(), chatsURL, "access_token=tknCANARY18YdUJZe%3ACQABPOJKAKEKEKEKE"},
		{"query", t.Context(), chatsURL + "?count=10&marker=a%2Bb+c", "count=10&marker=a%2Bb+c&access_token=tknCANARY18YdUJZe%3ACQABPOJKAKEKEKEKE"},
		{"of the context", other, chatsURL, "access_token=other%3Atoken"},
		{"a REST call", t.Context(), "https://api.ok.ru/fb.do?method=a.b", "method=a.b"},
		{"another host", t.Context(), "https://example.com/graph/me/chats", ""},
		{"another port", t.Context(), "https://api.ok.ru:8443/graph/me/chats", ""},
	} {
		var base recorder
		r := newGet(t, test.ctx, test.url)
		resp, err := group().Wrap(&base).RoundTrip(r)
		if err != nil || base.got.URL.RawQuery != test.want || strings.Contains(test.want, "tkn") && resp.Request != r || r.URL.String() != test.url {
			t.Errorf("%s: sent %v, error %v; the caller's request is %v", test.name, base.got, err, r.URL)
		}
	}
}

// Nothing is signed, and nothing else is added, in a stack with a Signer too.
func TestGroupBelowSigner(t *testing.T) {
	var base recorder
	r, _ := http.NewRequest("POST", "https://api.ok.ru/graph/me/messages/chat:C1", strings.NewReader(`{"message":{}}`))
	r.Header.Set("Content-Type", "application/json;charset=utf-8")
	if _, err := transport.Chain(&base, signer().Wrap, group().Wrap).RoundTrip(r); err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(base.got.Body)
	if query := base.got.URL.Query(); len(query) != 1 || query.Get("access_token") != groupToken || string(body) != `{"message":{}}` || len(base.got.Header) != 1 {
		t.Errorf("sent %v with %v and %q", base.got.URL, base.got.Header, body)
	}
}

// What okru.Graph sends goes to one of the hosts or nowhere.
func TestMarkedGraphCallToAnotherHostIsRejected(t *testing.T) {
	ctx := okcall.With(t.Context(), func(o *okcall.Options) { o.Caller = new(okcall.Caller) })
	for _, test := range []struct {
		r    *http.Request
		sent bool
	}{
		{newGet(t, ctx, chatsURL), true},
		{newGet(t, ctx, "https://other.example/graph/me/chats"), false},
		{newGet(t, ctx, "https://other.example/page"), true},
		{newGet(t, t.Context(), "https://other.example/graph/me/chats"), true},
		{new(http.Request).WithContext(ctx), true},
	} {
		var base recorder
		_, err := group().Wrap(&base).RoundTrip(test.r)
		if (base.got != nil) != test.sent || (err == nil) != test.sent {
			t.Errorf("%v: sent %t, error %v", test.r.URL, base.got != nil, err)
		}
	}
}

// A write is sent in a way that http.Transport does not repeat by itself, and
// nothing else is.
func TestGroupSendsWritesOnce(t *testing.T) {
	for _, test := range []struct {
		verb, body, key string // key is a header
		ctx             context.Context
		once            bool
	}{
		{"GET", "", "", t.Context(), false},
		{"GET", "", "Idempotency-Key", t.Context(), false},
		{"GET", "", "", transport.WithIdempotent(t.Context(), false), true},
		{"OPTIONS", "", "", t.Context(), true},
		{"OPTIONS", "", "", transport.WithIdempotent(t.Context(), true), false},
		{"POST", "{}", "", t.Context(), false}, // net/http repeats no POST after it has sent a byte
		{"POST", "{}", "Idempotency-Key", t.Context(), true},
		{"POST", "{}", "X-Idempotency-Key", t.Context(), true},
		{"POST", "{}", "X-Key", t.Context(), false},
		{"POST", "{}", "Idempotency-Key", transport.WithIdempotent(t.Context(), true), false},
	} {
		r, _ := http.NewRequestWithContext(test.ctx, test.verb, chatsURL, nil)
		if test.body != "" {
			r, _ = http.NewRequestWithContext(test.ctx, test.verb, chatsURL, strings.NewReader(test.body))
		}
		if test.key != "" {
			r.Header.Set(test.key, "1")
		}
		var base recorder
		if _, err := group().Wrap(&base).RoundTrip(r); err != nil {
			t.Fatal(err)
		}
		if once := base.got.Body != nil && base.got.GetBody == nil; once != test.once {
			t.Errorf("%s %q with key %q: sent once is %t, want %t", test.verb, test.body, test.key, once, test.once)
		}
	}
}

func TestGroupRejects(t *testing.T) {
	redirected := newGet(t, t.Context(), chatsURL)
	redirected.Response = &http.Response{Request: newGet(t, t.Context(), "https://evil.example/")}
	for name, test := range map[string]struct {
		group transport.Group
		r     *http.Request
		want  string
	}{
		"no token":               {transport.Group{}, newGet(t, t.Context(), chatsURL), "GroupToken"},
		"an empty token":         {group(), newGet(t, transport.WithGroupToken(t.Context(), ""), chatsURL), "WithGroupToken"},
		"space around it":        {transport.Group{Token: groupToken + "\n"}, newGet(t, t.Context(), chatsURL), "white space"},
		"space, of the context":  {group(), newGet(t, transport.WithGroupToken(t.Context(), " "+groupToken), chatsURL), "white space"},
		"the token in the query": {group(), newGet(t, t.Context(), chatsURL+"?access_token="+groupToken), "leave it out"},
		"another in the query":   {group(), newGet(t, t.Context(), chatsURL+"?access%5Ftoken=x"), "leave it out"},
		"by another name":        {group(), newGet(t, t.Context(), chatsURL+"?t="+strings.ReplaceAll(groupToken, ":", "%3A")), "leave it out"},
		"the token in the path":  {group(), newGet(t, t.Context(), chatsURL+"/"+groupToken), "leave it out"},
		"the token as user":      {group(), newGet(t, t.Context(), "https://"+groupToken+"@api.ok.ru/graph/me/chats"), "leave it out"},
		"duplicate":              {group(), newGet(t, t.Context(), chatsURL+"?count=1&count=2"), `"count"`},
		"bad escape":             {group(), newGet(t, t.Context(), chatsURL+"?count=%zz"), "percent-escape"},
		"semicolon":              {group(), newGet(t, t.Context(), chatsURL+"?count=1;2"), "semicolon"},
		"plain http":             {group(), newGet(t, t.Context(), "http://api.ok.ru/graph/me/chats"), "https://api.ok.ru"},
		"misspelled":             {group(), newGet(t, t.Context(), "https://api.ok.ru/Graph/me/chats"), "/graph/me/chats"},
		"redirected":             {group(), redirected, "evil.example"},
		"Hosts":                  {transport.Group{Token: groupToken, Hosts: []string{"https://x"}}, newGet(t, t.Context(), "https://x.example/"), "is not a host"},
	} {
		var base recorder
		_, err := test.group.Wrap(&base).RoundTrip(test.r)
		var final interface{ Terminal() bool }
		if err == nil || base.got != nil || !errors.As(err, &final) || !final.Terminal() || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q; sent %v", name, err, test.want, base.got)
		}
		canary.Check(t, err, groupToken)
	}
}

func TestGroupHosts(t *testing.T) {
	g := transport.Group{Token: groupToken, Hosts: []string{"gateway.example", "127.0.0.1:8080"}}
	for address, want := range map[string]bool{
		"https://gateway.example/graph/me/info": true,
		"http://127.0.0.1:8080/graph/me/info":   true,
		"http://127.0.0.1:8081/graph/me/info":   false,
		"https://api.ok.ru/graph/me/info":       false,
	} {
		var base recorder
		if _, err := g.Wrap(&base).RoundTrip(newGet(t, t.Context(), address)); err != nil || base.got.URL.Query().Has("access_token") != want {
			t.Errorf("%s: sent %v, error %v", address, base.got, err)
		}
	}
}

func TestGroupContract(t *testing.T) {
	requests := []func(context.Context) *http.Request{
		func(ctx context.Context) *http.Request {
			r, _ := http.NewRequestWithContext(ctx, "GET", chatsURL+"?count=1", nil)
			return r
		},
		func(ctx context.Context) *http.Request {
			r, _ := http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/graph/me/messages", strings.NewReader(`{"a":1}`))
			r.Header.Set("Content-Type", "application/json;charset=utf-8")
			return r
		},
		func(ctx context.Context) *http.Request {
			r, _ := http.NewRequestWithContext(ctx, "DELETE", "https://api.ok.ru/graph/me/messages/chat:C1", nil)
			return r
		},
	}
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{
		"alone": group().Wrap,
		"stack": func(next http.RoundTripper) http.RoundTripper {
			return transport.Chain(next, okerrors.Decode, transport.Retry{}.Wrap, withSource(oauth.Static("token-1", "")), group().Wrap)
		},
	} {
		t.Run(name, func(t *testing.T) {
			rttest.Run(t, rttest.Kit{Wrap: wrap, Requests: requests, Responses: contractResponses, Reject: transport.Group{}.Wrap})
		})
	}
	t.Run("others", func(t *testing.T) {
		rttest.Run(t, rttest.Kit{Wrap: group().Wrap, Requests: contractRequests, Responses: contractResponses, Verbatim: true})
	})
}

func TestGroupPrintsNoToken(t *testing.T) {
	g := group()
	rt := g.Wrap(transport.Func(func(*http.Request) (*http.Response, error) { return nil, errors.New("down") }))
	ctx := transport.WithGroupToken(t.Context(), groupToken)
	for _, v := range []any{g, &g, rt, transport.Chain(rt, transport.Retry{}.Wrap), &http.Client{Transport: rt}, ctx} {
		canary.Check(t, v, groupToken)
	}
}

// What a caller can print of a Graph call: its error, its response and the
// request.
func TestGraphCallsPrintNoToken(t *testing.T) {
	respond := func(status int, body string, header ...string) transport.Func {
		return func(r *http.Request) (*http.Response, error) {
			return respondWith(status, strings.ReplaceAll(body, "QUERY", r.URL.RawQuery), header...).response(r), nil
		}
	}
	quoting := `{"error_code":103,"error_msg":"PARAM_SESSION_KEY : Invalid session key: ` + groupToken + `","error_data":"QUERY"}`
	for name, base := range map[string]transport.Func{
		"transport error": func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("Get %q: connection reset", r.URL)
		},
		"API error that quotes":     respond(200, quoting),
		"API error, late":           respond(200, `{"error_code":103,"error_msg":"`+strings.Repeat("x", 9000)+`","error_data":"QUERY"}`),
		"redirect to another host":  respond(302, "", "Location", "https://elsewhere.example/?"+groupToken),
		"redirect that is no URL":   respond(302, "", "Location", "https://[broken/?access_token="+groupToken),
		"success":                   respond(200, `{}`),
		"header of the API's error": respond(200, groupToken, "Invocation-Error", "103", "X-Request", "/graph?access_token="+groupToken),
	} {
		for _, pass := range []bool{false, true} {
			rt := transport.Retry{MinDelay: -1}.Wrap(group().Wrap(base))
			if !pass {
				rt = okerrors.Decode(rt)
			}
			resp, err := (&http.Client{Transport: rt, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
				canary.Check(t, r.URL.String(), groupToken, "CQABPOJKAKEKEKEKE")
				canary.Check(t, r.Header, groupToken)
				return http.ErrUseLastResponse
			}}).Get(chatsURL)
			t.Run(fmt.Sprintf("%s, pass %t", name, pass), func(t *testing.T) {
				canary.Check(t, err, groupToken)
				if resp == nil {
					return
				}
				text, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				for _, v := range []any{string(text), resp.Header, resp.Request.URL, resp.Request} {
					canary.Check(t, v, groupToken)
				}
			})
		}
	}
}

// A redirect of a Graph call to another host goes there without the token.
func TestGroupTokenStaysAtItsHost(t *testing.T) {
	var elsewhere *http.Request
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "api.ok.ru" {
			elsewhere = r
			return respondWith(200, "{}").response(r), nil
		}
		return respondWith(307, "", "Location", "https://elsewhere.example/graph/me/chats?"+r.URL.RawQuery).response(r), nil
	})
	resp, err := (&http.Client{Transport: group().Wrap(base)}).Get(chatsURL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if elsewhere == nil {
		t.Fatal("the redirect was not followed")
	}
	canary.Check(t, elsewhere.URL.String(), groupToken)
	canary.Check(t, elsewhere.Header, groupToken)
}

// Retry leaves the AttemptTimeout of a Graph call to the Group below, and a long
// poll has none.
func TestGraphAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		slow := transport.Func(func(r *http.Request) (*http.Response, error) {
			attempts++
			select {
			case <-time.After(25 * time.Second):
				return respondWith(200, `{}`).response(r), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		for url, want := range map[string]int{
			chatsURL: 2,
			"https://api.ok.ru/graph/me/updates?timeout=20":     1,
			"https://api.ok.ru/graph/me/updates/":               1,
			"https://api.ok.ru/graph/me/messages/chat:C1?to=12": 2,
		} {
			for _, layers := range [][]transport.Middleware{{group().Wrap}, {signer().Wrap, group().Wrap}, {signer().Wrap}} {
				attempts = 0
				retry := transport.Retry{Max: 1, MinDelay: -1, AttemptTimeout: 10 * time.Second}
				resp, err := transport.Chain(slow, slices.Concat([]transport.Middleware{retry.Wrap}, layers)...).RoundTrip(newGet(t, t.Context(), url))
				if attempts != want || (err == nil) != (want == 1) {
					t.Errorf("%s: %d attempts, error %v", url, attempts, err)
				}
				if resp != nil {
					resp.Body.Close()
				}
			}
		}
	})
}

func TestGraphIsTraced(t *testing.T) {
	s := &script{outcomes: []outcome{codeResponse(200, 2), respondWith(200, "{}")}}
	var lines []string
	ctx := transport.WithTrace(t.Context(), &transport.Trace{
		Attempt: func(i transport.AttemptInfo) {
			lines = append(lines, fmt.Sprintf("%d %s %s %s", i.N, i.Verb, i.Method, i.URL))
		},
		Done: func(i transport.DoneInfo) {
			lines = append(lines, fmt.Sprintf("%d %s %d %d", i.N, i.Method, i.Status, i.Code))
		},
	})
	for name, layers := range map[string][]transport.Middleware{
		"stack":         {transport.Retry{MinDelay: -1}.Wrap, signer().Wrap, group().Wrap},
		"no Signer":     {transport.Retry{MinDelay: -1}.Wrap, group().Wrap},
		"only a Signer": {transport.Retry{MinDelay: -1}.Wrap, signer().Wrap},
	} {
		lines, s.forms = nil, nil
		resp, err := transport.Chain(s, layers...).RoundTrip(newGet(t, ctx, "https://api.ok.ru/graph/me/messages/chat:C1?count=5&from=12"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		const attempt = " GET graph/me/messages/{id} https://api.ok.ru/graph/me/messages/%7Bid%7D?count=5&from=REDACTED"
		want := []string{"1" + attempt, "1 graph/me/messages/{id} 200 2", "2" + attempt, "2 graph/me/messages/{id} 200 0"}
		if !slices.Equal(lines, want) {
			t.Errorf("%s: traced %q, want %q", name, lines, want)
		}
	}
}

func TestGraphMethod(t *testing.T) {
	for path, want := range map[string]string{
		"me/chats":                  "graph/me/chats",
		"me/info/":                  "graph/me/info",
		"me/messages/chat:C3ecb9d0": "graph/me/messages/{id}",
		"me/messages/chat%3AC3":     "graph/me/messages/{id}",
		"chat:C3ecb9d0/messages":    "graph/{id}/messages",
		"me/fileUploadUrl?type=x":   "graph/me/fileUploadUrl",
		"me/../12":                  "graph/me/{id}/{id}",
	} {
		r := httptest.NewRequest("GET", "https://any.example/graph/"+path, nil)
		if got := transport.Method(r); got != want {
			t.Errorf("Method of %s is %q, want %q", path, got, want)
		}
	}
}

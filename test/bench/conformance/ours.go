package main

import (
	"context"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/rttest"
	"github.com/go-okru/okru/transport"
)

func ours() []subject {
	return []subject{
		{name: "okerrors.Decode", kit: okKit(okerrors.Decode, func(k *rttest.Kit) { k.Verbatim = true })},
		{name: "transport.Retry", setup: "zero value", kit: okKit(transport.Retry{}.Wrap, func(k *rttest.Kit) { k.Verbatim = true })},
		{name: "ratelimit.Limit", setup: "a Bucket", once: true, kit: okKit(limit(1000, false), func(k *rttest.Kit) {
			k.Verbatim = true
			k.Reject, k.Stall = limit(0.0001, true), limit(0.0001, false)
		})},
		{name: "transport.Signer", setup: "a static session", kit: okKit(signer(oauth.Static("token", "session secret")), func(k *rttest.Kit) {
			k.Reject, k.Stall = signer(noSession{}), signer(lateSession{})
		})},
		{name: "transport.Group", setup: "a token", kit: okKit(transport.Group{Token: "tkn:1"}.Wrap, func(k *rttest.Kit) {
			k.Requests = graphRequests
			k.Reject = transport.Group{}.Wrap
		})},
		{name: "okru.NewTransport", setup: "the whole stack, limited by an Adaptive", kit: okKit(stack, nil)},
	}
}

// okKit returns a Kit with calls of the API and its errors.
func okKit(wrap func(http.RoundTripper) http.RoundTripper, edit func(*rttest.Kit)) rttest.Kit {
	k := rttest.Kit{
		Wrap: wrap,
		Requests: []func(context.Context) *http.Request{
			func(ctx context.Context) *http.Request {
				return request(ctx, "GET", "https://api.ok.ru/fb.do?method=users.getInfo&uids=1", "")
			},
			func(ctx context.Context) *http.Request {
				return request(ctx, "POST", "https://api.ok.ru/fb.do", "method=users.getInfo&uids=1")
			},
			func(ctx context.Context) *http.Request {
				return request(ctx, "POST", "https://api.ok.ru/api/users/setStatus", "status=x")
			},
		},
		Responses: []rttest.Response{
			{Body: `{"error_code":102,"error_msg":"PARAM_SESSION_EXPIRED : Session expired"}`},
			{Body: `{"error_code":2,"error_msg":"SERVICE : x"}`},
			{Body: `{"error_code":8,"error_msg":"FLOOD_BLOCKED : x"}`},
		},
	}
	if edit != nil {
		edit(&k)
	}
	return k
}

// graphRequests are calls of the Graph API.
var graphRequests = []func(context.Context) *http.Request{
	func(ctx context.Context) *http.Request {
		return request(ctx, "GET", "https://api.ok.ru/graph/me/chats?count=10", "")
	},
	func(ctx context.Context) *http.Request {
		r := request(ctx, "POST", "https://api.ok.ru/graph/me/messages", `{"message":{"text":"x"}}`)
		r.Header.Set("Content-Type", "application/json;charset=utf-8")
		return r
	},
}

func request(ctx context.Context, method, url, form string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if form != "" {
		r, err = http.NewRequestWithContext(ctx, method, url, strings.NewReader(form))
	}
	if err != nil {
		panic(err)
	}
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// limit returns a layer with a limit that is spent if it is low.
func limit(perSecond float64, reject bool) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		b := ratelimit.NewBucket(rate.Limit(perSecond), 1)
		if perSecond < 1 {
			if err := b.Wait(context.Background()); err != nil {
				panic(err)
			}
		}
		if reject {
			b.MaxWait = 1
		}
		return ratelimit.Limit{Limiter: b}.Wrap(next)
	}
}

func signer(ts oauth2.TokenSource) func(http.RoundTripper) http.RoundTripper {
	return transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "application secret", TokenSource: ts}.Wrap
}

// noSession is a source that fails.
type noSession struct{}

func (noSession) Token() (*oauth2.Token, error) { return nil, oauth.ErrSignIn }

// lateSession is a source that never returns.
type lateSession struct{ noSession }

func (lateSession) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func stack(next http.RoundTripper) http.RoundTripper {
	rt, err := okru.NewTransport(okru.Config{
		ApplicationKey:    "KEY",
		ApplicationSecret: "application secret",
		TokenSource:       oauth.Static("token", "session secret"),
		Limiter:           ratelimit.NewAdaptive(1, 1000),
		Base:              next,
	})
	if err != nil {
		panic(err)
	}
	return rt
}

package okru_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/rttest"
	"github.com/go-okru/okru/transport"
)

func stack(cfg okru.Config) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		cfg.ApplicationKey, cfg.ApplicationSecret, cfg.Base = "KEY", "application secret", next
		cfg.TokenSource, cfg.GroupToken = oauth.Static("access token", "session secret"), "tkn:1"
		rt, err := okru.NewTransport(cfg)
		if err != nil {
			panic(err)
		}
		return rt
	}
}

func limited(perSecond rate.Limit, edit func(*ratelimit.Bucket)) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		b := ratelimit.NewBucket(perSecond, 1)
		if err := b.Wait(context.Background()); err != nil { // the one token it begins with
			panic(err)
		}
		edit(b)
		return stack(okru.Config{Limiter: b})(next)
	}
}

// The whole stack keeps the contract of http.RoundTripper, whatever is asked
// of it and whatever comes back.
func TestContract(t *testing.T) {
	requests := []func(context.Context) *http.Request{
		func(ctx context.Context) *http.Request {
			r, _ := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/fb.do?method=users.getInfo&uids=1", nil)
			return r
		},
		func(ctx context.Context) *http.Request {
			r, _ := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/api/users/setStatus?status=x", nil)
			return r
		},
		func(ctx context.Context) *http.Request {
			r, _ := http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/fb.do", strings.NewReader("method=users.getInfo&uids=1"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return r
		},
		func(ctx context.Context) *http.Request {
			r, _ := http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/graph/me/messages", strings.NewReader(`{"message":{}}`))
			r.Header.Set("Content-Type", "application/json;charset=utf-8")
			return r
		},
		func(ctx context.Context) *http.Request {
			r, _ := http.NewRequestWithContext(ctx, "PUT", "https://elsewhere.example/upload", strings.NewReader("photo"))
			return r
		},
	}
	responses := []rttest.Response{
		{Body: `{"error_code":102,"error_msg":"PARAM_SESSION_EXPIRED : Session expired"}`},
		{Body: `{"error_code":8,"error_msg":"FLOOD_BLOCKED : x"}`},
		{Body: `{"error_code":2,"error_msg":"SERVICE : x"}`},
		{Status: 503, Header: http.Header{"Retry-After": {"2"}}, Body: "later"},
	}
	for name, cfg := range map[string]func() okru.Config{
		"defaults":    func() okru.Config { return okru.Config{} },
		"pass errors": func() okru.Config { return okru.Config{PassErrors: true} },
		"layers": func() okru.Config {
			return okru.Config{Layers: []transport.Middleware{transport.Retry{Max: -1}.Wrap, okerrors.Decode}}
		},
		"bucket":   func() okru.Config { return okru.Config{Limiter: ratelimit.NewBucket(1000, 1)} },
		"adaptive": func() okru.Config { return okru.Config{Limiter: ratelimit.NewAdaptive(1, 1000)} },
		"keyed": func() okru.Config {
			return okru.Config{Limiter: ratelimit.NewKeyed(10, func(string) ratelimit.Limiter { return rate.NewLimiter(1000, 1) })}
		},
	} {
		t.Run(name, func(t *testing.T) {
			rttest.Run(t, rttest.Kit{
				Wrap:      func(next http.RoundTripper) http.RoundTripper { return stack(cfg())(next) },
				Requests:  requests,
				Responses: responses,
				Reject:    limited(0.001, func(b *ratelimit.Bucket) { b.MaxWait = 1 }),
				Stall:     limited(0.0001, func(*ratelimit.Bucket) {}),
			})
		})
	}
}

package okru_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// layer is a Middleware that calls see with each attempt, its body included,
// and wraps the body of the response, as loggers and counters do.
func layer(see func(r *http.Request, form string)) transport.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return transport.Func(func(r *http.Request) (*http.Response, error) {
			form := ""
			if r.GetBody != nil {
				body, _ := r.GetBody()
				text, _ := io.ReadAll(body)
				form = string(text)
			}
			see(r, form)
			resp, err := next.RoundTrip(r)
			if resp != nil {
				resp.Body = struct{ io.ReadCloser }{resp.Body}
			}
			return resp, err
		})
	}
}

func TestLayersSeeEachAttempt(t *testing.T) {
	fake, cfg := newFake(t)
	fake.Inject(oktest.Fault{Code: okerrors.CodeService, Times: 2})
	var seen []string
	waits := 0
	cfg.Limiter = waiter(func(context.Context) error { waits++; return nil })
	name := func(name string) transport.Middleware {
		return layer(func(r *http.Request, form string) {
			seen = append(seen, fmt.Sprintf("%s: %s %d", name, transport.Method(r), waits))
			for _, param := range []string{"sig=", "access_token=", "application_key="} {
				if strings.Contains(r.URL.RawQuery+form, param) {
					t.Errorf("%s sees %s: %s", name, param, r.URL.RawQuery+form)
				}
			}
		})
	}
	cfg.Layers = []transport.Middleware{name("first"), name("second")}
	cfg.Retry.MinDelay = -1
	client := newClient(t, cfg)
	cfg.Layers[0] = nil // the client does not notice
	if _, err := okru.Call[any](t.Context(), client, "users.getCurrentUser", nil); err != nil {
		t.Fatal(err)
	}
	const m = "users.getCurrentUser"
	want := []string{"first: " + m + " 1", "second: " + m + " 1", "first: " + m + " 2", "second: " + m + " 2", "first: " + m + " 3", "second: " + m + " 3"}
	if !slices.Equal(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
}

type waiter func(context.Context) error

func (w waiter) Wait(ctx context.Context) error { return w(ctx) }

// What the Signer masks stays masked above a layer that wraps the body, and in
// that layer.
func TestLayersSeeNoSecret(t *testing.T) {
	const token, session, secret = "canary-token-1a2b3c", "canary-session-secret-4d5e", "canary-application-secret-6f"
	quoting := fmt.Sprintf(`{"error_code":103,"error_msg":"PARAM_SESSION_KEY : Invalid session key: %s %s %s","error_data":%q}`, token, session, secret, token)
	for _, pass := range []bool{false, true} {
		for _, verb := range []string{"GET", "POST"} {
			var read []any
			reader := func(next http.RoundTripper) http.RoundTripper {
				return transport.Func(func(r *http.Request) (*http.Response, error) {
					resp, err := next.RoundTrip(r)
					if err != nil {
						return nil, err
					}
					text, err := io.ReadAll(resp.Body)
					resp.Body = io.NopCloser(strings.NewReader(string(text)))
					e, _ := okerrors.FromResponse(resp)
					read = append(read, r, string(text), resp.Header, e)
					return resp, err
				})
			}
			client := newClient(t, okru.Config{
				ApplicationKey: "KEY", ApplicationSecret: secret, TokenSource: oauth.Static(token, session), PassErrors: pass,
				Base: respond(http.StatusOK, "application/json", quoting), Layers: []transport.Middleware{reader, layer(func(*http.Request, string) {})},
			})
			var err error
			if verb == "POST" {
				_, err = okru.Call[any](t.Context(), client, "users.getInfo", nil)
			} else if resp, failed := client.Get("https://api.ok.ru/fb.do?method=users.getInfo"); failed != nil {
				err = failed
			} else {
				text, _ := io.ReadAll(resp.Body)
				read = append(read, string(text))
				err = okerrors.CodeParamSessionKey
			}
			if !errors.Is(err, okerrors.CodeParamSessionKey) || len(read) < 4 {
				t.Errorf("%s: %v, after %d values", verb, err, len(read))
			}
			for _, v := range append(read, err) {
				canary.Check(t, v, token, session, secret, transport.DeriveSecret(token, secret))
			}
		}
	}
}

func TestLimitKey(t *testing.T) {
	_, cfg := newFake(t)
	cfg.Limiter = ratelimit.NewKeyed(10, func(string) ratelimit.Limiter {
		b := ratelimit.NewBucket(0.001, 1)
		b.MaxWait = 1
		return b
	})
	cfg.LimitKey = ratelimit.ByMethod
	client := newClient(t, cfg)
	for i, want := range []error{nil, ratelimit.ErrLimited} {
		for _, method := range []string{"users.getCurrentUser", "friends.get"} {
			if _, err := okru.Call[any](t.Context(), client, method, nil); !errors.Is(err, want) {
				t.Errorf("call %d of %s: %v, want %v", i, method, err, want)
			}
		}
	}
}

// outsider is a RoundTripper that leads to another one than it was given.
type outsider struct{ http.RoundTripper }

func (outsider) Unwrap() http.RoundTripper { return memory{} }

func TestConfigRejectsNil(t *testing.T) {
	pass := func(next http.RoundTripper) http.RoundTripper { return next }
	for _, test := range []struct {
		want string
		edit func(*okru.Config)
	}{
		{"Layers[1] is nil", func(c *okru.Config) { c.Layers = []transport.Middleware{pass, nil} }},
		{"Layers[0] returned a nil RoundTripper", func(c *okru.Config) {
			c.Layers = []transport.Middleware{func(http.RoundTripper) http.RoundTripper { return nil }, pass}
		}},
		{"Layers[1] returned a nil RoundTripper", func(c *okru.Config) {
			c.Layers = []transport.Middleware{pass, func(http.RoundTripper) http.RoundTripper { return (*http.Transport)(nil) }}
		}},
		{"Layers[0] leads past", func(c *okru.Config) {
			c.Layers = []transport.Middleware{transport.Signer{ApplicationKey: "OTHER"}.Wrap, pass}
		}},
		{"Layers[0] leads past", func(c *okru.Config) {
			c.Layers = []transport.Middleware{func(next http.RoundTripper) http.RoundTripper { return outsider{next} }}
		}},
		{"TokenSource is a nil *oauth.Source", func(c *okru.Config) { c.TokenSource = (*oauth.Source)(nil) }},
		{"Base is a nil *http.Transport", func(c *okru.Config) { c.Base = (*http.Transport)(nil) }},
		{"Limiter is a nil *rate.Limiter", func(c *okru.Config) { c.Limiter = (*rate.Limiter)(nil) }},
		{"LimitKey is set, but the Limiter, *rate.Limiter, has no keys", func(c *okru.Config) {
			c.Limiter, c.LimitKey = rate.NewLimiter(1, 1), ratelimit.ByMethod
		}},
		{"LimitKey is set", func(c *okru.Config) { c.LimitKey = ratelimit.ByMethod }},
	} {
		cfg := okru.Config{ApplicationKey: "KEY"}
		test.edit(&cfg)
		if _, err := okru.NewTransport(cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error is %v, want %s", err, test.want)
		}
	}
}

// A layer that counts attempts, in the place that Config.Layers gives it.
func ExampleConfig_layers() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	fake.Inject(oktest.Fault{Code: okerrors.CodeService, Times: 1})

	app := fake.App()
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: app.Key, ApplicationSecret: app.Secret,
		Base:  fake.Transport(),
		Retry: transport.Retry{MinDelay: time.Millisecond},
		Layers: []transport.Middleware{func(next http.RoundTripper) http.RoundTripper {
			return transport.Func(func(r *http.Request) (*http.Response, error) {
				fmt.Println("attempt of", transport.Method(r), "signed:", r.URL.Query().Has("sig"))
				return next.RoundTrip(r)
			})
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = okru.Call[any](context.Background(), client, "group.getInfo", url.Values{"uids": {"1"}, "fields": {"name"}})
	fmt.Println(err)

	// Output:
	// attempt of group.getInfo signed: false
	// attempt of group.getInfo signed: false
	// <nil>
}

package okru_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// textLogger returns a logger from a level on that leaves the time out and rounds
// durations.
func textLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case a.Key == slog.TimeKey && len(groups) == 0:
			return slog.Attr{}
		case a.Value.Kind() == slog.KindDuration:
			return slog.Duration(a.Key, a.Value.Duration().Round(time.Millisecond))
		}
		return a
	}}))
}

// playback sends the outcomes in turn, a second after each request, and the
// last one again and again.
type playback struct {
	outcomes []any // an error, or the text of a response
	status   int
}

func (p *playback) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Second)
	outcome := p.outcomes[0]
	p.outcomes = p.outcomes[min(1, len(p.outcomes)-1):]
	if err, failed := outcome.(error); failed {
		return nil, err
	}
	status := p.status
	if status == 0 {
		status = 200
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(outcome.(string)))}, nil
}

func apiError(code int, text string) string {
	return fmt.Sprintf(`{"error_code":%d,"error_msg":%q}`, code, text)
}

// numbered is a source whose token differs each time.
type numbered struct {
	n   int
	err error // of the second token and later
}

func (s *numbered) Token() (*oauth2.Token, error) {
	if s.n++; s.n > 1 && s.err != nil {
		return nil, s.err
	}
	return oauth.Static(fmt.Sprint("token", s.n), "").Token()
}

func TestLoggerLevelsAndFields(t *testing.T) {
	const call = "method=users.setStatus circuit=ServerServer attempts=1 waited=0s duration=1s status=200"
	denied := waiter(func(context.Context) error { return errors.New("denied") })
	expired := apiError(102, "PARAM_SESSION_EXPIRED : Session expired")
	for _, test := range []struct {
		name string
		base *playback
		edit func(*okru.Config)
		want string
	}{
		{"success", &playback{outcomes: []any{`true`}}, nil,
			`level=DEBUG msg="okru: call succeeded" ` + call},
		{"repeat", &playback{outcomes: []any{apiError(8, "FLOOD_BLOCKED : x"), `true`}}, nil,
			`level=WARN msg="okru: call succeeded after a repeat" method=users.setStatus circuit=ServerServer attempts=2 waited=0s duration=2s status=200`},
		{"renewal", &playback{outcomes: []any{expired, `true`}}, func(c *okru.Config) { c.TokenSource = new(numbered) },
			`level=WARN msg="okru: call succeeded with a renewed session" method=users.setStatus circuit=ServerServer attempts=1 waited=0s duration=2s status=200`},
		{"session", &playback{outcomes: []any{expired}}, nil,
			`level=WARN msg="okru: call failed" ` + call + ` code=102 error="okru: users.setStatus: PARAM_SESSION_EXPIRED (102): Session expired"`},
		{"sign in", &playback{outcomes: []any{expired}}, func(c *okru.Config) { c.TokenSource = &numbered{err: oauth.ErrSignIn} },
			`level=WARN msg="okru: call failed" method=users.setStatus circuit=ServerServer attempts=1 waited=0s duration=1s status=200 code=102 error="okru: the user must sign in (okru: users.setStatus: PARAM_SESSION_EXPIRED (102): `},
		{"permission", &playback{outcomes: []any{apiError(10, "PERMISSION_DENIED : x")}}, nil,
			`level=WARN msg="okru: call failed" ` + call + ` code=10 error="okru: users.setStatus: PERMISSION_DENIED (10): x"`},
		{"throttled", &playback{outcomes: []any{apiError(11, "LIMIT_REACHED : x")}}, nil,
			`level=WARN msg="okru: call failed" ` + call + ` code=11 error="okru: users.setStatus: LIMIT_REACHED (11): x"`},
		{"throttled by status", &playback{outcomes: []any{`page`}, status: 429}, func(c *okru.Config) { c.Retry.Max = -1 },
			`level=WARN msg="okru: call failed" method=users.setStatus circuit=ServerServer attempts=1 waited=0s duration=1s status=429`},
		{"status", &playback{outcomes: []any{`page`}, status: 500}, nil,
			`level=ERROR msg="okru: call failed" method=users.setStatus circuit=ServerServer attempts=1 waited=0s duration=1s status=500`},
		{"bad input", &playback{outcomes: []any{apiError(110, "PARAM_USER_ID : Invalid user id")}}, nil,
			`level=ERROR msg="okru: call failed" ` + call + ` code=110 error="okru: users.setStatus: PARAM_USER_ID (110): Invalid user id"`},
		{"left in the response", &playback{outcomes: []any{apiError(110, "PARAM_USER_ID : Invalid user id")}}, func(c *okru.Config) { c.PassErrors = true },
			`level=ERROR msg="okru: call failed" ` + call + ` code=110 error="okru: users.setStatus: PARAM_USER_ID (110): Invalid user id"`},
		{"transport", &playback{outcomes: []any{errors.New("broken")}}, nil,
			`level=ERROR msg="okru: call failed" method=users.setStatus circuit=ServerServer attempts=1 waited=0s duration=1s error=broken`},
		{"limiter", &playback{outcomes: []any{`true`}}, func(c *okru.Config) { c.Limiter = denied },
			`level=WARN msg="okru: call failed" method=users.setStatus attempts=0 waited=0s duration=0s error="okru: not sent, because of the local rate limit: denied"`},
		{"wait", &playback{outcomes: []any{`true`}}, func(c *okru.Config) {
			c.Limiter = waiter(func(context.Context) error { time.Sleep(time.Minute); return nil })
		}, `level=DEBUG msg="okru: call succeeded" method=users.setStatus circuit=ServerServer attempts=1 waited=1m0s duration=1m1s status=200`},
		{"circuit", &playback{outcomes: []any{`true`}}, func(c *okru.Config) { c.Circuit = transport.Sessionless },
			`level=DEBUG msg="okru: call succeeded" method=users.setStatus circuit=Sessionless attempts=1 waited=0s duration=1s status=200`},
		{"bad call", &playback{outcomes: []any{`true`}}, func(c *okru.Config) { c.Circuit, c.ApplicationSecret = transport.Sessionless, "" },
			`level=ERROR msg="okru: call failed" method=users.setStatus attempts=0 waited=0s duration=0s error="okru: circuit Sessionless`},
	} {
		for _, verb := range []string{"GET", "POST"} {
			t.Run(test.name+"/"+verb, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var log bytes.Buffer
					base := *test.base
					cfg := okru.Config{
						ApplicationKey: "KEY", ApplicationSecret: "secret", TokenSource: oauth.Static("token", ""), Base: &base,
						Logger: textLogger(&log, slog.LevelDebug), Retry: transport.Retry{MinDelay: -1, MaxDelay: 1},
					}
					if test.edit != nil {
						test.edit(&cfg)
					}
					if s, ok := cfg.TokenSource.(*numbered); ok {
						cfg.TokenSource = &numbered{err: s.err}
					}
					send(t.Context(), newClient(t, cfg), verb)
					if got := log.String(); !strings.HasPrefix(got, test.want) || strings.Count(got, "\n") != 1 {
						t.Errorf("log is %s\nwant %s", got, test.want)
					}
				})
			})
		}
	}
}

// send sends a call with a parameter that must not appear in a log.
func send(ctx context.Context, c *http.Client, verb string) {
	const params = "method=users.setStatus&status=canary-parameter"
	r, _ := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/fb.do?"+params, nil)
	if verb == "POST" {
		r, _ = http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/fb.do", strings.NewReader(params))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if resp, err := c.Do(r); err == nil {
		resp.Body.Close()
	}
}

func TestLoggerLogsCallsOnly(t *testing.T) {
	var log bytes.Buffer
	client := newClient(t, okru.Config{ApplicationKey: "KEY", Base: memory{}, Logger: textLogger(&log, slog.LevelDebug)})
	for _, address := range []string{"https://up.example/photo?apiToken=secret", "https://api.ok.ru/dk?st.cmd=x"} {
		resp, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if log.Len() > 0 {
		t.Error(log.String())
	}
}

// The Trace of a program and the Logger see the same call.
func TestLoggerKeepsTraceOfCaller(t *testing.T) {
	var log bytes.Buffer
	client := newClient(t, okru.Config{ApplicationKey: "KEY", ApplicationSecret: "secret", Base: memory{}, Logger: textLogger(&log, slog.LevelDebug)})
	done := 0
	ctx := transport.WithTrace(t.Context(), &transport.Trace{Done: func(transport.DoneInfo) { done++ }})
	if _, err := okru.Call[any](ctx, client, "group.getInfo", nil); err != nil || done != 1 || log.Len() == 0 {
		t.Errorf("%d Done, log is %q: %v", done, log.String(), err)
	}
}

// hedge sends each attempt to two places at once, and returns one response while
// the other request may be under way.
func hedge(next http.RoundTripper) http.RoundTripper {
	return transport.Func(func(r *http.Request) (*http.Response, error) {
		type outcome struct {
			resp *http.Response
			err  error
		}
		outcomes := make(chan outcome, 2)
		for range 2 {
			go func() {
				resp, err := next.RoundTrip(r.Clone(r.Context()))
				outcomes <- outcome{resp, err}
			}()
		}
		first := <-outcomes
		go func() {
			if second := <-outcomes; second.err == nil {
				second.resp.Body.Close()
			}
		}()
		return first.resp, first.err
	})
}

// The Logger counts also if hooks are called by several goroutines at once, and
// after the end of the call.
func TestLoggerAboveHedgingLayer(t *testing.T) {
	var log bytes.Buffer
	client := newClient(t, okru.Config{
		ApplicationKey: "KEY", ApplicationSecret: "secret", TokenSource: oauth.Static("token", ""), Base: memory{},
		Layers: []transport.Middleware{hedge}, Logger: textLogger(&log, slog.LevelDebug),
	})
	for range 100 {
		send(t.Context(), client, "GET")
	}
	if n := strings.Count(log.String(), "level=DEBUG"); n != 100 {
		t.Errorf("%d records of 100", n)
	}
}

// A handler that panics leaves no body open.
func TestLoggerHandlerPanics(t *testing.T) {
	open := 0
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		open++
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &counted{strings.NewReader(`true`), &open}}, nil
	})
	client := newClient(t, okru.Config{ApplicationKey: "KEY", ApplicationSecret: "secret", Base: base, Logger: slog.New(panicking{slog.DiscardHandler})})
	func() {
		defer func() { _ = recover() }()
		send(t.Context(), client, "GET")
		t.Error("no panic")
	}()
	if open != 0 {
		t.Errorf("%d responses were left open", open)
	}
}

type counted struct {
	io.Reader
	open *int
}

func (c *counted) Close() error { *c.open--; return nil }

type panicking struct{ slog.Handler }

func (panicking) Enabled(context.Context, slog.Level) bool  { return true }
func (panicking) Handle(context.Context, slog.Record) error { panic("handler") }

// A log and a Trace have no secret and no parameter, over HTTP/1.1 and HTTP/2, by
// GET and POST, whatever happens.
func TestLoggerAndTraceShowNoSecret(t *testing.T) {
	const token, session, secret = "canary-token-1a2b3c", "canary-session-secret-4d5e", "canary-application-secret-6f"
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		for _, status := range []int{200, 500} {
			for _, quote := range []string{`true`, apiError(102, "PARAM_SESSION_EXPIRED : "+token+" "+secret), apiError(110, "PARAM_USER_ID : bad"), "page of " + token} {
				server := newProtocolServer(t, protocol, status, quote)
				var log bytes.Buffer
				client := newClient(t, okru.Config{
					ApplicationKey: "KEY", ApplicationSecret: secret, TokenSource: oauth.Static(token, session),
					Base: server, Logger: textLogger(&log, slog.LevelDebug), Retry: transport.Retry{MinDelay: -1, Max: 1},
					Limiter: rate.NewLimiter(rate.Inf, 1),
				})
				var seen []any
				ctx := transport.WithTrace(t.Context(), &transport.Trace{
					Limited: func(i transport.LimitedInfo) { seen = append(seen, i) },
					Attempt: func(i transport.AttemptInfo) { seen = append(seen, i) },
					Renewed: func(i transport.RenewedInfo) { seen = append(seen, i) },
					Done:    func(i transport.DoneInfo) { seen = append(seen, i) },
				})
				for _, verb := range []string{"GET", "POST"} {
					send(ctx, client, verb)
				}
				if strings.Count(log.String(), "\n") != 2 || !strings.Contains(log.String(), "method=users.setStatus") {
					t.Errorf("%s: log is %s", protocol, log.String())
				}
				if len(seen) < 4 {
					t.Errorf("%s: a Trace saw %v", protocol, seen)
				}
				for _, v := range append(seen, log.String()) {
					canary.Check(t, v, token, session, secret, transport.DeriveSecret(token, secret), "canary-parameter")
				}
			}
		}
	}
}

// A log at Info shows what needs attention: here, that a call was repeated.
func ExampleConfig_logger() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	fake.Inject(oktest.Fault{Code: okerrors.CodeFloodBlocked, Times: 1})

	app := fake.App()
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: app.Key, ApplicationSecret: app.Secret, Base: fake.Transport(),
		Retry: transport.Retry{MaxDelay: time.Millisecond},
		Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "duration" { // differ from run to run
				return slog.Attr{}
			}
			return a
		}})),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		_, err = okru.Call[any](context.Background(), client, "group.getInfo", url.Values{"uids": {"1"}, "fields": {"name"}})
		if err != nil {
			fmt.Println(err)
		}
	}

	// Output:
	// level=WARN msg="okru: call succeeded after a repeat" method=group.getInfo circuit=Sessionless attempts=2 waited=0s status=200
}

// What a Logger costs whose level is off: at most a microsecond.
func BenchmarkLoggerOff(b *testing.B) {
	newDo := func(l *slog.Logger) func() {
		client, err := okru.NewClient(okru.Config{
			ApplicationKey: "KEY", ApplicationSecret: benchSecret, TokenSource: oauth.Static(benchToken, ""), Base: memory{}, Logger: l,
			Limiter: ratelimit.NewBucket(1e9, 1e9),
		})
		if err != nil {
			b.Fatal(err)
		}
		r, err := http.NewRequest("GET", benchURL, nil)
		if err != nil {
			b.Fatal(err)
		}
		return func() {
			resp, err := client.Do(r)
			if err != nil {
				b.Fatal(err)
			}
			resp.Body.Close()
		}
	}
	for name, level := range map[string]slog.Level{"Info": slog.LevelInfo, "all": slog.LevelError + 1} {
		b.Run(name, func(b *testing.B) {
			paired(b, newDo(textLogger(io.Discard, level)), newDo(nil))
		})
	}
}

// newProtocolServer returns a RoundTripper that speaks a version of HTTP over
// TLS to a server in the place of every host, which sends status and text.
func newProtocolServer(t *testing.T, protocol string, status int, text string) http.RoundTripper {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != protocol {
			t.Errorf("protocol is %s, want %s", r.Proto, protocol)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	server.EnableHTTP2 = protocol == "HTTP/2.0"
	server.StartTLS()
	t.Cleanup(server.Close)
	base := server.Client().Transport.(*http.Transport).Clone()
	base.TLSClientConfig.ServerName = "example.com" // of the certificate
	base.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	t.Cleanup(base.CloseIdleConnections)
	return base
}

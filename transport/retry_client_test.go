package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-okru/okru/transport"
)

func TestCheckRetry(t *testing.T) {
	errVerdict := errors.New("verdict")
	certificate := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for _, test := range []struct {
		name     string
		check    retryablehttp.CheckRetry
		outcomes []outcome
		attempts int
		status   int   // of the response, or
		err      error // the error
	}{
		{"default policy repeats a 500", retryablehttp.DefaultRetryPolicy, []outcome{respondWith(500, ""), respondWith(200, "")}, 2, 200, nil},
		{"default policy repeats an error", retryablehttp.DefaultRetryPolicy, []outcome{failure(errBroken)}, 4, 0, errBroken},
		{"default policy knows certificates", retryablehttp.DefaultRetryPolicy, []outcome{failure(certificate)}, 1, 0, certificate},
		{"default policy, exhausted", retryablehttp.DefaultRetryPolicy, []outcome{respondWith(500, "")}, 4, 500, nil},
		{"propagated policy, success", retryablehttp.ErrorPropagatedRetryPolicy, []outcome{respondWith(200, "")}, 1, 200, nil},
		{"propagated policy, success after error", retryablehttp.ErrorPropagatedRetryPolicy, []outcome{respondWith(500, ""), respondWith(200, "")}, 2, 200, nil},
		{"propagated policy, certificate", retryablehttp.ErrorPropagatedRetryPolicy, []outcome{failure(certificate)}, 1, 0, certificate},
		{"an error replaces the response", func(context.Context, *http.Response, error) (bool, error) { return false, errVerdict },
			[]outcome{respondWith(200, "")}, 1, 0, errVerdict},
		{"an error replaces the error", func(context.Context, *http.Response, error) (bool, error) { return false, errVerdict },
			[]outcome{failure(errBroken)}, 1, 0, errVerdict},
		{"an error counts when repeats end", func(context.Context, *http.Response, error) (bool, error) { return true, errVerdict },
			[]outcome{respondWith(200, "")}, 4, 0, errVerdict},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &script{outcomes: test.outcomes}
				resp, err := transport.Retry{CheckRetry: test.check}.Wrap(base).RoundTrip(newGet(t, t.Context(), writeURL))
				status := 0
				if resp != nil {
					status = resp.StatusCode
					resp.Body.Close()
				}
				if status != test.status || !sameError(err, test.err) {
					t.Errorf("outcome %d, %v; want %d, %v", status, err, test.status, test.err)
				}
				if base.attempts() != test.attempts || base.open != 0 {
					t.Errorf("%d attempts, %d responses open; want %d, 0", base.attempts(), base.open, test.attempts)
				}
			})
		})
	}
}

// sameError compares the errors themselves, not what they wrap.
func sameError(a, b error) bool { return a == b || a != nil && b != nil && a.Error() == b.Error() }

// retryablehttp gives policies the error of an http.Client.
func TestCheckRetrySeesClientError(t *testing.T) {
	base := &script{outcomes: []outcome{failure(errBroken)}}
	check := func(_ context.Context, resp *http.Response, err error) (bool, error) {
		u, ok := err.(*url.Error)
		if !ok || u.Op != "Get" || !errors.Is(u.Err, errBroken) || u.Err.Error() != errBroken.Error() || u.URL != "https://user:xxxxx@api.ok.ru/fb.do" || resp != nil {
			t.Errorf("CheckRetry got %v, %v", resp, err)
		}
		return false, nil
	}
	r := newGet(t, t.Context(), "https://user:password@api.ok.ru/fb.do")
	if _, err := (transport.Retry{CheckRetry: check}).Wrap(base).RoundTrip(r); !errors.Is(err, errBroken) || err.Error() != errBroken.Error() {
		t.Errorf("error is %v, want the cause, not wrapped by a *url.Error", err)
	}
}

// One verdict per attempt, successes included, as from a retryablehttp.Client.
func TestCheckRetryIsAskedOncePerAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []int
		check := func(_ context.Context, resp *http.Response, _ error) (bool, error) {
			asked = append(asked, resp.StatusCode)
			return resp.StatusCode == 500, nil
		}
		base := &script{outcomes: []outcome{respondWith(500, ""), respondWith(500, ""), respondWith(200, "")}}
		resp, err := transport.Retry{CheckRetry: check}.Wrap(base).RoundTrip(newGet(t, t.Context(), writeURL))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if len(asked) != 3 || asked[2] != 200 {
			t.Errorf("asked about %v, want 500, 500, 200", asked)
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var numbers []int
		backoff := func(shortest, longest time.Duration, n int, resp *http.Response) time.Duration {
			if shortest != time.Second || longest != 10*time.Second {
				t.Errorf("Backoff got bounds %v and %v", shortest, longest)
			}
			if resp == nil || resp.StatusCode != 503 {
				t.Errorf("Backoff got response %v", resp)
			}
			numbers = append(numbers, n)
			return -time.Second + time.Duration(n)*4*time.Second
		}
		base := &script{outcomes: []outcome{respondWith(503, "", "Retry-After", "2"), respondWith(503, "", "Retry-After", "2"), respondWith(503, "")}}
		start := time.Now()
		resp, err := transport.Retry{MinDelay: time.Second, Backoff: backoff}.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if len(numbers) != 3 || numbers[0] != 0 || numbers[2] != 2 {
			t.Errorf("Backoff was asked about %v, want 0, 1, 2", numbers)
		}
		if took, want := time.Since(start), (2+3+7)*time.Second; took != want {
			t.Errorf("pauses of %v, want %v: Retry-After, then what Backoff returned", took, want)
		}
	})
}

// A printLog records what a client logs by Printf.
type printLog struct{ lines []string }

func (l *printLog) Printf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

// A leveledLog records what a client logs by level.
type leveledLog struct{ lines []string }

func (l *leveledLog) log(level, text string, args ...any) {
	l.lines = append(l.lines, level+" "+text+" "+strings.TrimSuffix(fmt.Sprintln(args...), "\n"))
}

func (l *leveledLog) Error(text string, args ...any) { l.log("ERROR", text, args...) }
func (l *leveledLog) Info(text string, args ...any)  { l.log("INFO", text, args...) }
func (l *leveledLog) Debug(text string, args ...any) { l.log("DEBUG", text, args...) }
func (l *leveledLog) Warn(text string, args ...any)  { l.log("WARN", text, args...) }

// configured returns the client of NewClient, without pauses and without a log.
func configured(edit func(*retryablehttp.Client)) *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.Logger, c.RetryWaitMin, c.RetryWaitMax = nil, 0, 0
	edit(c)
	return c
}

// What a configured client prints: every attempt, by the verb of the call and
// its URL without any parameter but the method.
func TestClientLog(t *testing.T) {
	secret := "https://user:password@api.ok.ru/fb.do?method=users.getInfo&access_token=secret&text=private"
	outcomes := []outcome{respondWith(500, ""), failure(errBroken), respondWith(200, "1")}
	print, leveled := new(printLog), new(leveledLog)
	for _, logger := range []any{print, leveled} {
		base := &script{outcomes: outcomes}
		c := configured(func(c *retryablehttp.Client) { c.Logger = logger })
		resp, err := transport.Retry{Client: c}.Wrap(base).RoundTrip(newGet(t, t.Context(), secret))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	const url = "https://api.ok.ru/fb.do?method=users.getInfo"
	for _, test := range []struct{ got, want []string }{
		{print.lines, []string{
			"[DEBUG] GET " + url,
			"[DEBUG] GET " + url + " (status: 500): retrying in 0s (4 left)",
			`[ERR] GET ` + url + ` request failed: Get "` + url + `": connection broken`,
			"[DEBUG] GET " + url + ": retrying in 0s (3 left)",
		}},
		{leveled.lines, []string{
			"DEBUG performing request method GET url " + url,
			"DEBUG retrying request request GET " + url + " (status: 500) timeout 0s remaining 4",
			`ERROR request failed error Get "` + url + `": connection broken method GET url ` + url,
			"DEBUG retrying request request GET " + url + " timeout 0s remaining 3",
		}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("logged\n%s\nwant\n%s", strings.Join(test.got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

// The URL in a log of every kind of request.
func TestClientLogURL(t *testing.T) {
	for _, test := range []struct {
		request *http.Request
		want    string
	}{
		{request(t.Context(), "GET", "https://api.ok.ru/api/users/getInfo?access_token=secret", ""), "GET https://api.ok.ru/api/users/getInfo"},
		{request(t.Context(), "", "https://api.ok.ru/fb.do", ""), "GET https://api.ok.ru/fb.do"},
		{request(t.Context(), "POST", "https://api.ok.ru/fb.do", "method=users.setStatus&status=private"), "POST https://api.ok.ru/fb.do?method=users.setStatus"},
		{request(t.Context(), "POST", "https://api.ok.ru/graph/me/messages/chat:C1?access_token=secret", "{}"), "POST https://api.ok.ru/graph/me/messages/%7Bid%7D"},
		{request(t.Context(), "GET", "https://api.ok.ru/graph/me/chats", ""), "GET https://api.ok.ru/graph/me/chats"},
		{request(t.Context(), "POST", "https://up.mycdn.me/secret/upload?token=secret", "photo"), "POST https://up.mycdn.me"},
	} {
		log := new(printLog)
		rt := transport.Retry{Client: configured(func(c *retryablehttp.Client) { c.Logger = log })}.Wrap(&script{outcomes: []outcome{respondWith(200, "1")}})
		resp, err := rt.RoundTrip(test.request)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if want := []string{"[DEBUG] " + test.want}; !slices.Equal(log.lines, want) {
			t.Errorf("logged %q, want %q", log.lines, want)
		}
	}
}

// Hooks see every attempt, and change none.
func TestClientHooks(t *testing.T) {
	type sight struct{ n, status int }
	var requests, responses []sight
	c := configured(func(c *retryablehttp.Client) {
		c.RequestLogHook = func(_ retryablehttp.Logger, r *http.Request, n int) {
			requests = append(requests, sight{n: n})
			r.URL, r.RequestURI, r.Method, r.Body = nil, "/", "DELETE", http.NoBody
			r.Header.Set("Authorization", "stolen")
		}
		c.ResponseLogHook = func(_ retryablehttp.Logger, resp *http.Response) {
			responses = append(responses, sight{status: resp.StatusCode})
			if resp.Header.Get("X-Served-By") != "node" {
				t.Errorf("the hook sees the header %v", resp.Header)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			resp.Header.Set("X-Served-By", "hook")
			resp.StatusCode = 418
		}
	})
	base := &script{outcomes: []outcome{respondWith(500, "", "X-Served-By", "node", "Location", "/elsewhere"), respondWith(302, "moved", "X-Served-By", "node", "Location", "https://elsewhere.example/")}}
	var bodies tracked
	r := bodies.post(t, transport.WithIdempotent(t.Context(), true), "https://api.ok.ru/fb.do", "method=users.getInfo")
	resp, err := transport.Retry{Client: c}.Wrap(base).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := finish(t, resp); got != "moved" || resp.StatusCode != 302 || resp.Header.Get("X-Served-By") != "node" || resp.Header.Get("Location") == "" {
		t.Errorf("the response is %d, %q, %v", resp.StatusCode, got, resp.Header)
	}
	if !slices.Equal(requests, []sight{{n: 0}, {n: 1}}) || !slices.Equal(responses, []sight{{status: 500}, {status: 302}}) {
		t.Errorf("the hooks saw %v and %v", requests, responses)
	}
	if !slices.Equal(base.forms, []string{"method=users.getInfo", "method=users.getInfo"}) || base.open != 0 {
		t.Errorf("sent %q, %d responses open", base.forms, base.open)
	}
	bodies.check(t)
}

// A Logger and each hook is called also where it is the only one.
func TestClientHooksAlone(t *testing.T) {
	for name, set := range map[string]func(c *retryablehttp.Client, called func()){
		"Logger": func(c *retryablehttp.Client, called func()) { c.Logger = printFunc(called) },
		"RequestLogHook": func(c *retryablehttp.Client, called func()) {
			c.RequestLogHook = func(retryablehttp.Logger, *http.Request, int) { called() }
		},
		"ResponseLogHook": func(c *retryablehttp.Client, called func()) {
			c.ResponseLogHook = func(retryablehttp.Logger, *http.Response) { called() }
		},
	} {
		calls := 0
		client := new(retryablehttp.Client)
		set(client, func() { calls++ })
		resp, err := transport.Retry{Client: client}.Wrap(&script{outcomes: []outcome{respondWith(200, "1")}}).RoundTrip(newGet(t, t.Context(), readURL))
		if err != nil {
			t.Fatal(err)
		}
		if finish(t, resp); calls != 1 {
			t.Errorf("%s: called %d times, want once", name, calls)
		}
	}
}

// A printFunc is a retryablehttp.Logger.
type printFunc func()

func (f printFunc) Printf(string, ...any) { f() }

// A logger that retryablehttp panics on is an error of every request.
func TestClientLoggerOfWrongType(t *testing.T) {
	for name, logger := range map[string]any{
		"a string": "stderr", "a *slog.Logger with another Printf": struct{ *strings.Builder }{}, "a nil *log.Logger": (*log.Logger)(nil),
	} {
		retry := transport.Retry{Client: configured(func(c *retryablehttp.Client) { c.Logger = logger })}
		base := &script{outcomes: []outcome{respondWith(200, "1")}}
		var bodies tracked
		_, err := retry.Wrap(base).RoundTrip(bodies.post(t, t.Context(), writeURL, "text=1"))
		if err == nil || !strings.Contains(err.Error(), "Retry.Client.Logger") || base.attempts() != 0 {
			t.Errorf("%s: %v after %d attempts", name, err, base.attempts())
		}
		if retry.Check() == nil {
			t.Errorf("%s: Check returns nil", name)
		}
		bodies.check(t)
	}
	if err := (transport.Retry{Client: retryablehttp.NewClient()}).Check(); err != nil {
		t.Errorf("the client of NewClient: %v", err)
	}
}

// RetryMax, the waits and Backoff mean what they mean in the library, unless
// the field of Retry is set.
func TestClientSettings(t *testing.T) {
	second := func(c *retryablehttp.Client) { c.RetryWaitMin, c.RetryWaitMax = time.Second, time.Second }
	for _, test := range []struct {
		name     string
		retry    transport.Retry
		edit     func(*retryablehttp.Client)
		attempts int
		took     time.Duration // by DefaultBackoff, which has no jitter
	}{
		{"default", transport.Retry{}, second, 5, 4 * time.Second},
		{"RetryMax 0", transport.Retry{}, func(c *retryablehttp.Client) { c.RetryMax = 0 }, 1, 0},
		{"RetryMax negative", transport.Retry{}, func(c *retryablehttp.Client) { c.RetryMax = -1 }, 1, 0},
		{"RetryMax 1", transport.Retry{}, func(c *retryablehttp.Client) { second(c); c.RetryMax = 1 }, 2, time.Second},
		{"Max overrides RetryMax", transport.Retry{Max: 2}, func(c *retryablehttp.Client) { second(c); c.RetryMax = 0 }, 3, 2 * time.Second},
		{"negative Max overrides RetryMax", transport.Retry{Max: -1}, second, 1, 0},
		{"waits 0", transport.Retry{}, func(*retryablehttp.Client) {}, 5, 0},
		{"exponential", transport.Retry{}, func(c *retryablehttp.Client) { c.RetryWaitMin, c.RetryWaitMax = time.Second, 5*time.Second }, 5, (1 + 2 + 4 + 5) * time.Second},
		{"MinDelay and MaxDelay override the waits", transport.Retry{MinDelay: 2 * time.Second, MaxDelay: 3 * time.Second}, second, 5, (2 + 3 + 3 + 3) * time.Second},
		{"Backoff overrides Backoff", transport.Retry{Backoff: fiveSeconds}, second, 5, 20 * time.Second},
		{"Backoff of the client", transport.Retry{}, func(c *retryablehttp.Client) { c.Backoff = fiveSeconds }, 5, 20 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			test.retry.Client = configured(test.edit)
			base := &script{outcomes: []outcome{respondWith(500, "")}}
			start := time.Now()
			resp, err := test.retry.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if took := time.Since(start); base.attempts() != test.attempts || took != test.took {
				t.Errorf("%s: %d attempts in %v, want %d in %v", test.name, base.attempts(), took, test.attempts, test.took)
			}
		})
	}
}

// The CheckRetry of a client, which knows neither codes nor methods, decides
// about errors and statuses of requests that may be repeated, and about
// nothing else. That of Retry, or If, decides about everything.
func TestClientCheckRetry(t *testing.T) {
	always := func(context.Context, *http.Response, error) (bool, error) { return true, nil }
	never := func(context.Context, *http.Response, error) (bool, error) { return false, nil }
	for _, test := range []struct {
		name        string
		client      retryablehttp.CheckRetry
		retry       transport.Retry
		outcome     outcome
		read, write int
	}{
		{"default, 500", retryablehttp.DefaultRetryPolicy, transport.Retry{}, respondWith(500, ""), 5, 1},
		{"default, broken", retryablehttp.DefaultRetryPolicy, transport.Retry{}, failure(errBroken), 5, 1},
		{"default, dial", retryablehttp.DefaultRetryPolicy, transport.Retry{}, failure(opError("dial", syscall.ECONNREFUSED)), 5, 5},
		{"default, 429", retryablehttp.DefaultRetryPolicy, transport.Retry{}, respondWith(429, ""), 5, 5},
		{"default, 505, which it repeats", retryablehttp.DefaultRetryPolicy, transport.Retry{}, respondWith(505, ""), 5, 1},
		{"default, 408, which it does not", retryablehttp.DefaultRetryPolicy, transport.Retry{}, respondWith(408, ""), 1, 1},
		{"default, code 2", retryablehttp.DefaultRetryPolicy, transport.Retry{}, codeResponse(200, 2), 5, 1},
		{"default, code 8", retryablehttp.DefaultRetryPolicy, transport.Retry{MaxDelay: time.Second}, codeResponse(200, 8), 5, 5},
		{"default, code 104", retryablehttp.DefaultRetryPolicy, transport.Retry{}, codeResponse(500, 104), 1, 1},
		{"always, 200", always, transport.Retry{}, respondWith(200, "1"), 5, 1},
		{"always, 500", always, transport.Retry{}, respondWith(500, ""), 5, 1},
		{"always, code 104", always, transport.Retry{}, codeResponse(200, 104), 1, 1},
		{"always, code 2", always, transport.Retry{}, codeResponse(200, 2), 5, 1},
		{"always, terminal", always, transport.Retry{}, failure(terminalError{}), 1, 1},
		{"never, 500", never, transport.Retry{}, respondWith(500, ""), 1, 1},
		{"never, 429", never, transport.Retry{}, respondWith(429, ""), 1, 1},
		{"never, code 2", never, transport.Retry{}, codeResponse(200, 2), 5, 1},
		{"CheckRetry overrides it", never, transport.Retry{CheckRetry: always}, respondWith(500, ""), 5, 5},
		{"If overrides it", never, transport.Retry{If: func(transport.Attempt) bool { return true }}, respondWith(500, ""), 5, 5},
		{"none", nil, transport.Retry{}, respondWith(500, ""), 5, 1},
	} {
		for url, want := range map[string]int{readURL: test.read, writeURL: test.write} {
			synctest.Test(t, func(t *testing.T) {
				base := &script{outcomes: []outcome{test.outcome}}
				test.retry.Client = configured(func(c *retryablehttp.Client) { c.CheckRetry = test.client })
				resp, _ := test.retry.Wrap(base).RoundTrip(newGet(t, t.Context(), url))
				if resp != nil {
					resp.Body.Close()
				}
				if base.attempts() != want || base.open != 0 {
					t.Errorf("%s, %s: %d attempts, want %d; %d open", test.name, url, base.attempts(), want, base.open)
				}
			})
		}
	}
}

// What would replace the transport or the outcome has no effect.
func TestClientFieldsWithoutEffect(t *testing.T) {
	forbidden := errors.New("called")
	c := configured(func(c *retryablehttp.Client) {
		c.HTTPClient = &http.Client{Transport: &script{outcomes: []outcome{failure(forbidden)}}}
		c.ErrorHandler = func(*http.Response, error, int) (*http.Response, error) { return nil, forbidden }
		c.PrepareRetry = func(*http.Request) error { return forbidden }
	})
	base := &script{outcomes: []outcome{respondWith(500, "page")}}
	resp, err := transport.Retry{Client: c}.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
	if err != nil || finish(t, resp) != "page" || base.attempts() != 5 {
		t.Errorf("after %d attempts: %v, %v", base.attempts(), resp, err)
	}
}

// The loop through the library, which a log hook asks for, ends as the one
// without: every row of the policy.
func TestPolicyThroughLibrary(t *testing.T) {
	for _, test := range policy {
		for url, want := range map[string]int{readURL: test.read, writeURL: test.write} {
			synctest.Test(t, func(t *testing.T) {
				base := &script{outcomes: []outcome{test.outcome}}
				c := &retryablehttp.Client{RetryMax: 3, RetryWaitMin: time.Second, RetryWaitMax: 10 * time.Second,
					ResponseLogHook: func(retryablehttp.Logger, *http.Response) {}}
				resp, err := transport.Retry{Client: c}.Wrap(base).RoundTrip(newGet(t, t.Context(), url))
				if resp != nil {
					resp.Body.Close()
				}
				if base.attempts() != want || base.open != 0 || !errors.Is(err, test.outcome.err) {
					t.Errorf("%s, %s: %d attempts, want %d; %d open; %v", test.name, url, base.attempts(), want, base.open, err)
				}
			})
		}
	}
}

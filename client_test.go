package okru_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

func TestConfigFaultsAreJoined(t *testing.T) {
	for _, test := range []struct {
		name  string
		cfg   okru.Config
		words []string
	}{
		{"empty", okru.Config{}, []string{"ApplicationKey is empty"}},
		{"everything", okru.Config{Circuit: 7, ApplicationSecret: "s\n", Hosts: []string{"https://api.ok.ru/", "api.ok.ru/fb.do", ""},
			Retry: transport.Retry{MinDelay: time.Minute, MaxDelay: time.Second}},
			[]string{"ApplicationKey is empty", "Circuit", "white space", `"https://api.ok.ru/"`, `"api.ok.ru/fb.do"`, `""`, "MinDelay"}},
		{"key with white space", okru.Config{ApplicationKey: " KEY"}, []string{"white space"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := okru.NewTransport(test.cfg)
			_, clientErr := okru.NewClient(test.cfg)
			_, wrapErr := okru.Wrap(new(http.Client), test.cfg)
			for _, err := range []error{err, clientErr, wrapErr} {
				if err == nil {
					t.Fatal("no error")
				}
				for _, word := range test.words {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("error %q does not mention %s", err, word)
					}
				}
			}
		})
	}
	if _, err := okru.NewClient(okru.Config{ApplicationKey: "KEY"}); err != nil {
		t.Errorf("a key alone: %v", err) // a call's context may bring the rest
	}
	if _, err := okru.Wrap(nil, okru.Config{}); err == nil || !strings.Contains(err.Error(), "nil") || !strings.Contains(err.Error(), "ApplicationKey") {
		t.Errorf("Wrap(nil): %v", err)
	}
	if _, err := okru.Wrap(&http.Client{Transport: memory{}}, okru.Config{ApplicationKey: "KEY", Base: memory{}}); err == nil {
		t.Error("Wrap with two bases: no error")
	}
}

func TestWrapKeepsClient(t *testing.T) {
	fake, cfg := newFake(t)
	cfg.Base = nil
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	through := 0
	base := fake.InProcess()
	old := transport.Func(func(r *http.Request) (*http.Response, error) {
		through++
		if r.URL.Path == "/redirect" {
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"/elsewhere"}, "Set-Cookie": {"a=b"}}, Body: http.NoBody, Request: r}, nil
		}
		return base.RoundTrip(r)
	})
	stop := errors.New("stop here")
	c := &http.Client{Transport: old, Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return stop }}
	wrapped, err := okru.Wrap(c, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrapped.Get("https://api.ok.ru/redirect"); !errors.Is(err, stop) {
		t.Errorf("the redirect policy was not asked: %v", err)
	}
	if u, _ := url.Parse("https://api.ok.ru/"); len(jar.Cookies(u)) != 1 {
		t.Error("the jar got no cookie")
	}
	if _, err := okru.Call[any](t.Context(), wrapped, "users.getCurrentUser", nil); err != nil || through != 2 {
		t.Errorf("%d requests through the old transport, %v", through, err)
	}
	if wrapped.Timeout != time.Minute || fmt.Sprintf("%p", c.Transport) != fmt.Sprintf("%p", old) {
		t.Error("the timeout is lost, or the given client was changed")
	}
}

func TestErrorsInsideURLError(t *testing.T) {
	fake, cfg := newFake(t)
	fake.Inject(oktest.Fault{Error: &okerrors.Error{Code: okerrors.CodeParamUserID, Message: "PARAM_USER_ID : Invalid user id", Field: "uid"}})
	_, err := newClient(t, cfg).Get("https://api.ok.ru/fb.do?method=users.getInfo&uids=x")
	e, ok := errors.AsType[*okerrors.Error](err)
	if _, wrapped := errors.AsType[*url.Error](err); !ok || !wrapped || !errors.Is(err, okerrors.CodeParamUserID) || !errors.Is(err, okerrors.ErrInvalid) {
		t.Fatalf("error is %T: %v", err, err)
	}
	if e.Method != "users.getInfo" || e.Field != "uid" || e.Status != 200 {
		t.Errorf("error is %+v", *e)
	}
}

func TestPassErrorsLeavesResponse(t *testing.T) {
	fake, cfg := newFake(t)
	cfg.PassErrors = true
	fake.Inject(oktest.Fault{Code: okerrors.CodePermissionDenied})
	resp, err := newClient(t, cfg).Get("https://api.ok.ru/fb.do?method=users.getCurrentUser")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(b), `"error_code":10`) {
		t.Errorf("body %q, %v", b, err)
	}
	if e, failed := okerrors.FromResponse(resp); !failed || e.Code != okerrors.CodePermissionDenied {
		t.Errorf("FromResponse: %v", e)
	}
}

// A redirect must not carry what only the API may see, even if the redirect
// policy of the client follows it.
func TestRedirectSeesNoSecret(t *testing.T) {
	_, cfg := newFake(t)
	var seen []string
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "api.ok.ru" { // quotes the signed query
			return redirect(r, "https://elsewhere.example/?"+r.URL.RawQuery), nil
		}
		seen = append(seen, r.URL.String(), fmt.Sprint(r.Header))
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})
	token, err := cfg.TokenSource.Token()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Base = nil
	c, err := okru.Wrap(&http.Client{Transport: base}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Get("https://api.ok.ru/fb.do?method=users.getCurrentUser")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(seen) == 0 || strings.Contains(strings.Join(seen, " "), token.AccessToken) {
		t.Errorf("elsewhere.example saw %q", seen)
	}
}

// redirect returns a response to r that sends the client to location, with the
// body of r.
func redirect(r *http.Request, location string) *http.Response {
	if r.Body != nil {
		r.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {location}}, Body: http.NoBody, Request: r}
}

// A client of NewClient keeps the form of a call, which may have a password, on
// the hosts of the API.
func TestRedirectOfACall(t *testing.T) {
	const (
		login = "method=auth.login&password=hidden"
		call  = "https://api.ok.ru/fb.do"
	)
	for _, test := range []struct {
		name    string
		path    string // of the call on the first host
		targets []string
		sent    int // requests
	}{
		{"to another host", call, []string{"https://elsewhere.example/"}, 1},
		{"to another host, over http", call, []string{"http://elsewhere.example/"}, 1},
		{"to plain http", call, []string{"http://api.ok.ru/fb.do"}, 1},
		{"to plain http of a page", call, []string{"http://api.ok.ru/login"}, 1},
		{"to another port", call, []string{"https://api.ok.ru:8443/fb.do"}, 1},
		{"to a subdomain", call, []string{"https://www.api.ok.ru/fb.do"}, 1},
		{"after a page of the API", call, []string{"/login", "/again", "https://elsewhere.example/"}, 3},
		{"of a call by its path", "https://api.ok.ru/api/auth/login", []string{"https://elsewhere.example/"}, 1},
		{"of a Graph call", "https://api.ok.ru/graph/me/messages", []string{"https://elsewhere.example/"}, 1},
		{"to the other of Hosts", call, []string{"https://gateway.example/login", ""}, 2},
		{"of a page", "https://api.ok.ru/dk", []string{"https://elsewhere.example/", ""}, 2},
		{"of an upload", "https://upload.example/x", []string{"https://api.ok.ru/y", "https://elsewhere.example/", ""}, 3},
	} {
		sent := 0
		cfg := okru.Config{ApplicationKey: "KEY", ApplicationSecret: "s", GroupToken: "tkn:1", Hosts: []string{"api.ok.ru", "gateway.example"}}
		cfg.Base = transport.Func(func(r *http.Request) (*http.Response, error) {
			sent++
			if sent > len(test.targets) || test.targets[sent-1] == "" {
				r.Body.Close()
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			}
			return redirect(r, test.targets[sent-1]), nil
		})
		resp, err := newClient(t, cfg).Post(test.path, "application/x-www-form-urlencoded", strings.NewReader(login))
		if err != nil || sent != test.sent {
			t.Errorf("%s: %d requests sent, want %d; error %v", test.name, sent, test.sent, err)
			continue
		}
		if followed := test.targets[len(test.targets)-1] == ""; (resp.StatusCode == 200) != followed {
			t.Errorf("%s: status %d after %d requests", test.name, resp.StatusCode, sent)
		}
		resp.Body.Close()
	}
}

// Other redirects than those of calls end after ten, as in package net/http.
func TestRedirectsStop(t *testing.T) {
	sent := 0
	cfg := okru.Config{ApplicationKey: "KEY", Base: transport.Func(func(r *http.Request) (*http.Response, error) {
		sent++
		return redirect(r, "/again"), nil
	})}
	if _, err := newClient(t, cfg).Get("https://elsewhere.example/"); err == nil || sent != 10 || !strings.Contains(err.Error(), "10 redirects") {
		t.Errorf("error %v after %d requests", err, sent)
	}
}

// Call returns an AnswerError for a redirect that is not followed, which says
// nothing about where it leads. The call has not run.
func TestCallIsRedirected(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		var seen []string
		cfg := okru.Config{ApplicationKey: "KEY", ApplicationSecret: "s", Base: transport.Func(func(r *http.Request) (*http.Response, error) {
			seen = append(seen, r.URL.Host)
			resp := redirect(r, "http://elsewhere.example/?password=hidden")
			resp.StatusCode = status
			return resp, nil
		})}
		_, err := okru.Call[any](t.Context(), newClient(t, cfg), "auth.login", url.Values{"password": {"hidden"}})
		e, ok := errors.AsType[*okru.AnswerError](err)
		if !ok || e.Status != status || len(seen) != 1 || strings.Contains(err.Error(), "hidden") || errors.Is(err, okerrors.ErrOutcomeUnknown) {
			t.Errorf("%d: %v, sent to %v", status, err, seen)
		}
	}
}

// Call sends its form to no other host, whatever the redirect policy is.
func TestCallIsRedirectedUnderAnotherPolicy(t *testing.T) {
	var seen []string
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r.URL.Host)
		return redirect(r, "https://elsewhere.example/"), nil
	})
	c, err := okru.Wrap(&http.Client{Transport: base}, okru.Config{ApplicationKey: "KEY", ApplicationSecret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := okru.Call[any](t.Context(), c, "auth.login", url.Values{"password": {"hidden"}}); err == nil || len(seen) != 1 || strings.Contains(err.Error(), "hidden") {
		t.Errorf("error %v, sent to %v", err, seen)
	}
}

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
	old := roundTrip(func(r *http.Request) (*http.Response, error) {
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

func TestPassErrorsLeavesAnswer(t *testing.T) {
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

// A redirect must not carry what only the API may see.
func TestRedirectSeesNoSecret(t *testing.T) {
	_, cfg := newFake(t)
	var seen []string
	cfg.Base = roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "api.ok.ru" { // echoes the signed query
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"https://elsewhere.example/?" + r.URL.RawQuery}}, Body: http.NoBody, Request: r}, nil
		}
		seen = append(seen, r.URL.String(), fmt.Sprint(r.Header))
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})
	token, err := cfg.TokenSource.Token()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := newClient(t, cfg).Get("https://api.ok.ru/fb.do?method=users.getCurrentUser")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(seen) == 0 || strings.Contains(strings.Join(seen, " "), token.AccessToken) {
		t.Errorf("elsewhere.example saw %q", seen)
	}
}

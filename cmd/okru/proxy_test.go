package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

func TestProxyWithPython(t *testing.T) {
	need(t, "python3")
	s := newShell(t, "SET_STATUS")
	// The program must not see what the shell has.
	for name, value := range s.env {
		t.Setenv(name, value)
	}
	if out := s.must("proxy", "--", "python3", "testdata/proxy.py"); out != "ok "+s.user.ID()+"\n" {
		t.Error(out)
	}
	calls := s.srv.Calls()
	if len(calls) != 3 || calls[1].Params.Get("status") != "Привет из Python" || calls[1].Circuit != "server" {
		t.Errorf("calls are %v", calls)
	}
}

func TestProxyWithCurl(t *testing.T) {
	need(t, "curl", "sh")
	s := newShell(t)
	out := s.must("proxy", "--", "sh", "-euc", `
		call() { curl -sS --noproxy '*' -o /dev/null -w '%{http_code} ' "$@"; }
		call "$OKRU_PROXY_URL/api/users/isAppUser"
		call "$OKRU_PROXY_URL/fb.do" -d method=users.isAppUser
		call "$OKRU_PROXY_URL/fb.do" -d method=users.isAppUser -d sig=wrong
		call "$OKRU_PROXY_URL/fb.do" -d method=users.isAppUser -d access_token=other
		call "$OKRU_PROXY_URL/oauth/token.do" -d grant_type=refresh_token
		call "$OKRU_PROXY_URL/api/users.isAppUser"
		call "$OKRU_PROXY_URL/fb.do" -H 'Origin: https://evil.example' -d method=users.isAppUser
		call "$OKRU_PROXY_URL/api/users/isAppUser" -H 'Sec-Fetch-Site: cross-site'
		call "$OKRU_PROXY_URL/api/users/isAppUser" -H 'Host: evil.example'
		call "$OKRU_PROXY_URL/api/users/isAppUser" -H 'Host: localhost:'${OKRU_PROXY_URL##*:}
		curl -sS -o /dev/null -w '%{http_code} ' -x "$OKRU_PROXY_URL" http://example.com/
		call "$OKRU_PROXY_URL/fb.do" -H 'Content-Encoding: gzip' -d method=users.isAppUser`)
	const want = "200 200 200 400 404 400 403 403 421 200 421 415 "
	if out != want {
		t.Errorf("status codes are %q, want %q", out, want)
	}
	if n := len(s.srv.Calls()); n != 4 {
		t.Errorf("%d calls reached the service, want 4", n)
	}
}

// through sends a request through the proxy.
func through(t *testing.T, s *shell, r *http.Request) (status int, text string) {
	t.Helper()
	handler, err := s.app.proxyHandler()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body)
	s.printed.Write(body)
	return w.Code, string(body)
}

func formRequest(form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/fb.do", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

// What the program sends besides the call stays with the proxy, and no response
// has a secret.
func TestProxySendsCallsOnly(t *testing.T) {
	s := newShell(t)
	var sent http.Header
	base := s.app.base
	s.app.base = roundTrip(func(r *http.Request) (*http.Response, error) {
		sent = r.Header.Clone()
		resp, err := base.RoundTrip(r)
		if err == nil {
			resp.Header.Set("Set-Cookie", "of=OK")
		}
		return resp, err
	})
	handler, err := s.app.proxyHandler()
	if err != nil {
		t.Fatal(err)
	}
	r := formRequest(url.Values{"method": {"users.isAppUser"}})
	for _, name := range []string{"Cookie", "Authorization", "X-Forwarded-For", "Referer"} {
		r.Header.Set(name, "secret")
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.String() != "true" || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for name := range sent {
		if name != "Accept" && name != "Content-Type" && name != "Accept-Encoding" && name != "User-Agent" {
			t.Errorf("sent %s: %v", name, sent[name])
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestProxyFailures(t *testing.T) {
	for name, test := range map[string]struct {
		request *http.Request
		fault   oktest.Fault
		status  int
	}{
		"API error":      {formRequest(url.Values{"method": {"users.isAppUser"}}), oktest.Fault{Code: okerrors.CodePermissionDenied}, 200},
		"web page":       {formRequest(url.Values{"method": {"users.isAppUser"}}), oktest.Fault{Status: 404}, 404},
		"no connection":  {formRequest(url.Values{"method": {"users.setStatus"}}), oktest.Fault{Reset: true}, 502},
		"form too long":  {formRequest(url.Values{"text": {strings.Repeat("x", maxForm)}}), oktest.Fault{}, 413},
		"bad escape":     {httptest.NewRequest("GET", "/fb.do?method=users.isAppUser&x=%zz", nil), oktest.Fault{}, 400},
		"duplicate":      {httptest.NewRequest("GET", "/fb.do?method=users.isAppUser&x=1&x=2", nil), oktest.Fault{}, 400},
		"not a call":     {httptest.NewRequest("GET", "/", nil), oktest.Fault{}, 404},
		"path that ends": {httptest.NewRequest("GET", "/api/users/isAppUser/", nil), oktest.Fault{}, 404},
		"upwards":        {httptest.NewRequest("GET", "/api/../oauth/token.do", nil), oktest.Fault{}, 404},
		"upwards, Graph": {httptest.NewRequest("GET", "/graph/%2e%2e/oauth/token.do", nil), oktest.Fault{}, 404},
		"no group":       {httptest.NewRequest("GET", "/graph/me/info", nil), oktest.Fault{}, 400},
		"group and name": {httptest.NewRequest("GET", "/api/users.isAppUser", nil), oktest.Fault{}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			s.srv.Inject(test.fault)
			status, text := through(t, s, test.request)
			if status != test.status {
				t.Errorf("%d %s, want %d", status, text, test.status)
			}
			var e struct{ Error string }
			if status != 200 && name != "web page" && (json.Unmarshal([]byte(text), &e) != nil || !strings.HasPrefix(e.Error, "okru: ")) {
				t.Errorf("the error is %s", text)
			}
		})
	}
}

// A method that takes no session gets none, whichever way it is called.
func TestProxyLeavesOutSession(t *testing.T) {
	s := newShell(t)
	s.srv.Handle("apps.getAppPromoInfo", func(url.Values) (any, error) { return true, nil })
	for _, r := range []*http.Request{
		formRequest(url.Values{"method": {"apps.getAppPromoInfo"}}),
		httptest.NewRequest("GET", "/api/apps/getAppPromoInfo", nil),
	} {
		if status, text := through(t, s, r); status != 200 || text != "true" {
			t.Errorf("%s %s: %d %s", r.Method, r.URL, status, text)
		}
	}
}

func TestProxyListensOnThisMachineOnly(t *testing.T) {
	newShell(t).fails(exitUsage, "127.0.0.1:PORT", "proxy", "--listen", "0.0.0.0:0")
	newShell(t).set(map[string]string{"OKRU_APPLICATION_KEY": ""}).fails(exitUsage, "OKRU_APPLICATION_KEY", "proxy")
}

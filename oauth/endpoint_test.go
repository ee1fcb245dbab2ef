package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

func TestCodeRequest(t *testing.T) {
	e := &endpoint{body: goodResponse}
	got, err := e.code().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(got.Expiry); got.AccessToken != "A" || got.RefreshToken != "R" || got.ExpiresIn != 1800 || left < 29*time.Minute || left > 30*time.Minute {
		t.Errorf("session is %+v", got)
	}
	r := e.requests[0]
	if r.Method != "POST" || r.URL.String() != "https://api.ok.ru/oauth/token.do" {
		t.Errorf("request is %s %s", r.Method, r.URL)
	}
	if r.Header.Get("Authorization") != "" || r.Header.Get("Accept") != "application/json" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("headers are %v", r.Header)
	}
	if form := e.forms[0].Encode(); r.ContentLength != int64(len(form)) {
		t.Errorf("the length is %d, want %d", r.ContentLength, len(form))
	}
	want := url.Values{
		"grant_type": {"authorization_code"}, "code": {"CANARY-code"}, "redirect_uri": {"https://example.org/back"},
		"client_id": {"512"}, "client_secret": {"CANARY-client"},
	}
	if e.forms[0].Encode() != want.Encode() {
		t.Errorf("form is %v, want %v", e.forms[0], want)
	}
}

func TestRefreshRequest(t *testing.T) {
	for name, test := range map[string]struct{ response, keeps string }{
		"response without refresh token": {`{"access_token":"A"}`, "OLD"},
		"response with a new one":        {`{"access_token":"A","refresh_token":"NEW"}`, "NEW"},
	} {
		e := &endpoint{body: test.response}
		for grant, renewer := range map[string]oauth.Renewer{"Refresh": e.refresh(), "Code": e.code()} {
			got, err := renewer.Renew(t.Context(), &oauth2.Token{AccessToken: "X", RefreshToken: "OLD"})
			if err != nil {
				t.Fatal(err)
			}
			if got.RefreshToken != test.keeps || got.TokenType != "session" || !got.Expiry.IsZero() {
				t.Errorf("%s, %s: session is %+v, want refresh token %s", grant, name, got, test.keeps)
			}
		}
		want := url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {"OLD"}, "client_id": {"512"}, "client_secret": {"CANARY-client"},
		}
		for _, form := range e.forms {
			if form.Encode() != want.Encode() {
				t.Errorf("form is %v, want %v", form, want)
			}
		}
	}
	e := &endpoint{body: goodResponse}
	if _, err := e.refresh().Token(t.Context()); err != nil || e.forms[0].Get("refresh_token") != "CANARY-refresh" {
		t.Errorf("Token sent %v: %v", e.forms, err)
	}
	if _, err := e.code().Renew(t.Context(), &oauth2.Token{AccessToken: "X"}); !errors.Is(err, oauth.ErrSignIn) {
		t.Errorf("Code.Renew without refresh token: %v", err)
	}
}

func TestEmptyFieldsAreNamed(t *testing.T) {
	tests := map[string]struct {
		grant oauth.Grant
		names []string
	}{
		"Code":     {oauth.Code{}, []string{"ClientID", "ClientSecret", "Code"}},
		"Refresh":  {oauth.Refresh{}, []string{"ClientID", "ClientSecret", "RefreshToken"}},
		"Implicit": {oauth.Implicit{}, []string{"ClientID", "Login", "Password"}},
		"Password": {oauth.Password{}, []string{"ApplicationKey", "Login", "Password"}},
		"Loopback": {oauth.Loopback{}, []string{"ClientID", "RedirectURL"}},
	}
	for name, test := range tests {
		_, err := test.grant.Token(t.Context())
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, field := range append(test.names, name) {
			if !strings.Contains(err.Error(), field) {
				t.Errorf("%s: %q does not name %s", name, err, field)
			}
		}
	}
}

func TestTransportErrors(t *testing.T) {
	e := &endpoint{err: errors.New("dial failed; form was client_secret=CANARY-client")}
	for name, g := range map[string]oauth.Grant{"Code": e.code(), "Refresh": e.refresh(), "Password": e.password()} {
		_, err := g.Token(t.Context())
		if !errors.Is(err, e.err) || errors.Is(err, oauth.ErrSignIn) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: error is %v", name, err)
		}
		if !strings.Contains(err.Error(), "https://api.ok.ru/") {
			t.Errorf("%s: %q does not say where", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hanging := &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
	for name, g := range map[string]oauth.Grant{
		"Code":     oauth.Code{ClientID: "1", ClientSecret: "2", Code: "3", HTTPClient: hanging},
		"Password": oauth.Password{ApplicationKey: "1", Login: "2", Password: "3", HTTPClient: hanging},
		"Implicit": oauth.Implicit{ClientID: "1", Login: "2", Password: "3", HTTPClient: hanging},
	} {
		if _, err := g.Token(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error is %v, want context.Canceled", name, err)
		}
	}
}

// The client that a user gives stays as it is.
func TestHTTPClientIsCopied(t *testing.T) {
	e := &endpoint{body: goodResponse}
	asked := false
	c := &http.Client{Transport: e, CheckRedirect: func(*http.Request, []*http.Request) error { asked = true; return nil }}
	g := e.refresh()
	g.HTTPClient = c
	if _, err := g.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.Jar != nil || c.CheckRedirect == nil || c.Timeout != 0 {
		t.Error("the client was changed")
	}
	e.set(302, "")
	e.header = http.Header{"Location": {"/elsewhere"}}
	if _, err := g.Token(t.Context()); err == nil || asked {
		t.Errorf("a redirect was put to the client's policy: %v", err)
	}
}

// If net/http repeats a request, because its connection was closed before anything
// was sent, it sends the form again.
func TestFormIsSentAgain(t *testing.T) {
	e := &endpoint{body: goodResponse}
	g := e.code()
	g.HTTPClient = &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
		resp, err := e.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		resp.Body.Close()
		if r.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
		return e.RoundTrip(r)
	})}
	if _, err := g.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(e.forms) != 2 || e.forms[0].Encode() != e.forms[1].Encode() || e.forms[1].Get("code") != "CANARY-code" {
		t.Errorf("forms are %v", e.forms)
	}
}

// A code counts as sent as soon as the body was read, in one way or the other.
func TestCodeIsSentOnceTheBodyIsRead(t *testing.T) {
	for name, read := range map[string]func(io.Reader){
		"nothing": func(io.Reader) {},
		"Read":    func(body io.Reader) { _, _ = body.Read(make([]byte, 1)) },
		"WriteTo": func(body io.Reader) { _, _ = io.Copy(io.Discard, body) },
	} {
		e := &endpoint{body: goodResponse}
		g := e.code()
		failed := false
		g.HTTPClient = &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
			if !failed {
				failed = true
				read(r.Body)
				return nil, errNetwork
			}
			return e.RoundTrip(r)
		})}
		s := oauth.NewSource(g, oauth.Options{CoolDown: -1})
		wantErr(t, s, errNetwork)
		if _, err := s.Token(); (err == nil) != (name == "nothing") || err != nil && !errors.Is(err, oauth.ErrSignIn) {
			t.Errorf("%s: the second attempt returns %v", name, err)
		}
	}
}

// A response may have 1 MiB, and no byte more.
func TestLongResponses(t *testing.T) {
	for _, more := range []int{0, 1} {
		const before, after = `{"access_token":"`, `"}`
		e := &endpoint{body: before + strings.Repeat("x", 1<<20-len(before)-len(after)+more) + after}
		if _, err := e.refresh().Token(t.Context()); (err == nil) != (more == 0) {
			t.Errorf("%d bytes: %.200v", len(e.body), err)
		}
	}
}

package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
)

// An endpoint is a RoundTripper that answers every request alike.
type endpoint struct {
	status int // 0: 200
	kind   string
	body   string
	header http.Header
	err    error // instead of an answer, before the body is read

	mu       sync.Mutex
	requests []*http.Request
	forms    []url.Values
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests = append(e.requests, r)
	if e.err != nil {
		return nil, e.err
	}
	var text []byte
	if r.Body != nil {
		text, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	form, _ := url.ParseQuery(string(text))
	e.forms = append(e.forms, form)
	header := e.header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	if e.kind != "" {
		header.Set("Content-Type", e.kind)
	}
	status := e.status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{
		StatusCode: status,
		Status:     http.StatusText(status) + " CANARY-status",
		Header:     header,
		Body:       io.NopCloser(strings.NewReader(e.body)),
		Request:    r,
	}, nil
}

func (e *endpoint) client() *http.Client { return &http.Client{Transport: e} }

func (e *endpoint) set(status int, body string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status, e.body = status, body
}

func (e *endpoint) count(grantType string) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, form := range e.forms {
		if form.Get("grant_type") == grantType {
			n++
		}
	}
	return n
}

// code and refresh are grants whose secrets are recognisable.
func (e *endpoint) code() oauth.Code {
	return oauth.Code{ClientID: "512", ClientSecret: "CANARY-client", RedirectURL: "https://example.org/back", Code: "CANARY-code", HTTPClient: e.client()}
}

func (e *endpoint) refresh() oauth.Refresh {
	return oauth.Refresh{ClientID: "512", ClientSecret: "CANARY-client", RefreshToken: "CANARY-refresh", HTTPClient: e.client()}
}

func (e *endpoint) password() oauth.Password {
	return oauth.Password{ApplicationKey: "KEY", ApplicationSecret: "CANARY-app", Login: "anna", Password: "CANARY-pass", HTTPClient: e.client()}
}

const goodAnswer = `{"access_token":"A","token_type":"session","refresh_token":"R","expires_in":"1800"}`

func TestCodeRequest(t *testing.T) {
	e := &endpoint{body: goodAnswer}
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
	if r.Header.Get("Authorization") != "" || r.Header.Get("Accept") != "application/json" {
		t.Errorf("headers are %v", r.Header)
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
	for name, test := range map[string]struct{ answer, keeps string }{
		"answer without refresh token": {`{"access_token":"A"}`, "OLD"},
		"answer with a new one":        {`{"access_token":"A","refresh_token":"NEW"}`, "NEW"},
	} {
		e := &endpoint{body: test.answer}
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
	e := &endpoint{body: goodAnswer}
	if _, err := e.refresh().Token(t.Context()); err != nil || e.forms[0].Get("refresh_token") != "CANARY-refresh" {
		t.Errorf("Token sent %v: %v", e.forms, err)
	}
	if _, err := e.code().Renew(t.Context(), &oauth2.Token{AccessToken: "X"}); !errors.Is(err, oauth.ErrSignIn) {
		t.Errorf("Code.Renew without refresh token: %v", err)
	}
}

func TestPasswordRequest(t *testing.T) {
	e := &endpoint{body: `{"uid":"57","session_key":"SK","session_secret_key":"0123456789","auth_token":"AT","api_server":"https://evil.example/","n":12345678901234567890}`}
	got, err := e.password().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.AccessToken != "SK" || oauth.SessionSecret(got) != "0123456789" || got.Extra("uid") != "57" || got.Extra("auth_token") != "AT" {
		t.Errorf("session is %+v", got)
	}
	r, form := e.requests[0], e.forms[0]
	if r.Method != "POST" || r.URL.String() != "https://api.ok.ru/fb.do" {
		t.Errorf("request is %s %s", r.Method, r.URL)
	}
	// md5("application_key=KEYformat=jsonmethod=auth.loginpassword=CANARY-passuser_name=anna" + "CANARY-app")
	if form.Get("sig") != md5Hex("application_key=KEYformat=jsonmethod=auth.loginpassword=CANARY-passuser_name=annaCANARY-app") {
		t.Errorf("sig of %v is wrong", form)
	}
	g := e.password()
	g.ApplicationSecret = ""
	if _, err := g.Token(t.Context()); err != nil || e.forms[1].Has("sig") {
		t.Errorf("without secret the form is %v (%v), want it unsigned", e.forms[1], err)
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

// badAnswers are what endpoints of OK answer, or might, instead of a session.
var badAnswers = map[string]struct {
	endpoint *endpoint
	says     string // in the text of the error
	code     string // of the RetrieveError
	signIn   bool
}{
	"invalid_grant":         {&endpoint{status: 400, body: `{"error":"invalid_grant","error_description":"Expired"}`}, "Expired", "invalid_grant", true},
	"invalid_token":         {&endpoint{status: 400, body: `{"error":"invalid_token","error_description":"Invalid refresh token structure"}`}, "structure", "invalid_token", true},
	"error with 200":        {&endpoint{body: `{"error":"invalid_client"}`}, "invalid_client", "invalid_client", false},
	"access_denied":         {&endpoint{body: `{"error":"access_denied"}`}, "access_denied", "access_denied", true},
	"error and token":       {&endpoint{body: `{"error":"invalid_scope","access_token":"CANARY"}`}, "invalid_scope", "invalid_scope", false},
	"token with 500":        {&endpoint{status: 500, body: `{"access_token":"CANARY"}`}, "500", "", false},
	"echo in description":   {&endpoint{status: 400, body: `{"error":"invalid_grant","error_description":"bad CANARY-refresh"}`}, "[redacted]", "invalid_grant", true},
	"echo in code":          {&endpoint{status: 400, body: `{"error":"CANARY-client is wrong"}`}, "[redacted]", "[redacted]", false},
	"echo of its own":       {&endpoint{body: `{"error":"e","access_token":"CANARY-own","error_description":"no CANARY-own"}`}, "[redacted]", "e", false},
	"escaped echo":          {&endpoint{status: 400, body: `{"error":"e","error_description":"?code=CANARY%2Dcode"}`}, "[redacted]", "e", false},
	"HTML 400":              {&endpoint{status: 400, kind: "text/html", body: "<html>Provide OAUTH request parameters! CANARY"}, "400 Bad Request", "", false},
	"HTML 200":              {&endpoint{kind: "text/html;charset=UTF-8", body: "<html>Error : Failed to convert value CANARY"}, "HTML page", "", false},
	"empty":                 {&endpoint{}, "empty", "", false},
	"spaces":                {&endpoint{body: " \n"}, "not a JSON object", "", false},
	"empty 503":             {&endpoint{status: 503}, "503 Service Unavailable", "", false},
	"array":                 {&endpoint{body: `["CANARY"]`}, "not a JSON object", "", false},
	"null":                  {&endpoint{body: `null`}, "not a JSON object", "", false},
	"two objects":           {&endpoint{body: `{"access_token":"CANARY"}{}`}, "not a JSON object", "", false},
	"half an object":        {&endpoint{body: `{"access_token":"CANARY`}, "not a JSON object", "", false},
	"no token":              {&endpoint{body: `{"token_type":"session"}`}, "no session", "", false},
	"empty token":           {&endpoint{body: `{"access_token":""}`}, "no session", "", false},
	"token of a wrong type": {&endpoint{body: `{"access_token":{"CANARY":1}}`}, "no session", "", false},
	"redirect": {&endpoint{status: 302, header: http.Header{"Location": {"https://api.ok.ru/oauth/token.do?CANARY"}}},
		"redirect", "", false},
	"redirect 307": {&endpoint{status: 307, header: http.Header{"Location": {"https://evil.example/CANARY"}}},
		"redirect", "", false},
	"API error": {&endpoint{body: `{"error_code":2,"error_msg":"SERVICE : not now, CANARY-client"}`}, "SERVICE", "", false},
	"too long":  {&endpoint{body: `{"access_token":"` + strings.Repeat("x", 1<<20) + `"}`}, "longer than", "", false},
}

func TestBadAnswers(t *testing.T) {
	for name, test := range badAnswers {
		t.Run(name, func(t *testing.T) {
			e := test.endpoint
			renewals := map[string]func() (*oauth2.Token, error){
				"Refresh": func() (*oauth2.Token, error) { return e.refresh().Token(t.Context()) },
				"Code":    func() (*oauth2.Token, error) { return e.code().Token(t.Context()) },
			}
			for grant, renew := range renewals {
				got, err := renew()
				if err == nil {
					t.Fatalf("%s: session %+v", grant, got)
				}
				if text := err.Error(); strings.Contains(text, "CANARY") && grant == "Refresh" || len(text) > 500 || !strings.HasPrefix(text, "okru: ") {
					t.Errorf("%s: error is %.500q", grant, text)
				}
				if !strings.Contains(err.Error(), test.says) && grant == "Refresh" {
					t.Errorf("%s: error %q does not say %q", grant, err, test.says)
				}
				if errors.Is(err, oauth.ErrSignIn) != test.signIn {
					t.Errorf("%s: %v is ErrSignIn: %v, want %v", grant, err, !test.signIn, test.signIn)
				}
				said, ok := errors.AsType[*oauth2.RetrieveError](err)
				if !ok {
					if name != "too long" {
						t.Errorf("%s: %v is no *oauth2.RetrieveError", grant, err)
					}
					continue
				}
				if said.Error() == "" || said.Body != nil || strings.Contains(said.Error(), "CANARY-client") {
					t.Errorf("%s: RetrieveError is %q", grant, said)
				}
				if grant == "Refresh" && (said.ErrorCode != test.code || said.Response.StatusCode != max(test.endpoint.status, 200)) {
					t.Errorf("RetrieveError has code %q and status %d", said.ErrorCode, said.Response.StatusCode)
				}
			}
			if len(e.requests) != 2 {
				t.Errorf("%d requests for two exchanges: a redirect was followed", len(e.requests))
			}
		})
	}
}

func TestExpiresIn(t *testing.T) {
	for value, want := range map[string]int64{
		`"1800"`: 1800, `1800`: 1800, `1800.0`: 1800, `" 1800 "`: 1800, `1.8e3`: 1800,
		`null`: 0, `""`: 0, `"soon"`: 0, `0`: 0, `-5`: 0, `"NaN"`: 0, `"Inf"`: 0, `true`: 0, `[1]`: 0, `{}`: 0,
		`1e30`: 1<<31 - 1, `99999999999999999999`: 1<<31 - 1,
	} {
		e := &endpoint{body: `{"access_token":"A","expires_in":` + value + `}`}
		got, err := e.refresh().Token(t.Context())
		if err != nil {
			t.Errorf("expires_in %s: %v", value, err)
			continue
		}
		if got.ExpiresIn != want || got.Expiry.IsZero() != (want == 0) {
			t.Errorf("expires_in %s: session expires in %d at %v, want %d", value, got.ExpiresIn, got.Expiry, want)
		}
	}
}

func TestExtrasKeepTheirNames(t *testing.T) {
	e := &endpoint{body: `{"access_token":"A","session_secret_key":42,"uid":580000000001,"big":12345678901234567890,"ok":true,"list":[1,"x"]}`}
	got, err := e.refresh().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if oauth.SessionSecret(got) != "42" || got.Extra("uid") != float64(580000000001) || got.Extra("ok") != true {
		t.Errorf("extras of %+v", got)
	}
	if big, ok := got.Extra("big").(interface{ String() string }); !ok || big.String() != "12345678901234567890" {
		t.Errorf("big is %v: digits are lost", got.Extra("big"))
	}
	for _, name := range []string{"access_token", "expires_in", "state"} {
		if v := got.Extra(name); v != nil {
			t.Errorf("%s is an extra too: %v", name, v)
		}
	}
}

func TestPasswordRefused(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		code   okerrors.Code
		url    string
		is     []error
		isNot  []error
		status int
	}{
		"wrong password": {`{"error_code":401,"error_msg":"AUTH_LOGIN : wrong CANARY-pass"}`, 401, "",
			[]error{oauth.ErrSignIn, oauth.ErrCredentials}, nil, 200},
		"captcha": {`{"error_code":402,"error_msg":"AUTH_LOGIN_CAPTCHA"}`, 402, "",
			[]error{oauth.ErrSignIn}, []error{oauth.ErrCredentials}, 200},
		"human check": {`{"error_code":403,"error_msg":"x","ver_redirect_url":"https://ok.ru/check?CANARY"}`, 403, "https://ok.ru/check?CANARY",
			[]error{oauth.ErrSignIn}, []error{oauth.ErrCredentials}, 200},
		"verification": {`{"error_code":403,"error_msg":"x","verification_url":"https://ok.ru/v?CANARY"}`, 403, "https://ok.ru/v?CANARY",
			[]error{oauth.ErrSignIn}, nil, 403},
		"overload": {`{"error_code":2,"error_msg":"SERVICE"}`, 2, "",
			[]error{okerrors.ErrTransient}, []error{oauth.ErrSignIn}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			e := &endpoint{status: test.status, body: test.body}
			plain := e.password()
			decoding := plain
			decoding.HTTPClient = &http.Client{Transport: okerrors.Decode(e)}
			for client, g := range map[string]oauth.Password{"plain": plain, "decoding": decoding} {
				_, err := g.Token(t.Context())
				said, ok := errors.AsType[*okerrors.Error](err)
				if !ok {
					t.Fatalf("%s: %v is no *okerrors.Error", client, err)
				}
				if said.Code != test.code || said.URL != test.url || said.Method != "auth.login" {
					t.Errorf("%s: error has code %d, URL %q, method %q", client, said.Code, said.URL, said.Method)
				}
				for _, target := range test.is {
					if !errors.Is(err, target) {
						t.Errorf("%s: %v is not %v", client, err, target)
					}
				}
				for _, target := range test.isNot {
					if errors.Is(err, target) {
						t.Errorf("%s: %v is %v", client, err, target)
					}
				}
				if strings.Contains(err.Error()+said.Message, "CANARY") {
					t.Errorf("%s: error leaks: %q, %q", client, err, said.Message)
				}
			}
		})
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
	hanging := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
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

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The client that a user gives stays as it is.
func TestHTTPClientIsCopied(t *testing.T) {
	e := &endpoint{body: goodAnswer}
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

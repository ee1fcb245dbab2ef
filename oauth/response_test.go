package oauth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// badResponses are what endpoints of OK respond, or might respond, instead of a session.
var badResponses = map[string]struct {
	endpoint *endpoint
	says     string // the text of the error
	code     string // of the RetrieveError
	signIn   bool
}{
	"invalid_grant":         {&endpoint{status: 400, body: `{"error":"invalid_grant","error_description":"Expired"}`}, "okru: token.do: invalid_grant (Expired); the user must sign in again", "invalid_grant", true},
	"after a mark":          {&endpoint{status: 400, body: "\ufeff" + `{"error":"invalid_grant"}`}, "okru: token.do: invalid_grant; the user must sign in again", "invalid_grant", true},
	"two marks":             {&endpoint{body: "\ufeff\ufeff" + `{"access_token":"CANARY"}`}, "okru: token.do: the response is not a JSON object (31 bytes)", "", false},
	"invalid_token":         {&endpoint{status: 400, body: `{"error":"invalid_token","error_description":"Invalid refresh token structure"}`}, "okru: token.do: invalid_token (Invalid refresh token structure); the user must sign in again", "invalid_token", true},
	"error with 200":        {&endpoint{body: `{"error":"invalid_client"}`}, "okru: token.do: invalid_client", "invalid_client", false},
	"access_denied":         {&endpoint{body: `{"error":"access_denied"}`}, "okru: token.do: access_denied; the user must sign in again", "access_denied", true},
	"error and token":       {&endpoint{body: `{"error":"invalid_scope","access_token":"CANARY"}`}, "okru: token.do: invalid_scope", "invalid_scope", false},
	"token with 500":        {&endpoint{status: 500, body: `{"access_token":"CANARY"}`}, "okru: token.do: the response has status 500 Internal Server Error", "", false},
	"echo in description":   {&endpoint{status: 400, body: `{"error":"invalid_grant","error_description":"bad CANARY-refresh"}`}, "okru: token.do: invalid_grant ([redacted]); the user must sign in again", "invalid_grant", true},
	"echo in code":          {&endpoint{status: 400, body: `{"error":"CANARY-client is wrong"}`}, "okru: token.do: [redacted]", "[redacted]", false},
	"echo of its own":       {&endpoint{body: `{"error":"e","access_token":"CANARY-own","error_description":"no CANARY-own"}`}, "okru: token.do: e ([redacted])", "e", false},
	"escaped echo":          {&endpoint{status: 400, body: `{"error":"e","error_description":"?code=CANARY%2Dcode"}`}, "okru: token.do: e (?code=[redacted])", "e", false},
	"escaped twice":         {&endpoint{status: 400, body: `{"error":"e","error_description":"to ?x=CANARY%252Drefresh"}`}, "okru: token.do: e ([redacted])", "e", false},
	"escaped for JSON":      {&endpoint{status: 400, body: `{"error":"e","error_description":"in {\"x\":\"CANARY\\u002drefresh\"}"}`}, "okru: token.do: e ([redacted])", "e", false},
	"HTML 400":              {&endpoint{status: 400, kind: "text/html", body: "<html>Provide OAUTH request parameters! CANARY"}, "okru: token.do: the response has status 400 Bad Request", "", false},
	"HTML 200":              {&endpoint{kind: "text/html;charset=UTF-8", body: "<html>Error : Failed to convert value CANARY"}, "okru: token.do: the response is an HTML page: OK cannot parse a parameter; ClientID must be the application's number (application id), not its key", "", false},
	"another page":          {&endpoint{kind: "text/html", body: "<html>CANARY"}, "okru: token.do: the response is an HTML page", "", false},
	"text like that page":   {&endpoint{kind: "text/plain", body: "Failed to convert value"}, "okru: token.do: the response is not a JSON object (23 bytes)", "", false},
	"empty":                 {&endpoint{}, "okru: token.do: the response is empty", "", false},
	"spaces":                {&endpoint{body: " \n"}, "okru: token.do: the response is not a JSON object (2 bytes)", "", false},
	"empty 503":             {&endpoint{status: 503}, "okru: token.do: the response has status 503 Service Unavailable", "", false},
	"array":                 {&endpoint{body: `["CANARY"]`}, "okru: token.do: the response is not a JSON object (10 bytes)", "", false},
	"null":                  {&endpoint{body: `null`}, "okru: token.do: the response is not a JSON object (4 bytes)", "", false},
	"two objects":           {&endpoint{body: `{"access_token":"CANARY"}{}`}, "okru: token.do: the response is not a JSON object (27 bytes)", "", false},
	"half an object":        {&endpoint{body: `{"access_token":"CANARY`}, "okru: token.do: the response is not a JSON object (23 bytes)", "", false},
	"no token":              {&endpoint{body: `{"token_type":"session"}`}, "okru: token.do: there is no session in the response", "", false},
	"empty token":           {&endpoint{body: `{"access_token":""}`}, "okru: token.do: there is no session in the response", "", false},
	"token of a wrong type": {&endpoint{body: `{"access_token":{"CANARY":1}}`}, "okru: token.do: there is no session in the response", "", false},
	"redirect": {&endpoint{status: 302, header: http.Header{"Location": {"https://api.ok.ru/oauth/token.do?CANARY"}}},
		"okru: token.do: the response is a redirect, which is not followed: 302 Found", "", false},
	"redirect 307": {&endpoint{status: 307, header: http.Header{"Location": {"https://evil.example/CANARY"}}},
		"okru: token.do: the response is a redirect, which is not followed: 307 Temporary Redirect", "", false},
	"API error": {&endpoint{body: `{"error_code":2,"error_msg":"SERVICE : not now, CANARY-client"}`}, "okru: SERVICE (2): [redacted]", "", false},
	"too long":  {&endpoint{body: `{"access_token":"` + strings.Repeat("x", 1<<20) + `"}`}, "okru: POST https://api.ok.ru/oauth/token.do: reading the response: it is longer than 1048576 bytes", "", false},
}

func TestBadResponses(t *testing.T) {
	for name, test := range badResponses {
		t.Run(name, func(t *testing.T) {
			e := &endpoint{status: test.endpoint.status, kind: test.endpoint.kind, body: test.endpoint.body, header: test.endpoint.header}
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
				if err.Error() != test.says && grant == "Refresh" {
					t.Errorf("error is %q, want %q", err, test.says)
				}
				if errors.Is(err, oauth.ErrSignIn) != test.signIn {
					t.Errorf("%s: %v is ErrSignIn: %v, want %v", grant, err, !test.signIn, test.signIn)
				}
				re, ok := errors.AsType[*oauth2.RetrieveError](err)
				if !ok {
					if name != "too long" {
						t.Errorf("%s: %v is no *oauth2.RetrieveError", grant, err)
					}
					continue
				}
				if re.Error() == "" || re.Body != nil || strings.Contains(re.Error(), "CANARY-client") {
					t.Errorf("%s: RetrieveError is %q", grant, re)
				}
				if grant == "Refresh" && (re.ErrorCode != test.code || re.Response.StatusCode != max(test.endpoint.status, 200)) {
					t.Errorf("RetrieveError has code %q and status %d", re.ErrorCode, re.Response.StatusCode)
				}
			}
			if len(e.requests) != 2 {
				t.Errorf("%d requests for two exchanges: a redirect was followed", len(e.requests))
			}
		})
	}
}

// A secret may be spelled like a part of what OK says.
func TestErrorCodesAreNoSecrets(t *testing.T) {
	tests := map[string]struct {
		secret, body string
		code         string // of the RetrieveError
		signIn       bool
	}{
		"a letter":             {"a", `{"error":"invalid_grant"}`, "invalid_grant", true},
		"a part":               {"invalid", `{"error":"invalid_token"}`, "invalid_token", true},
		"the whole":            {"invalid_grant", `{"error":"invalid_grant"}`, "invalid_grant", true},
		"of no user":           {"client", `{"error":"unauthorized_client"}`, "unauthorized_client", false},
		"in the response":      {"CANARY", `{"error":"access_denied","code":"denied"}`, "access_denied", true},
		"a code of OK's own":   {"strange", `{"error":"strange_thing"}`, "[redacted]", false},
		"a known one and more": {"strange", `{"error":"invalid_grant strange"}`, "[redacted]", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := (&endpoint{status: 400, body: test.body}).client()
			for grant, g := range map[string]oauth.Grant{
				"refresh token": oauth.Refresh{ClientID: "512", ClientSecret: "S", RefreshToken: test.secret, HTTPClient: c},
				"code":          oauth.Code{ClientID: "512", ClientSecret: "S", Code: test.secret, HTTPClient: c},
				"client secret": oauth.Refresh{ClientID: "512", ClientSecret: test.secret, RefreshToken: "R", HTTPClient: c},
			} {
				_, err := g.Token(t.Context())
				if re, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || re.ErrorCode != test.code {
					t.Errorf("%s: error is %v, want one with code %q", grant, err, test.code)
				}
				if errors.Is(err, oauth.ErrSignIn) != test.signIn {
					t.Errorf("%s: %v is ErrSignIn: %v, want %v", grant, err, !test.signIn, test.signIn)
				}
			}
		})
	}
}

// The codes of RFC 6749 and RFC 6750 are kept, also if they contain a secret.
func TestStandardErrorCodesAreKept(t *testing.T) {
	for _, code := range []string{
		"access_denied", "insufficient_scope", "invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "invalid_token",
		"server_error", "temporarily_unavailable", "unauthorized_client", "unsupported_grant_type", "unsupported_response_type",
	} {
		e := &endpoint{status: 400, body: `{"error":"` + code + `"}`}
		g := e.refresh()
		g.RefreshToken = code
		_, err := g.Token(t.Context())
		if re, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || re.ErrorCode != code {
			t.Errorf("error is %v, want one with code %q", err, code)
		}
	}
}

// Of a text of OK, 200 bytes are shown, on one line.
func TestLongTexts(t *testing.T) {
	x := strings.Repeat("x", 198)
	for description, want := range map[string]string{
		strings.Repeat("x ", 500) + "CANARY-refresh": strings.Repeat("x ", 100) + "…", x + "yz": x + "yz", x + "yzz": x + "yz…", x + "yя": x + "y…", `a\nb\u0000c`: "a b c",
	} {
		e := &endpoint{status: 400, body: `{"error":"e","error_description":"` + description + `"}`}
		if _, err := e.refresh().Token(t.Context()); err == nil || err.Error() != "okru: token.do: e ("+want+")" {
			t.Errorf("%q: error is %v, want %s", description, err, want)
		}
	}
}

// What a response calls a secret is not shown, wherever else it stands in it.
func TestEchoOfTheResponse(t *testing.T) {
	for _, name := range []string{"access_token", "refresh_token", "session_key", "session_secret_key", "auth_token", "code"} {
		e := &endpoint{status: 400, body: `{"error":"e","` + name + `":"CANARY-own","error_description":"no CANARY-own"}`}
		if _, err := e.refresh().Token(t.Context()); err == nil || err.Error() != "okru: token.do: e ([redacted])" {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestShortSecretsHideNoReason(t *testing.T) {
	g := oauth.Refresh{ClientID: "512", ClientSecret: "s", RefreshToken: "down", HTTPClient: (&endpoint{err: errNetwork}).client()}
	if _, err := g.Token(t.Context()); err == nil || !strings.Contains(err.Error(), errNetwork.Error()) {
		t.Errorf("error %v does not say that %v", err, errNetwork)
	}
}

func TestExpiresIn(t *testing.T) {
	for value, want := range map[string]int64{
		`"1800"`: 1800, `1800`: 1800, `1800.0`: 1800, `" 1800 "`: 1800, `1.8e3`: 1800,
		`null`: 0, `""`: 0, `"soon"`: 0, `0`: 0, `-5`: 0, `"NaN"`: 0, `"Inf"`: 0, `true`: 0, `[1]`: 0, `{}`: 0,
		`1`: 1, `1.9`: 1, `0.9`: 0, `1e30`: 1<<31 - 1, `99999999999999999999`: 1<<31 - 1,
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

func TestByteOrderMark(t *testing.T) {
	e := &endpoint{body: "\ufeff" + goodResponse}
	if got, err := e.refresh().Token(t.Context()); err != nil || got.AccessToken != "A" {
		t.Errorf("%v, %v", got, err)
	}
	e = &endpoint{body: "\ufeff" + `{"session_key":"SK"}`}
	if got, err := e.password().Token(t.Context()); err != nil || got.AccessToken != "SK" {
		t.Errorf("auth.login: %v, %v", got, err)
	}
}

func TestExtrasKeepTheirNames(t *testing.T) {
	e := &endpoint{body: `{"access_token":"A","token_type":"bearer","refresh_token":"R","expires_in":1800,"state":"s","session_secret_key":42,"uid":580000000001,"big":12345678901234567890,"ok":true,"list":[1,"x"]}`}
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
	if got.TokenType != "bearer" || got.RefreshToken != "R" {
		t.Errorf("session is %+v", got)
	}
	for _, name := range []string{"access_token", "token_type", "refresh_token", "expires_in", "state"} {
		if v := got.Extra(name); v != nil {
			t.Errorf("%s is an extra too: %v", name, v)
		}
	}
}

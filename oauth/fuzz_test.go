package oauth_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

const (
	fuzzSecret   = "CANARY-0123456789"
	fuzzPassword = "CANARY-9876543210"
)

// Whatever the token endpoint responds: a session or an error that can be
// understood, bounded and without what was sent or received in confidence.
func FuzzTokenResponse(f *testing.F) {
	f.Add(200, "application/json", goodResponse)
	for _, bad := range badResponses {
		if len(bad.endpoint.body) < 1000 {
			f.Add(max(200, bad.endpoint.status), bad.endpoint.kind, strings.ReplaceAll(bad.endpoint.body, "CANARY", fuzzSecret))
		}
	}
	f.Add(200, "", `{"access_token":"A","expires_in":{"a":[1e999]},"x":"\ud800","session_secret_key":1}`)
	f.Add(200, "", `{"access_token":"A","x":{"y":[1e999]}}`)
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		if status < 200 || status > 599 {
			return // net/http hands no other to a RoundTripper's caller
		}
		e := &endpoint{status: status, kind: kind, body: body}
		refresh := oauth.Refresh{ClientID: "1", ClientSecret: fuzzSecret, RefreshToken: fuzzPassword, HTTPClient: e.client()}
		password := oauth.Password{ApplicationKey: "1", ApplicationSecret: fuzzSecret, Login: "anna", Password: fuzzPassword, HTTPClient: e.client()}
		for _, g := range []oauth.Grant{refresh, password} {
			got, err := g.Token(t.Context())
			if (got == nil) == (err == nil) || got != nil && got.AccessToken == "" {
				t.Fatalf("%T: %v, %v", g, got, err)
			}
			if err == nil {
				roundTripToken(t, got)
				continue
			}
			checkFuzzError(t, err)
		}
	})
}

// roundTripToken checks that every session that OK can hand out can be stored.
func roundTripToken(t *testing.T, got *oauth2.Token) {
	t.Helper()
	data, err := oauth.MarshalToken(got)
	if err != nil {
		t.Fatalf("a session from OK cannot be stored: %v", err)
	}
	back, err := oauth.UnmarshalToken(data)
	if err != nil || oauth.SessionSecret(back) != strings.ToValidUTF8(oauth.SessionSecret(got), "\ufffd") {
		t.Errorf("a stored session comes back as %v, %v", back, err)
	}
}

func checkFuzzError(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); len(text) > 1500 || strings.ContainsAny(text, "\n\r\x00\x1b") {
		t.Errorf("error is %q", text)
	}
	if secret, found := canary.Search(err.Error(), fuzzSecret, fuzzPassword); found {
		t.Errorf("error shows %s: %v", secret, err)
	}
	if re, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		if secret, found := canary.Search(re.Error(), fuzzSecret, fuzzPassword); found {
			t.Errorf("RetrieveError shows %s: %v", secret, re)
		}
	}
}

// Whatever the pages are: an end after few requests, all of them to
// connect.ok.ru, with the password in nothing but the body of a POST.
func FuzzPages(f *testing.F) {
	f.Add(loginForm, consentForm, "", 200)
	f.Add(loginForm, loginForm, "", 200)
	f.Add(consentForm, loginForm, "/dk?st.cmd=OAuth2Login", 302)
	f.Add("", "", "okauth://ok1#access_token=A", 302)
	f.Add("<form method=post action='https://evil.example/'><input name=fr.email><input name=fr.password>", "<table><form><tr><td><input name=x>", "//evil.example", 307)
	f.Add("<form method=post action='\x7f:'><template><input name=fr.email>", strings.Repeat("<form><template>", 1000), "https://connect.ok.ru:443/%zz", 301)
	f.Add(`{"error":"`+fuzzPassword+`"}`, "", "", 401)
	f.Fuzz(func(t *testing.T, first, second, location string, status int) {
		if status < 200 || status > 599 || strings.ContainsAny(location, "\r\n") {
			return
		}
		requests := 0
		c := &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
			requests++
			if r.URL.Scheme != "https" || !strings.EqualFold(r.URL.Host, "connect.ok.ru") {
				t.Errorf("request to %s", r.URL)
			}
			if secret, found := canary.Search(r.URL.String(), fuzzPassword); found && !strings.Contains(first+second+location, secret) {
				t.Errorf("the password is in the URL %s", r.URL)
			}
			p := &http.Response{StatusCode: 200, Header: make(http.Header), Body: io.NopCloser(strings.NewReader(first))}
			switch {
			case requests == 2:
				p.Body = io.NopCloser(strings.NewReader(second))
			case requests%3 == 0:
				p.StatusCode = status
				p.Header.Set("Location", location)
			}
			return p, nil
		})}
		g := oauth.Implicit{ClientID: "1", Login: "anna", Password: fuzzPassword, RedirectURL: "okauth://ok1", HTTPClient: c}
		got, err := g.Token(t.Context())
		if requests > 20 {
			t.Errorf("%d requests", requests)
		}
		if (got == nil) == (err == nil) {
			t.Errorf("%v, %v", got, err)
		}
		if err != nil {
			checkFuzzError(t, err)
		}
	})
}

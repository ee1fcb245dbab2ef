package oauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

func TestImplicit(t *testing.T) {
	s := newSite(blank + goodFragment)
	got, err := s.grant().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.AccessToken != "AT" || oauth.SessionSecret(got) != "00123" || got.Extra("permissions_granted") != "A;B" || got.ExpiresIn != 1800 {
		t.Errorf("session is %+v", got)
	}
	want := []string{
		"GET https://connect.ok.ru/oauth/authorize?client_id=512&redirect_uri=https%3A%2F%2Fapi.ok.ru%2Fblank.html&response_type=token&scope=A%3BB&state=st%26te&layout=w",
		"GET https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w",
		"POST https://connect.ok.ru/dk?cmd=OAuth2Login&st.cmd=OAuth2Login fr.email=anna&fr.password=CANARY%2Bpass&fr.posted=set&fr.remember=on",
		"GET https://connect.ok.ru/dk?st.cmd=OAuth2Permissions",
		"POST https://connect.ok.ru/dk?st.cmd=OAuth2Permissions&cmd=OAuth2Permissions button_accept_request=&fr.posted=set&fr.token=CSRF",
	}
	if !slices.Equal(s.seen, want) {
		t.Errorf("requests are\n%s\nwant\n%s", strings.Join(s.seen, "\n"), strings.Join(want, "\n"))
	}
}

func TestImplicitRedirectURLs(t *testing.T) {
	for _, redirect := range []string{
		"okauth://ok512", "ok512://authorize", "https://example.org/back?x=1", "http://localhost:8910/", "https://Example.org/Back", "app:authorized",
	} {
		base, _, _ := strings.Cut(redirect, "?")
		s := newSite(base + goodFragment)
		g := s.grant()
		g.RedirectURL = redirect
		if got, err := g.Token(t.Context()); err != nil || got.AccessToken != "AT" {
			t.Errorf("%s: %v, %v", redirect, got, err)
		}
	}
}

func TestImplicitWithoutStateOrScopes(t *testing.T) {
	s := newSite(blank + "#access_token=AT&session_secret_key=S")
	g := s.grant()
	g.State, g.Scopes = "", nil
	if _, err := g.Token(t.Context()); err != nil {
		t.Error(err)
	}
	if strings.Contains(s.seen[0], "state") || strings.Contains(s.seen[0], "scope") {
		t.Errorf("first request is %s", s.seen[0])
	}
}

// A port that goes without saying makes no foreign page.
func TestImplicitDefaultPorts(t *testing.T) {
	for redirect, location := range map[string]string{
		"":                           "https://api.ok.ru:443/blank.html",
		"https://example.org:443/in": "https://example.org/in",
		"http://localhost/":          "http://localhost:80/",
		"https://example.org/in/":    "https://example.org/in", // and neither does a slash at the end
		"https://example.org/in":     "https://example.org/in/",
	} {
		s := newSite(location + goodFragment)
		s.pages["/oauth/authorize"] = always(reply{location: "https://connect.ok.ru:443/dk?st.cmd=OAuth2Login&st.layout=w"})
		s.pages["OAuth2Login"] = always(reply{body: strings.Replace(loginForm, `action="`, `action="https://connect.ok.ru:443`, 1)})
		g := s.grant()
		g.RedirectURL = redirect
		if got, err := g.Token(t.Context()); err != nil || got.AccessToken != "AT" {
			t.Errorf("%s: %v, %v", location, got, err)
		}
	}
}

func TestImplicitWhenConsentWasGiven(t *testing.T) {
	s := newSite("")
	s.pages["POST OAuth2Login"] = always(reply{location: blank + goodFragment})
	if got, err := s.grant().Token(t.Context()); err != nil || got.AccessToken != "AT" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestImplicitFailures(t *testing.T) {
	page := func(body string) func(url.Values) reply { return always(reply{body: body}) }
	loginTo := func(action, method string) func(url.Values) reply {
		return page(`<form method=` + method + ` action="` + action + `"><input name=fr.email><input name=fr.password type=password></form>`)
	}
	tests := map[string]struct {
		at    string // this page is different
		is    func(url.Values) reply
		err   error // errors.Is
		page  string
		oauth string // code of the RetrieveError
		asks  int    // requests in all
		says  string // the text of the error
	}{
		"wrong password":          {"POST OAuth2Login", always(reply{location: "/dk?st.cmd=OAuth2Login"}), oauth.ErrCredentials, "", "", 4, "okru: oauth.Implicit: wrong login or password; the user must correct them"},
		"wrong password, in form": {"POST OAuth2Login", page(loginForm), oauth.ErrCredentials, "", "", 3, "okru: oauth.Implicit: wrong login or password; the user must correct them"},
		"captcha page":            {"POST OAuth2Login", page(`<form method=post action=/dk?st.cmd=Captcha><input name=fr.code></form>`), oauth.ErrSignIn, "https://connect.ok.ru/dk?cmd=OAuth2Login&st.cmd=OAuth2Login", "", 3, "okru: oauth.Implicit: the user must act at a page of OK (st.cmd=OAuth2Login)"},
		"captcha in login form": {"POST OAuth2Login", page(strings.Replace(loginForm, "</form>", "<img src=x><input name=fr.captcha></form>", 1)),
			oauth.ErrSignIn, "https://connect.ok.ru/dk?cmd=OAuth2Login&st.cmd=OAuth2Login", "", 3, "okru: oauth.Implicit: the user must act at a page of OK (st.cmd=OAuth2Login)"},
		"unknown page":             {"OAuth2Login", page(`<h1>News</h1>`), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w", "", 2, "okru: oauth.Implicit: the user must act at a page of OK (st.cmd=OAuth2Login)"},
		"empty page":               {"OAuth2Login", page(``), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w", "", 2, "okru: oauth.Implicit: the user must act at a page of OK (st.cmd=OAuth2Login)"},
		"consent again and again":  {"POST OAuth2Permissions", page(consentForm), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Permissions&cmd=OAuth2Permissions", "", 5, "okru: oauth.Implicit: the user must act at a page of OK (st.cmd=OAuth2Permissions)"},
		"redirect loop":            {"OAuth2Login", always(reply{location: "/dk?st.cmd=OAuth2Login"}), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login", "", 20, "okru: oauth.Implicit: OK's pages redirect in a loop; the user must sign in"},
		"redirect elsewhere":       {"OAuth2Login", always(reply{location: "https://m.ok.ru/check"}), oauth.ErrSignIn, "https://m.ok.ru/check", "", 2, "okru: oauth.Implicit: OK redirects to a page outside https://connect.ok.ru; the user must act there"},
		"redirect to http":         {"OAuth2Login", always(reply{location: "http://connect.ok.ru/dk"}), oauth.ErrSignIn, "http://connect.ok.ru/dk", "", 2, "okru: oauth.Implicit: OK redirects to a page outside https://connect.ok.ru; the user must act there"},
		"redirect to http's port":  {"OAuth2Login", always(reply{location: "https://connect.ok.ru:80/dk"}), oauth.ErrSignIn, "https://connect.ok.ru:80/dk", "", 2, "okru: oauth.Implicit: OK redirects to a page outside https://connect.ok.ru; the user must act there"},
		"redirect to a port":       {"OAuth2Login", always(reply{location: "https://connect.ok.ru:8443/dk"}), oauth.ErrSignIn, "https://connect.ok.ru:8443/dk", "", 2, "okru: oauth.Implicit: OK redirects to a page outside https://connect.ok.ru; the user must act there"},
		"redirect to nowhere":      {"OAuth2Login", always(reply{status: 302}), nil, "", "", 2, "okru: the authorize page: the response is a redirect, which is not followed: 302 Found"},
		"form elsewhere":           {"OAuth2Login", loginTo("https://evil.example/steal", "post"), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w", "", 2, "okru: oauth.Implicit: a form of OK is not for https://connect.ok.ru by POST and was not sent; the user must sign in"},
		"form by http":             {"OAuth2Login", loginTo("http://connect.ok.ru/dk", "post"), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w", "", 2, "okru: oauth.Implicit: a form of OK is not for https://connect.ok.ru by POST and was not sent; the user must sign in"},
		"form by look-alike":       {"OAuth2Login", loginTo("//connect.ok.ru@evil.example/", "post"), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w", "", 2, "okru: oauth.Implicit: a form of OK is not for https://connect.ok.ru by POST and was not sent; the user must sign in"},
		"form by GET":              {"OAuth2Login", loginTo("/dk", "get"), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w", "", 2, "okru: oauth.Implicit: a form of OK is not for https://connect.ok.ru by POST and was not sent; the user must sign in"},
		"form by script":           {"OAuth2Login", loginTo("javascript:alert(1)", "post"), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w", "", 2, "okru: oauth.Implicit: a form of OK is not for https://connect.ok.ru by POST and was not sent; the user must sign in"},
		"a page without a name":    {"/oauth/authorize", page("CANARY"), oauth.ErrSignIn, "https://connect.ok.ru/oauth/authorize?client_id=512&redirect_uri=https%3A%2F%2Fapi.ok.ru%2Fblank.html&response_type=token&scope=A%3BB&state=st%26te&layout=w", "", 1, "okru: oauth.Implicit: the user must act at a page of OK"},
		"ClientID is no number":    {"/oauth/authorize", page("Error : Failed to convert value CANARY"), nil, "", "", 1, "okru: the authorize page: the response is an HTML page: OK cannot parse a parameter; ClientID must be the application's number (application id), not its key"},
		"login in a comment":       {"OAuth2Login", page("<!--" + loginForm + "-->"), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w", "", 2, "okru: oauth.Implicit: the user must act at a page of OK (st.cmd=OAuth2Login)"},
		"login in a script":        {"OAuth2Login", page("<script>`" + loginForm + "`</script>"), oauth.ErrSignIn, "https://connect.ok.ru/dk?st.cmd=OAuth2Login&st.layout=w", "", 2, "okru: oauth.Implicit: the user must act at a page of OK (st.cmd=OAuth2Login)"},
		"rejected application":     {"/oauth/authorize", always(reply{status: 401, kind: "application/json", body: `{"error":"invalid_client","error_description":"CANARY+pass"}`}), nil, "", "invalid_client", 1, "okru: the authorize page: invalid_client ([redacted])"},
		"rejected, form unknown":   {"/oauth/authorize", always(reply{status: 401, kind: "application/json", body: `{"message":"no"}`}), nil, "", "", 1, "okru: the authorize page: the response has status 401 Unauthorized"},
		"rejected by an API error": {"/oauth/authorize", always(reply{status: 401, body: `{"error_code":401,"error_msg":"AUTH : CANARY+pass"}`}), nil, "", "", 1, "okru: AUTH_LOGIN (401): [redacted]"},
		"server error":             {"OAuth2Permissions", always(reply{status: 500, body: "CANARY+pass"}), nil, "", "", 4, "okru: the authorize page: the response has status 500 Internal Server Error"},
		"JSON instead of a page":   {"OAuth2Login", always(reply{kind: "application/json", body: `{"error":"oops"}`}), nil, "", "oops", 2, "okru: the authorize page: oops"},
		"denied":                   {"POST OAuth2Permissions", always(reply{location: blank + "#error=access_denied&state=st%26te"}), oauth.ErrDenied, "", "access_denied", 5, "okru: redirect: access_denied; the user must sign in again"},
		"denied without state":     {"POST OAuth2Permissions", always(reply{location: blank + "#error=access_denied"}), oauth.ErrDenied, "", "access_denied", 5, "okru: redirect: access_denied; the user must sign in again"},
		"other state":              {"POST OAuth2Permissions", always(reply{location: blank + "#access_token=CANARY&state=other"}), oauth.ErrState, "", "", 5, "okru: redirect: its state differs from the one sent; it may be forged: start the sign-in again"},
		"no state":                 {"POST OAuth2Permissions", always(reply{location: blank + "#access_token=CANARY"}), oauth.ErrState, "", "", 5, "okru: redirect: its state differs from the one sent; it may be forged: start the sign-in again"},
		"no session":               {"POST OAuth2Permissions", always(reply{location: blank + "#state=st%26te"}), nil, "", "", 5, "okru: redirect: it has neither a code nor an access_token"},
		"a code instead":           {"POST OAuth2Permissions", always(reply{location: blank + "?code=CANARY&state=st%26te"}), nil, "", "", 5, "okru: redirect: it has neither a code nor an access_token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(blank + goodFragment)
			s.pages[test.at] = test.is
			got, err := s.grant().Token(t.Context())
			if err == nil {
				t.Fatalf("session %+v", got)
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%d"} {
				if got := fmt.Sprintf(verb, err); got != test.says {
					t.Errorf("%s prints %q, want %q", verb, got, test.says)
				}
			}
			if final, ok := err.(interface{ Terminal() bool }); !ok || !final.Terminal() {
				t.Errorf("error %v is not Terminal: Retry would repeat the call", err)
			}
			if test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("error is %v, want %v", err, test.err)
			}
			stands := test.err != nil && test.err != oauth.ErrState
			if errors.Is(err, oauth.ErrSignIn) != stands {
				t.Errorf("%v is ErrSignIn: %v, want %v", err, !stands, stands)
			}
			pageErr, _ := errors.AsType[*oauth.PageError](err)
			if pageErr == nil {
				pageErr = new(oauth.PageError)
			}
			if pageErr.URL() != test.page {
				t.Errorf("page is %q, want %q (%v)", pageErr.URL(), test.page, err)
			}
			re, ok := errors.AsType[*oauth2.RetrieveError](err)
			if test.err == nil && !strings.Contains(name, "session") && !strings.Contains(name, "code") && !ok {
				t.Errorf("%v is no *oauth2.RetrieveError", err)
			}
			if ok && re.ErrorCode != test.oauth {
				t.Errorf("RetrieveError has code %q, want %q", re.ErrorCode, test.oauth)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "CANARY") {
				t.Errorf("error leaks: %v", err)
			}
			if len(s.seen) != test.asks {
				t.Errorf("%d requests, want %d:\n%s", len(s.seen), test.asks, strings.Join(s.seen, "\n"))
			}
		})
	}
}

// OK answers with JSON if it rejects the application.
func TestImplicitHeaders(t *testing.T) {
	s := newSite(blank + goodFragment)
	g := s.grant()
	g.HTTPClient.Transport = transport.Func(func(r *http.Request) (*http.Response, error) {
		if accept := r.Header.Get("Accept"); accept != "text/html, application/json;q=0.9" {
			t.Errorf("Accept is %q", accept)
		}
		if kind, isForm := r.Header.Get("Content-Type"), r.Method == "POST"; (kind == "application/x-www-form-urlencoded") != isForm || (kind == "") == isForm {
			t.Errorf("Content-Type of %s is %q", r.Method, kind)
		}
		return s.RoundTrip(r)
	})
	if _, err := g.Token(t.Context()); err != nil {
		t.Error(err)
	}
}

// Each attempt starts without cookies, and the client's own jar stays out.
func TestImplicitCookies(t *testing.T) {
	s := newSite(blank + goodFragment)
	var cookies []string
	g := s.grant()
	g.HTTPClient.Transport = transport.Func(func(r *http.Request) (*http.Response, error) {
		cookies = append(cookies, r.Header.Get("Cookie"))
		return s.RoundTrip(r)
	})
	for range 2 {
		if _, err := g.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if c := "JSESSIONID=1"; !slices.Equal(cookies, []string{"", c, c, c, c, "", c, c, c, c}) {
		t.Errorf("cookies are %q", cookies)
	}
}

func TestFormsAreFoundByTheirFields(t *testing.T) {
	search := `<input name=fr.email><button name=q></button><form action="https://evil.example/search"><input name="q"></form>`
	for name, body := range map[string]string{
		"second on the page":     search + loginForm,
		"inside a table":         `<table><form method=post action="/dk?st.cmd=OAuth2Login"><tr><td><input name=fr.email></td><td><input name=fr.password></td></tr></form></table>`,
		"never closed":           `<form method=post action="/dk?st.cmd=OAuth2Login"><p><input name=fr.email><input name=fr.password>`,
		"in another form":        `<form method=post action="/dk?st.cmd=OAuth2Login"><form action=//evil.example><input name=fr.email><input name=fr.password></form>`,
		"after a template":       `<template><form method=post action=//evil.example><input name=fr.email><input name=fr.password></form></template>` + loginForm,
		"after nested templates": `<template><template></template><form method=post action=//evil.example><input name=fr.email><input name=fr.password></form></template>` + loginForm,
		"after an end tag":       `</template></form>` + loginForm,
		"around a template":      `<form method=post action="/dk?st.cmd=OAuth2Login"><template></form></template><input name=fr.email><input name=fr.password></form>`,
		"with a disabled one":    `<form method=post action=//evil.example><input disabled name=fr.email><input disabled name=fr.password></form>` + loginForm,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(blank + goodFragment)
			s.pages["OAuth2Login"] = always(reply{body: body})
			if _, err := s.grant().Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(s.seen[2], "fr.email=anna&fr.password=CANARY%2Bpass") || strings.Contains(s.seen[2], "evil") {
				t.Errorf("sent %s", s.seen[2])
			}
		})
	}
}

// A form is sent as a browser sends it if the user types login and password, and
// with the checkboxes.
func TestFieldsOfAForm(t *testing.T) {
	s := newSite(blank + goodFragment)
	s.pages["OAuth2Login"] = always(reply{body: `<form method=" post " action=" /dk?st.cmd=OAuth2Login "><input name=fr.email value=old><input name=fr.password TYPE=PASSWORD>
		<input type=HIDDEN name=h value=1><input type=hidden name=h value=2><input type=checkbox name=c value=on>
		<input type=radio name=r value=1><input type=radio name=r value=2 checked><input type=radio name=r value=3>
		<input type=submit name=s value=x><input type=image name=i value=x><input type=button name=b value=x><button name=k value=x>x</button>
		<input type=reset name=e value=x><input type=file name=f value=x><input type=hidden value=x><input type=hidden name=d value=x disabled></form>`})
	if _, err := s.grant().Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := "POST https://connect.ok.ru/dk?st.cmd=OAuth2Login c=on&fr.email=anna&fr.password=CANARY%2Bpass&h=1&h=2&r=2"; s.seen[2] != want {
		t.Errorf("sent %s, want %s", s.seen[2], want)
	}
}

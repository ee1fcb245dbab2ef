package oktest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-okru/okru/oktest"
)

// authorizeURL returns the page where a sign-in begins; later pairs override,
// and "" takes away.
func authorizeURL(base string, pairs ...string) string {
	q := values("client_id", app.ID, "response_type", "code", "redirect_uri", redirectURI, "scope", "VALUABLE_ACCESS;PHOTO_CONTENT", "state", "s&t", "layout", "w")
	for name, value := range values(pairs...) {
		q[name] = value
		if value[0] == "" {
			q.Del(name)
		}
	}
	return base + "/oauth/authorize?" + q.Encode()
}

const realConnect = "https://connect.ok.ru"

func TestPagesFromLoginToRedirect(t *testing.T) {
	srv := newServer(t)
	for name, way := range map[string]struct {
		rt   http.RoundTripper
		base string
	}{
		"Transport": {srv.Transport(), realConnect},
		"InProcess": {srv.InProcess(), realConnect},
		"URL":       {new(http.Transport), srv.URL()},
	} {
		t.Run(name, func(t *testing.T) {
			anna := srv.NewUser("anna@"+name, "пароль & co")
			p := newPerson(t, way.rt)
			defer p.client.CloseIdleConnections()

			login := p.open(authorizeURL(way.base))
			if login.cmd() != "OAuth2Login" || login.status != 200 {
				t.Fatalf("not signed in, at %s: %s", login.address, login.text)
			}
			if !strings.Contains(login.text, `action="/dk?cmd=OAuth2Login&amp;st.cmd=OAuth2Login"`) {
				t.Errorf("the action is not relative or not escaped: %s", login.text)
			}
			f := login.forms[0]
			if f.fields.Get("fr.posted") != "set" || !f.fields.Has("fr.email") || !f.fields.Has("fr.password") ||
				f.fields.Get("fr.remember") != "on" || len(f.buttons) != 1 || f.buttons[0] != "" {
				t.Errorf("the login form: %+v", f)
			}
			wrong := p.submit(login, "fr.email", anna.Login(), "fr.password", "nonsense")
			if wrong.cmd() != "OAuth2Login" || !strings.Contains(wrong.text, "Wrong login or password") {
				t.Fatalf("wrong password, at %s: %s", wrong.address, wrong.text)
			}
			consent := p.submit(wrong, "fr.email", anna.Login(), "fr.password", "пароль & co")
			if consent.cmd() != "OAuth2Permissions" || !strings.Contains(consent.text, "PHOTO_CONTENT") {
				t.Fatalf("signed in, at %s: %s", consent.address, consent.text)
			}
			f = consent.forms[0]
			if f.fields.Get("fr.posted") != "set" || f.fields.Get("fr.token") == "" || f.buttons[0] != "button_accept_request" {
				t.Errorf("the consent form: %+v", f)
			}
			back := p.submit(consent, "button_accept_request", "")
			if back.address.Host != "example.com" || back.address.Query().Get("state") != "s&t" {
				t.Fatalf("after consent: %s", back.address)
			}
			r := exchange(t, srv.InProcess(), "grant_type", "authorization_code", "redirect_uri", redirectURI, "code", back.address.Query().Get("code"))
			if r.tokens(t).AccessToken == "" {
				t.Errorf("the code is rejected: %s", r.body)
			}
			// All was granted before, so the dialog closes by itself.
			again := p.open(authorizeURL(way.base, "response_type", "token"))
			if again.address.Host != "example.com" {
				t.Errorf("the second time, at %s: %s", again.address, again.text)
			}
		})
	}
}

func TestImplicitFragment(t *testing.T) {
	srv := newServer(t)
	srv.Configure(oktest.Settings{Scopes: []string{"VALUABLE_ACCESS", "LONG_ACCESS_TOKEN"}})
	srv.NewUser("anna", "secret").Grant("LONG_ACCESS_TOKEN")
	p := newPerson(t, srv.InProcess())
	back := p.submit(p.open(authorizeURL(realConnect, "response_type", "token", "redirect_uri", "okauth://ok"+app.ID,
		"scope", "VALUABLE_ACCESS;LONG_ACCESS_TOKEN;PHOTO_CONTENT")), "fr.email", "anna", "fr.password", "secret")
	if !strings.HasPrefix(back.header.Get("Location"), "okauth://ok"+app.ID+"#access_token=") {
		t.Fatalf("got %s", back.header.Get("Location"))
	}
	got, err := url.ParseQuery(back.address.EscapedFragment())
	if err != nil {
		t.Fatal(err)
	}
	// PHOTO_CONTENT is not for this application, and silently left out.
	for name, want := range map[string]string{"permissions_granted": "VALUABLE_ACCESS;LONG_ACCESS_TOKEN", "expires_in": "2592000", "state": "s&t"} {
		if got.Get(name) != want {
			t.Errorf("%s: got %q, want %q", name, got.Get(name), want)
		}
	}
	call := signed(values("method", "events.get"), got.Get("access_token"), got.Get("session_secret_key"))
	if r := get(t, srv.InProcess(), realAPI, call); r.code(t) != 0 || last(t, srv).Circuit != "client" {
		t.Errorf("the session: %s", r.body)
	}
}

func TestConsentDenied(t *testing.T) {
	srv := newServer(t)
	srv.NewUser("anna", "secret")
	for kind, want := range map[string]string{
		"code":  redirectURI + "?error=access_denied&error_description=The+user+denied+access&state=s%26t",
		"token": redirectURI + "#error=access_denied&error_description=The+user+denied+access&state=s%26t",
	} {
		p := newPerson(t, srv.InProcess())
		consent := p.submit(p.open(authorizeURL(realConnect, "response_type", kind)), "fr.email", "anna", "fr.password", "secret")
		if nothing := p.submit(consent); nothing.cmd() != "OAuth2Permissions" {
			t.Errorf("no button pushed, at %s", nothing.address)
		}
		forged := p.submit(consent, "fr.token", "x", "button_accept_request", "")
		if forged.status != http.StatusForbidden {
			t.Errorf("a forged form: status %d at %s", forged.status, forged.address)
		}
		denied := p.submit(p.open(realConnect+"/dk?st.cmd=OAuth2Permissions"), "button_cancel_request", "")
		if got := denied.header.Get("Location"); got != want {
			t.Errorf("denied: got %s, want %s", got, want)
		}
	}
}

func TestAuthorizeRejected(t *testing.T) {
	srv := newServer(t)
	srv.Configure(oktest.Settings{RedirectURIs: []string{redirectURI}})
	for name, test := range map[string]struct {
		pairs  []string
		status int
		text   string // in the page or in Location
	}{
		"unknown application":     {[]string{"client_id", "1"}, 401, `"error":"invalid_client"`},
		"redirect not registered": {[]string{"redirect_uri", redirectURI + "/x"}, 400, "not registered"},
		"query is not compared":   {[]string{"redirect_uri", redirectURI + "?x=1"}, 200, "OAuth2Login"},
		"no redirect":             {[]string{"redirect_uri", ""}, 400, "absolute URI"},
		"redirect with fragment":  {[]string{"redirect_uri", redirectURI + "#x"}, 400, "without a fragment"},
		"relative redirect":       {[]string{"redirect_uri", "/callback"}, 400, "absolute URI"},
		"no response type":        {[]string{"response_type", ""}, 400, "response_type"},
		"unknown scope":           {[]string{"scope", "VALUABLE"}, 302, "error=invalid_scope"},
		"scopes joined by spaces": {[]string{"scope", "VALUABLE_ACCESS PHOTO_CONTENT"}, 302, "error=invalid_scope"},
		"no scope":                {[]string{"scope", ""}, 200, "OAuth2Login"},
	} {
		s := newPerson(t, srv.InProcess()).open(authorizeURL(realConnect, test.pairs...))
		if s.status != test.status || !strings.Contains(s.text+s.header.Get("Location"), test.text) {
			t.Errorf("%s: got %d %s %s", name, s.status, s.header.Get("Location"), s.text)
		}
	}
	// The official JavaScript SDKs join scopes by a raw semicolon.
	escaped := authorizeURL(realConnect, "scope", "VALUABLE_ACCESS;PHOTO_CONTENT", "state", "a;b")
	raw := strings.ReplaceAll(escaped, "%3B", ";")
	if s := newPerson(t, srv.InProcess()).open(raw); raw == escaped || s.status != 200 || s.cmd() != "OAuth2Login" {
		t.Errorf("scopes joined by a raw semicolon: got %d %s", s.status, s.text)
	}
	if s := newPerson(t, srv.InProcess()).open(realConnect + "/dk?st.cmd=OAuth2Login"); s.status != 400 {
		t.Errorf("a login page out of the blue: status %d", s.status)
	}
}

func TestChecks(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "secret")
	for check, want := range map[oktest.Check]struct {
		page, text, code string
	}{
		oktest.Captcha:    {"OAuth2Captcha", "Are you a human?", `"error_code":402`},
		oktest.HumanCheck: {"OAuth2PhoneCheck", "Confirm your phone", `"error_code":403`},
		oktest.Blocked:    {"OAuth2Blocked", "blocked", `"error_code":401`},
		oktest.NoCheck:    {"OAuth2Permissions", "asks for", `"session_key"`},
	} {
		anna.Require(check)
		p := newPerson(t, srv.InProcess())
		s := p.submit(p.open(authorizeURL(realConnect)), "fr.email", "anna", "fr.password", "secret")
		if s.cmd() != want.page || !strings.Contains(s.text, want.text) {
			t.Errorf("check %d: at %s: %s", check, s.address, s.text)
		}
		r := post(t, srv.InProcess(), realAPI, sessionless("method", "auth.login", "user_name", "anna", "password", "secret"))
		if r.code(t); !strings.Contains(r.body, want.code) {
			t.Errorf("check %d: auth.login: %s", check, r.body)
		}
		if link := `"ver_redirect_url":"https://connect.ok.ru/dk?st.cmd=OAuth2PhoneCheck"`; strings.Contains(r.body, link) != (check == oktest.HumanCheck) {
			t.Errorf("check %d: ver_redirect_url: %s", check, r.body)
		}
	}
}

// What a stranger writes into an address is not markup in a page.
func TestPagesEscape(t *testing.T) {
	srv := newServer(t)
	srv.NewUser("<b>anna</b>", "secret")
	p := newPerson(t, srv.InProcess())
	s := p.submit(p.open(authorizeURL(realConnect)), "fr.email", "<b>anna</b>", "fr.password", "secret")
	if strings.Contains(s.text, "<b>") || !strings.Contains(s.text, "&lt;b&gt;anna") {
		t.Errorf("the login is markup: %s", s.text)
	}
}

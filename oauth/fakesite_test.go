package oauth_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-okru/okru/oauth"
)

// A site is connect.ok.ru as it is not: pages by their URL's st.cmd, or by
// their path. It notes what it was asked.
type site struct {
	pages map[string]func(form url.Values) reply
	seen  []string // METHOD URL form
}

type reply struct {
	status   int
	location string
	kind     string
	body     string
	cookie   string
}

func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	var text []byte
	if r.Body != nil {
		text, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	s.seen = append(s.seen, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+string(text)))
	form, _ := url.ParseQuery(string(text))
	name := r.URL.Query().Get("st.cmd")
	if name == "" {
		name = r.URL.Path
	}
	if r.Method == http.MethodPost {
		name = "POST " + name
	}
	page, ok := s.pages[name]
	if r.URL.Scheme+"://"+r.URL.Host != "https://connect.ok.ru" || !ok {
		return nil, fmt.Errorf("site: unexpected request %s %s", r.Method, r.URL)
	}
	p := page(form)
	header := http.Header{"Content-Type": {p.kind}}
	if p.kind == "" {
		header.Set("Content-Type", "text/html; charset=utf-8")
	}
	if p.location != "" {
		header.Set("Location", p.location)
		p.status = http.StatusFound
	}
	if p.cookie != "" {
		header.Set("Set-Cookie", p.cookie)
	}
	return &http.Response{StatusCode: max(p.status, 200), Header: header, Body: io.NopCloser(strings.NewReader(p.body)), Request: r}, nil
}

func always(p reply) func(url.Values) reply { return func(url.Values) reply { return p } }

const (
	loginForm = `<form method="post" action="/dk?cmd=OAuth2Login&amp;st.cmd=OAuth2Login">
		<input name="fr.posted" type="hidden" value="set"></input><input type=text name=fr.email><input type=password name="fr.password">
		<input type="checkbox" name="fr.remember" value="on"/><input type="submit" value="Sign in"></form>`
	consentForm = `<form METHOD="POST" action="/dk?st.cmd=OAuth2Permissions&amp;cmd=OAuth2Permissions"><input TYPE="hidden" name="fr.posted" value="set">
		<input type="hidden" name="fr.token" value="CSRF"><button name=button_accept_request value=x>OK</button><input type=submit name=button_cancel_request></form>`
	blank = "https://api.ok.ru/blank.html"
)

// newSite returns a site on which everything goes well and ends at end.
func newSite(end string) *site {
	return &site{pages: map[string]func(url.Values) reply{
		"/oauth/authorize":       always(reply{location: "/dk?st.cmd=OAuth2Login&st.layout=w", cookie: "JSESSIONID=1; Path=/; Secure"}),
		"OAuth2Login":            always(reply{body: loginForm}),
		"POST OAuth2Login":       always(reply{location: "https://connect.ok.ru/dk?st.cmd=OAuth2Permissions"}),
		"OAuth2Permissions":      always(reply{body: consentForm}),
		"POST OAuth2Permissions": always(reply{location: end}),
	}}
}

func (s *site) grant() oauth.Implicit {
	return oauth.Implicit{ClientID: "512", Login: "anna", Password: "CANARY+pass", Scopes: []string{"A", "B"}, State: "st&te",
		HTTPClient: &http.Client{Transport: s}}
}

const goodFragment = "#access_token=AT&session_secret_key=00123&permissions_granted=A;B&expires_in=1800&state=st%26te"

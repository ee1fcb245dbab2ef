package oauth

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// maxPages bounds the pages and redirects of one sign-in. The longest one
// known takes six.
const maxPages = 20

// Fields by which the forms are told apart.
const (
	fieldLogin    = "fr.email"
	fieldPassword = "fr.password"
	fieldAccept   = "button_accept_request"
)

// A browser goes through the pages of the implicit flow in a human's stead.
// It sends each form once and leaves connect.ok.ru for nothing.
type browser struct {
	grant    Implicit
	redirect *url.URL
	client   *http.Client
	secrets  secrets

	loggedIn, accepted bool // the form was sent
}

func newBrowser(g Implicit) (*browser, error) {
	redirect, err := parseLink(url.Parse, g.redirectURL())
	if err != nil || redirect.Scheme == "" {
		return nil, &failure{text: "okru: oauth.Implicit: RedirectURL is not an absolute URL"}
	}
	jar, _ := cookiejar.New(nil) // which never fails
	return &browser{
		grant:    g,
		redirect: redirect,
		client:   confined(g.HTTPClient, jar),
		secrets:  secrets{g.Password},
	}, nil
}

// signIn returns the URL that OK redirects to in the end.
func (b *browser) signIn(ctx context.Context) (string, error) {
	req, err := b.request(ctx, http.MethodGet, b.grant.AuthURL()+"&layout=w", nil)
	for range maxPages {
		if err != nil {
			return "", err
		}
		var a *answer
		if a, err = fetch(b.client, req, b.secrets); err != nil {
			return "", err
		}
		if to := a.Header.Get("Location"); a.StatusCode/100 == 3 && b.isRedirectURL(to) {
			return to, nil
		}
		req, err = b.next(req, a)
	}
	return "", newPageError(req.URL, "OK's pages lead in circles; a human must sign in")
}

func (b *browser) request(ctx context.Context, method, to string, form url.Values) (*http.Request, error) {
	var body io.Reader // nil for GET
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return nil, &failure{text: "okru: oauth.Implicit: OK links to something that is no URL"}
	}
	req.Header.Set("Accept", "text/html, application/json;q=0.9")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, nil
}

// isRedirectURL reports whether location is where the sign-in ends. What comes
// after the path is the answer.
func (b *browser) isRedirectURL(location string) bool {
	u, err := parseLink(url.Parse, location)
	return err == nil && strings.EqualFold(u.Scheme, b.redirect.Scheme) && strings.EqualFold(u.Host, b.redirect.Host) &&
		u.Opaque == b.redirect.Opaque && strings.TrimSuffix(u.Path, "/") == strings.TrimSuffix(b.redirect.Path, "/")
}

// next returns what to request after a, which answers req.
func (b *browser) next(req *http.Request, a *answer) (*http.Request, error) {
	switch {
	case a.StatusCode/100 == 3:
		return b.follow(req, a)
	case a.StatusCode != http.StatusOK || a.fields != nil:
		return nil, a.failure("the authorize page", b.secrets)
	}
	return b.fill(req, parseForms(a.body))
}

// follow requests the target of a redirect, always by GET: no form is sent on.
func (b *browser) follow(req *http.Request, a *answer) (*http.Request, error) {
	location := a.Header.Get("Location")
	to, err := parseLink(req.URL.Parse, location)
	if err != nil || location == "" {
		return nil, a.failure("the authorize page", b.secrets)
	}
	if !atHome(to) {
		return nil, newPageError(to, "OK sends to a page outside https://"+connectHost+"; a human must act there")
	}
	return b.request(req.Context(), http.MethodGet, to.String(), nil)
}

// fill fills in the form of the page that req asked for, and sends it.
func (b *browser) fill(req *http.Request, forms []*form) (*http.Request, error) {
	login, consent := find(forms, fieldLogin, fieldPassword), find(forms, fieldAccept)
	switch {
	case login != nil && b.loggedIn:
		return nil, errCredentials
	case login != nil:
		b.loggedIn = true
		login.fields.Set(fieldLogin, b.grant.Login)
		login.fields.Set(fieldPassword, b.grant.Password)
		return b.submit(req, login)
	case consent != nil && !b.accepted:
		b.accepted = true
		consent.fields.Set(fieldAccept, "")
		return b.submit(req, consent)
	}
	return nil, newPageError(req.URL, "a human must act at a page of OK"+b.name(req.URL))
}

// name names a page by its command, which is all that is fit to be printed of
// its URL.
func (b *browser) name(page *url.URL) string {
	cmd := page.Query().Get("st.cmd")
	if cmd == "" {
		return ""
	}
	return " (st.cmd=" + b.secrets.clean(cmd) + ")"
}

var errCredentials = &failure{
	text: "okru: oauth.Implicit: wrong login or password; a human must correct them",
	is:   []error{ErrCredentials, ErrSignIn},
}

// find returns the first form that has all these fields and asks for nothing
// that only a human knows, such as the letters of a picture.
func find(forms []*form, names ...string) *form {
	for _, f := range forms {
		if f.hasAll(names) && f.asksOnlyFor(fieldLogin, fieldPassword) {
			return f
		}
	}
	return nil
}

// submit sends f, which stands on the page that req asked for.
func (b *browser) submit(req *http.Request, f *form) (*http.Request, error) {
	to, err := parseLink(req.URL.Parse, f.action)
	if err != nil || f.method != http.MethodPost || !atHome(to) {
		return nil, newPageError(req.URL, "a form of OK's would not go to https://"+connectHost+
			" by POST, so it was not sent; a human must sign in")
	}
	return b.request(req.Context(), http.MethodPost, to.String(), f.fields)
}

// parseLink parses link and leaves out a port that goes without saying, as
// browsers do.
func parseLink(parse func(string) (*url.URL, error), link string) (*url.URL, error) {
	u, err := parse(link)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "https":
		u.Host = strings.TrimSuffix(u.Host, ":443")
	case "http":
		u.Host = strings.TrimSuffix(u.Host, ":80")
	}
	return u, nil
}

// atHome reports whether u may be requested: its host is the only one to see
// login and password.
func atHome(u *url.URL) bool {
	return u.Scheme == "https" && strings.EqualFold(u.Host, connectHost)
}

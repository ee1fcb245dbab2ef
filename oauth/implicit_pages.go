package oauth

// This file visits OK's sign-in pages like a browser: it requests a page, follows
// redirects, and fills in and sends forms.

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/go-okru/okru/internal/redact"
)

// maxPages bounds the pages and redirects of one sign-in. The longest known
// sign-in has six.
const maxPages = 20

// Fields that identify the forms.
const (
	fieldLogin    = "fr.email"
	fieldPassword = "fr.password"
	fieldAccept   = "button_accept_request"
)

// A pageWalker visits the pages of the implicit flow as a browser would. It
// sends each form once and connects only to connect.ok.ru.
type pageWalker struct {
	grant    Implicit
	redirect *url.URL       // the end: the redirect URI of the application
	client   *http.Client   // follows no redirects by itself; has the cookies
	secrets  redact.Secrets // which no error may contain

	loginSent, consentSent bool
}

// newPageWalker returns a pageWalker with an empty cookie jar: each sign-in is
// that of a new browser, so that no earlier user of the client takes part.
func newPageWalker(ctx context.Context, g Implicit) (*pageWalker, error) {
	redirect, err := parseLink(url.Parse, g.redirectURL())
	if err != nil || redirect.Scheme == "" {
		return nil, &failure{text: "okru: oauth.Implicit: RedirectURL is not an absolute URL"}
	}
	jar, _ := cookiejar.New(nil) // never fails
	return &pageWalker{
		grant:    g,
		redirect: redirect,
		client:   newClient(ctx, g.HTTPClient, jar),
		secrets:  redact.Secrets{g.Password},
	}, nil
}

// signIn returns the URL that OK redirects to in the end.
func (w *pageWalker) signIn(ctx context.Context) (string, error) {
	req, err := w.request(ctx, http.MethodGet, w.grant.AuthURL()+"&layout=w", nil)
	// One round for each page: a redirect, a form, or the end.
	for range maxPages {
		if err != nil {
			return "", err
		}
		var resp *response
		if resp, err = roundTrip(w.client, req, w.secrets); err != nil {
			return "", err
		}
		if to := resp.Header.Get("Location"); resp.StatusCode/100 == 3 && w.isRedirectURL(to) {
			return to, nil
		}
		req, err = w.next(req, resp)
	}
	return "", newPageError(req.URL, "OK's pages redirect in a loop; the user must sign in")
}

// request returns a request for a page, or with a form for the POST of that. OK
// answers with JSON if it rejects the application, hence Accept.
func (w *pageWalker) request(ctx context.Context, method, to string, form url.Values) (*http.Request, error) {
	var body io.Reader // nil for GET
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return nil, &failure{text: "okru: oauth.Implicit: OK links to an invalid URL"}
	}
	req.Header.Set("Accept", "text/html, application/json;q=0.9")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, nil
}

// isRedirectURL reports whether location is the redirect URI: same scheme,
// host and path. The result follows the path.
func (w *pageWalker) isRedirectURL(location string) bool {
	u, err := parseLink(url.Parse, location)
	return err == nil && strings.EqualFold(u.Scheme, w.redirect.Scheme) && strings.EqualFold(u.Host, w.redirect.Host) &&
		u.Opaque == w.redirect.Opaque && strings.TrimSuffix(u.Path, "/") == strings.TrimSuffix(w.redirect.Path, "/")
}

// next returns the request that follows resp, the response to req.
func (w *pageWalker) next(req *http.Request, resp *response) (*http.Request, error) {
	switch {
	case resp.StatusCode/100 == 3:
		return w.follow(req, resp)
	case resp.StatusCode != http.StatusOK || resp.fields != nil:
		return nil, resp.failure("the authorize page", w.secrets)
	}
	return w.fill(req, resp)
}

// follow requests the target of a redirect, always by GET: no form is
// forwarded.
func (w *pageWalker) follow(req *http.Request, resp *response) (*http.Request, error) {
	location := resp.Header.Get("Location")
	to, err := parseLink(req.URL.Parse, location)
	if err != nil || location == "" {
		return nil, resp.failure("the authorize page", w.secrets)
	}
	if !isConnect(to) {
		return nil, newPageError(to, "OK redirects to a page outside https://"+connectHost+"; the user must act there")
	}
	return w.request(req.Context(), http.MethodGet, to.String(), nil)
}

// fill fills in and sends the form on the page resp. The login form a second
// time means that OK rejected login or password. Each form is sent once, so that
// no page can make the walker try a password again.
func (w *pageWalker) fill(req *http.Request, resp *response) (*http.Request, error) {
	forms := parseForms(resp.body)
	login, consent := findForm(forms, fieldLogin, fieldPassword), findForm(forms, fieldAccept)
	switch {
	case login != nil && w.loginSent:
		return nil, errCredentials
	case login != nil:
		w.loginSent = true
		login.fields.Set(fieldLogin, w.grant.Login)
		login.fields.Set(fieldPassword, w.grant.Password)
		return w.submit(req, login)
	case consent != nil && !w.consentSent:
		w.consentSent = true
		consent.fields.Set(fieldAccept, "")
		return w.submit(req, consent)
	case bytes.Contains(resp.body, []byte("Failed to convert value")): // OK's page for a ClientID that is no number
		return nil, resp.failure("the authorize page", w.secrets)
	}
	return nil, newPageError(req.URL, "the user must act at a page of OK"+w.pageName(req.URL))
}

// pageName names a page by its command, the only part of its URL that may be
// printed.
func (w *pageWalker) pageName(page *url.URL) string {
	cmd := page.Query().Get("st.cmd")
	if cmd == "" {
		return ""
	}
	return " (st.cmd=" + cleanText(cmd, w.secrets) + ")"
}

var errCredentials = &failure{
	text:   "okru: oauth.Implicit: wrong login or password; the user must correct them",
	causes: []error{ErrCredentials, ErrSignIn},
}

// submit sends the form f of the page that req requested.
func (w *pageWalker) submit(req *http.Request, f *form) (*http.Request, error) {
	to, err := parseLink(req.URL.Parse, f.action)
	if err != nil || f.method != http.MethodPost || !isConnect(to) {
		return nil, newPageError(req.URL, "a form of OK is not for https://"+connectHost+
			" by POST and was not sent; the user must sign in")
	}
	return w.request(req.Context(), http.MethodPost, to.String(), f.fields)
}

// parseLink parses link and removes a default port, as browsers do.
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

// isConnect reports whether u is on https://connect.ok.ru, the only host that
// receives login and password.
func isConnect(u *url.URL) bool {
	return u.Scheme == "https" && strings.EqualFold(u.Host, connectHost)
}

// A form is a form of an HTML page, as far as signing in needs it.
type form struct {
	method, action string          // in upper case, and as in the page
	fields         url.Values      // what a browser sends if the user types nothing
	typed          []string        // names of the fields to type in
	buttons        map[string]bool // names of the buttons that send the form
}

// findForm returns the first form that has all these fields and no others to
// type in, such as the text of a captcha.
func findForm(forms []*form, names ...string) *form {
	for _, f := range forms {
		if f.hasAll(names) && f.hasOnlyTyped(fieldLogin, fieldPassword) {
			return f
		}
	}
	return nil
}

// hasAll reports whether f has all of these fields or buttons.
func (f *form) hasAll(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !f.fields.Has(name) && !f.buttons[name] })
}

// hasOnlyTyped reports whether f has no fields to type in but these.
func (f *form) hasOnlyTyped(names ...string) bool {
	return !slices.ContainsFunc(f.typed, func(name string) bool { return !slices.Contains(names, name) })
}

// parseForms returns the forms of a page in their order.
//
// It reads tags and does not build a tree. A field belongs to the form whose
// tag was opened last: if the form is inside a table, that form is not an
// ancestor of the field in the tree. It takes linear time for any page.
func parseForms(page []byte) []*form {
	var p formParser
	tags := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch tags.Next() {
		case html.ErrorToken:
			return p.forms
		case html.StartTagToken, html.SelfClosingTagToken:
			p.open(tags.Token())
		case html.EndTagToken:
			p.close(tags.Token())
		}
	}
}

// A formParser collects forms while tags are read.
type formParser struct {
	forms    []*form
	current  *form // nil: outside any form
	template int   // depth; browsers ignore the forms inside a template
}

// open handles a start tag.
func (p *formParser) open(t html.Token) {
	switch {
	case t.DataAtom == atom.Template:
		p.template++
	case p.template > 0:
	case t.DataAtom == atom.Form && p.current == nil: // browsers ignore a form in a form
		p.current = newForm(t)
		p.forms = append(p.forms, p.current)
	case p.current != nil && (t.DataAtom == atom.Input || t.DataAtom == atom.Button):
		p.current.add(t)
	}
}

// close handles an end tag.
func (p *formParser) close(t html.Token) {
	switch {
	case t.DataAtom == atom.Template:
		p.template = max(0, p.template-1)
	case t.DataAtom == atom.Form && p.template == 0:
		p.current = nil
	}
}

// newForm returns an empty form with the attributes of its tag.
func newForm(t html.Token) *form {
	method, _ := attribute(t, "method")
	action, _ := attribute(t, "action")
	return &form{
		method:  strings.ToUpper(strings.TrimSpace(method)),
		action:  strings.TrimSpace(action),
		fields:  make(url.Values),
		buttons: make(map[string]bool),
	}
}

// add adds a field. OK's pages expect every field except the buttons, also the
// checkboxes that are not checked.
func (f *form) add(t html.Token) {
	name, _ := attribute(t, "name")
	if _, disabled := attribute(t, "disabled"); disabled || name == "" {
		return
	}
	value, _ := attribute(t, "value")
	kind, _ := attribute(t, "type")
	_, checked := attribute(t, "checked")
	switch kind = strings.ToLower(kind); {
	case t.DataAtom == atom.Button, kind == "submit", kind == "image", kind == "button":
		f.buttons[name] = true
	case kind == "reset", kind == "file":
	case kind == "radio" && !checked:
	default:
		f.fields.Add(name, value)
		if kind != "hidden" && kind != "checkbox" && kind != "radio" {
			f.typed = append(f.typed, name)
		}
	}
}

// attribute returns the value of an attribute, and whether the tag has it.
func attribute(t html.Token, name string) (string, bool) {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

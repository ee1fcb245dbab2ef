package okvcr_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// keys are all that the program below has to be given.
type keys struct {
	app                   oktest.App
	session               *oauth2.Token
	code, login, password string
	group                 string // token of a bot
}

// A program does everything that involves a secret. It logs the results, in
// words that do not depend on the secrets.
type program struct {
	keys
	base http.RoundTripper
	on   func(func(*oktest.Server)) // does something to the fake; not on replay
	log  []string
}

func (p *program) run() []string {
	p.circuits()
	p.codeGrant()
	p.passwordGrants()
	p.photo()
	p.graph()
	p.oddities()
	return p.log
}

func (p *program) note(name string, result any, err error) {
	code, _ := errors.AsType[okerrors.Code](err)
	if err != nil && code == 0 {
		result = err
	}
	p.log = append(p.log, fmt.Sprintf("%s: %v, code %d", name, result, code))
}

func (p *program) client(circuit transport.Circuit, sessions oauth2.TokenSource) *http.Client {
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    p.app.Key,
		ApplicationSecret: p.app.Secret,
		Circuit:           circuit,
		TokenSource:       sessions,
		GroupToken:        p.group,
		Retry:             transport.Retry{Max: -1}, // a replay has no more responses than were recorded
		Base:              p.base,
	})
	if err != nil {
		panic(err)
	}
	return client
}

var ctx = context.Background()

// circuits calls by GET and by POST on each circuit.
func (p *program) circuits() {
	for _, circuit := range []transport.Circuit{transport.ServerServer, transport.ClientServer, transport.Sessionless, transport.Unsigned} {
		c := p.client(circuit, oauth2.StaticTokenSource(p.session))
		uids := url.Values{"uids": {fmt.Sprint(54000000000001 + int(circuit)%3)}, "fields": {"uid,name"}, "call_id": {circuit.String()}}
		groups, err := okru.Call[any](ctx, c, "group.getInfo", uids)
		p.note("POST group.getInfo "+circuit.String(), groups, err)
		p.get(c, "https://api.ok.ru/api/group/getInfo?"+uids.Encode(), nil)
	}
}

// get sends a GET and logs the response.
func (p *program) get(c *http.Client, address string, header http.Header) {
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		panic(err)
	}
	r.Header = header
	resp, err := c.Do(r)
	if err != nil {
		p.note("GET", nil, err)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	p.note(fmt.Sprintf("GET: %d, length %v", resp.StatusCode, resp.ContentLength < 0 || resp.ContentLength == int64(len(text))), len(text) > 0, err)
}

// codeGrant signs in by a code and loses the session in three ways.
func (p *program) codeGrant() {
	source := oauth.NewSource(oauth.Code{
		ClientID: p.app.ID, ClientSecret: p.app.Secret, RedirectURL: "https://example.org/", Code: p.code,
		HTTPClient: &http.Client{Transport: p.base},
	}, oauth.Options{CoolDown: -1})
	c := p.client(transport.Auto, source)
	for _, lose := range []func(*oktest.Server, string){
		func(*oktest.Server, string) {},
		(*oktest.Server).Revoke,
		(*oktest.Server).Expire,
		func(s *oktest.Server, token string) { s.Replace(token) },
	} {
		session, err := source.Token()
		p.note("session", session != nil, err)
		if session != nil {
			p.on(func(s *oktest.Server) { lose(s, session.AccessToken) })
		}
		status, err := okru.Call[bool](ctx, c, "users.isAppUser", nil)
		p.note("users.isAppUser", status, err)
	}
}

func (p *program) passwordGrants() {
	for name, grant := range map[string]oauth.Grant{
		"implicit": oauth.Implicit{ClientID: p.app.ID, Login: p.login, Password: p.password, HTTPClient: &http.Client{Transport: p.base}},
		"password": oauth.Password{ApplicationKey: p.app.Key, ApplicationSecret: p.app.Secret, Login: p.login, Password: p.password,
			HTTPClient: &http.Client{Transport: p.base}},
	} {
		session, err := grant.Token(ctx)
		p.note(name, oauth.SessionSecret(session) != "", err)
		if err != nil {
			continue
		}
		friends, err := okru.Call[[]string](ctx, p.client(transport.ClientServer, oauth2.StaticTokenSource(session)), "friends.get", url.Values{"grant": {name}})
		p.note(name+": friends.get", friends, err)
	}
}

// graph makes calls of the bot of a group, whose token is in the query.
func (p *program) graph() {
	c := p.client(transport.Auto, nil)
	info, err := okru.Graph[any](ctx, c, "GET", "me/info", nil)
	p.note("me/info", info, err)
	_, err = okru.Graph[any](ctx, c, "POST", "me/subscribe", map[string]bool{"longPolling": true})
	p.note("me/subscribe", nil, err)
	_, err = okru.Graph[any](ctx, c, "POST", "me/subscribe", map[string]string{"url": "no URL"})
	p.note("me/subscribe, wrong", nil, err)
	updates, err := okru.Graph[any](ctx, c, "GET", "me/updates?timeout=0", nil)
	p.note("me/updates", updates, err)
}

// photo uploads a file to a URL and commits it by a token that only the
// responses contain.
func (p *program) photo() {
	c := p.client(transport.Auto, oauth2.StaticTokenSource(p.session))
	place, err := okru.Call[struct {
		URL string   `json:"upload_url"`
		IDs []string `json:"photo_ids"`
	}](ctx, c, "photosV2.getUploadUrl", nil)
	if err != nil || len(place.IDs) != 1 {
		p.note("photosV2.getUploadUrl", place.IDs, err)
		return
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, _ := form.CreateFormFile("pic1", "a.jpg")
	fmt.Fprint(file, "JPEG")
	form.Close()
	resp, err := c.Post(place.URL, form.FormDataContentType(), &body)
	if err != nil {
		p.note("upload", nil, err)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	_, token, _ := strings.Cut(string(text), `"token":"`)
	token, _, _ = strings.Cut(token, `"`)
	p.note("upload", token != "", err)
	_, err = okru.Call[any](ctx, c, "photosV2.commit", url.Values{"photo_id": place.IDs, "token": {token}})
	p.note("photosV2.commit", nil, err)
}

// oddities are responses that quote secrets, XML, compression, and headers.
func (p *program) oddities() {
	session := p.session
	c := p.client(transport.Auto, oauth2.StaticTokenSource(session))
	p.on(func(s *oktest.Server) {
		s.Inject(oktest.Fault{Times: 1, Error: &okerrors.Error{Code: okerrors.CodeParam, Message: "PARAM : not for " + session.AccessToken + " with client_secret=" + url.QueryEscape(s.App().Secret)}})
	})
	_, err := okru.Call[any](ctx, c, "users.hasAppPermission", nil)
	p.note("quoted", nil, err)

	p.on(func(s *oktest.Server) { s.Inject(oktest.Fault{Times: 1, Gzip: true}) })
	p.get(c, "https://api.ok.ru/fb.do?method=users.getCurrentUser&fields=uid&text=a+b%26c", http.Header{"Accept-Encoding": {"gzip"}})

	p.on(func(s *oktest.Server) { s.Replace(session.AccessToken) })
	for _, format := range []string{"xml", "json"} {
		p.get(c, "https://api.ok.ru/fb.do?method=users.getLoggedInUser&format="+format, http.Header{
			"Authorization": {"session " + session.AccessToken},
			"Cookie":        {"sid=" + session.RefreshToken},
			"X-Gateway":     {session.RefreshToken},
		})
	}
}

package oauth_test

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// token returns a session that expires after life, unless that is 0, and has a
// refresh token if refresh is not empty.
func token(access, refresh string, life time.Duration) *oauth2.Token {
	t := &oauth2.Token{AccessToken: access, TokenType: "session", RefreshToken: refresh}
	if life != 0 {
		t.Expiry = time.Now().Add(life)
	}
	return t
}

// A script is a grant whose results are given.
type script struct {
	respond func(n int) (*oauth2.Token, error) // n counts from 1
	delay   time.Duration                      // each result takes this long, unless its context ends

	mu    sync.Mutex
	calls []string
}

// numbered returns a script of sessions T1, T2, … that live for life and have
// refresh tokens.
func numbered(life time.Duration) *script {
	return &script{respond: func(n int) (*oauth2.Token, error) {
		return token(fmt.Sprintf("T%d", n), fmt.Sprintf("R%d", n), life), nil
	}}
}

// unclocked is numbered without refresh tokens.
func unclocked() *script {
	return &script{respond: func(n int) (*oauth2.Token, error) {
		return token(fmt.Sprintf("T%d", n), "", time.Hour), nil
	}}
}

func failing(err error) *script {
	return &script{respond: func(int) (*oauth2.Token, error) { return nil, err }}
}

func (g *script) play(ctx context.Context, call string) (*oauth2.Token, error) {
	g.mu.Lock()
	g.calls = append(g.calls, call)
	n := len(g.calls)
	g.mu.Unlock()
	if g.delay > 0 {
		select {
		case <-time.After(g.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return g.respond(n)
}

func (g *script) Token(ctx context.Context) (*oauth2.Token, error) { return g.play(ctx, "token") }

func (g *script) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.calls)
}

// A renewing script is a Renewer too.
type renewing struct{ *script }

func (g renewing) Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	return g.play(ctx, "renew "+old.AccessToken+" "+old.RefreshToken)
}

// want fails the test unless s has the session access.
func want(t *testing.T, s oauth2.TokenSource, access string) *oauth2.Token {
	t.Helper()
	got, err := s.Token()
	if err != nil {
		t.Fatalf("Token: %v; want %s", err, access)
	}
	if got.AccessToken != access {
		t.Fatalf("Token is %s, want %s", got.AccessToken, access)
	}
	return got
}

// wantErr fails the test unless s has no session for the reason target.
func wantErr(t *testing.T, s oauth2.TokenSource, target error) error {
	t.Helper()
	got, err := s.(contextSource).TokenContext(t.Context())
	if err == nil || got != nil {
		t.Fatalf("TokenContext returns %v, %v; want no session and error %v", got, err, target)
	}
	if target != nil && !errors.Is(err, target) {
		t.Fatalf("Token: %v; want one that is %v", err, target)
	}
	if final, ok := errors.AsType[interface {
		error
		Terminal() bool
	}](err); !ok || !final.Terminal() {
		t.Errorf("error %v is not Terminal: Retry would repeat the call", err)
	}
	return err
}

type contextSource interface {
	TokenContext(context.Context) (*oauth2.Token, error)
}

func wantCalls(t *testing.T, g *script, n int) {
	t.Helper()
	if got := g.count(); got != n {
		t.Fatalf("the grant was asked %d times (%v), want %d", got, g.calls, n)
	}
}

var errNetwork = errors.New("network is down")

// hooks collects what a Source reports.
type hooks struct {
	mu     sync.Mutex
	tokens []string
	errs   []error
}

func (h *hooks) onToken(t *oauth2.Token) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tokens = append(h.tokens, t.AccessToken)
}

func (h *hooks) onError(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errs = append(h.errs, err)
}

func (h *hooks) options(store oauth.Store) oauth.Options {
	return oauth.Options{Store: store, OnToken: h.onToken, OnError: h.onError}
}

func md5Hex(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }

func sha256Hex(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// An endpoint is a RoundTripper that returns the same response to every request.
type endpoint struct {
	status int // 0: 200
	kind   string
	body   string
	header http.Header
	err    error // instead of a response, before the body is read

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

const goodResponse = `{"access_token":"A","token_type":"session","refresh_token":"R","expires_in":"1800"}`

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

// A memory is a store whose faults are set from outside.
type memory struct {
	lock chan struct{}

	mu                        sync.Mutex
	content                   *oauth2.Token
	journal                   []string
	loadErr, saveErr, lockErr error
}

func newMemory(t *oauth2.Token) *memory {
	return &memory{content: t, lock: make(chan struct{}, 1)}
}

func (m *memory) note(op string) {
	m.journal = append(m.journal, op)
}

func (m *memory) Load(context.Context) (*oauth2.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note("load")
	return m.content, m.loadErr
}

func (m *memory) Save(_ context.Context, t *oauth2.Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note("save " + t.AccessToken)
	if m.saveErr == nil {
		m.content, m.loadErr = t, nil
	}
	return m.saveErr
}

func (m *memory) Lock(ctx context.Context) (func(), error) {
	m.mu.Lock()
	m.note("lock")
	err := m.lockErr
	m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case m.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return func() {
		m.mu.Lock()
		m.note("unlock")
		m.mu.Unlock()
		<-m.lock
	}, nil
}

// access returns the access token that m has.
func (m *memory) access() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.content == nil {
		return ""
	}
	return m.content.AccessToken
}

// saves returns how often m was given a session since the last call of ops.
func (m *memory) saves() (n int) {
	for _, op := range m.ops() {
		if strings.HasPrefix(op, "save ") {
			n++
		}
	}
	return n
}

// put is another process at work.
func (m *memory) put(t *oauth2.Token) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.content, m.loadErr = t, nil
}

func (m *memory) fault(load, save, lock error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loadErr, m.saveErr, m.lockErr = load, save, lock
}

// ops returns what was done to m since the last call of ops.
func (m *memory) ops() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() { m.journal = nil }()
	return slices.Clone(m.journal)
}

func wantOps(t *testing.T, m *memory, want ...string) {
	t.Helper()
	if got := m.ops(); !slices.Equal(got, want) {
		t.Errorf("store was used as %v, want %v", got, want)
	}
}

// slowSaver is a memory that takes 20 s to save.
type slowSaver struct{ *memory }

func (m slowSaver) Save(ctx context.Context, t *oauth2.Token) error {
	select {
	case <-time.After(20 * time.Second):
		return m.memory.Save(ctx, t)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// slowLoader is a memory that takes a second to load.
type slowLoader struct{ *memory }

func (m slowLoader) Load(ctx context.Context) (*oauth2.Token, error) {
	defer time.Sleep(time.Second)
	return m.memory.Load(ctx)
}

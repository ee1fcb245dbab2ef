package oauth_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

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

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

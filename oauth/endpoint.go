package oauth

// This file sends forms to the token endpoint and to auth.login. response.go reads
// what comes back.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
)

// The only two hosts that grants connect to, and the resources they use there.
const (
	connectHost = "connect.ok.ru"
	authURL     = "https://connect.ok.ru/oauth/authorize"
	tokenURL    = "https://api.ok.ru/oauth/token.do"
	loginURL    = "https://api.ok.ru/fb.do"

	// blankPage is the redirect URI of programs that have none of their own.
	blankPage = "https://api.ok.ru/blank.html"
)

// Endpoint is OK's OAuth 2.0 endpoint, for use in an [oauth2.Config]. The one
// in golang.org/x/oauth2/odnoklassniki has host names that no longer exist.
//
// OK separates scopes by semicolons, and x/oauth2 by spaces: pass all scopes as
// one string. [oauth2.Transport] sends the token in a header, which OK
// ignores: use a client of package okru for API calls.
//
// See https://apiok.ru/en/ext/oauth/server.
var Endpoint = oauth2.Endpoint{
	AuthURL:   authURL,
	TokenURL:  tokenURL,
	AuthStyle: oauth2.AuthStyleInParams,
}

const (
	// maxResponse bounds how much of a response is read. Token responses have
	// a few hundred bytes, pages a few hundred KiB.
	maxResponse = 1 << 20

	// defaultTimeout bounds one request if the program gives no client.
	defaultTimeout = 30 * time.Second
)

// newClient returns a copy of c that follows no redirects, so that no secret is
// forwarded, and that uses the cookies of jar only. If c is nil, it is a copy
// of the client that ctx has under [oauth2.HTTPClient], and if there is none,
// a client like [http.DefaultClient] with a timeout.
func newClient(ctx context.Context, c *http.Client, jar http.CookieJar) *http.Client {
	if c == nil {
		c, _ = ctx.Value(oauth2.HTTPClient).(*http.Client)
	}
	if c == nil {
		c = &http.Client{Transport: http.DefaultClient.Transport, Timeout: defaultTimeout}
	}
	own := *c
	own.Jar = jar
	// A redirect with status 307 or 308 would send the form, with its secrets, to
	// the host that it names.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// A tokenEndpoint is token.do with the credentials of one application.
type tokenEndpoint struct {
	clientID, clientSecret string
	client                 *http.Client // nil: see newClient
}

// refresh obtains a session with a refresh token. The session keeps the
// refresh token if the response has none.
func (e tokenEndpoint) refresh(ctx context.Context, refreshToken string) (*oauth2.Token, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}
	t, _, err := e.post(ctx, form, refreshToken)
	if err == nil && t.RefreshToken == "" {
		t.RefreshToken = refreshToken
	}
	return t, err
}

// post sends form with the credentials of the application. It also reports
// whether OK may have received the form.
func (e tokenEndpoint) post(ctx context.Context, form url.Values, secret string) (*oauth2.Token, bool, error) {
	form.Set("client_id", e.clientID)
	form.Set("client_secret", e.clientSecret)
	p := &formPost{client: e.client, url: tokenURL, form: form, secrets: redact.Secrets{e.clientSecret, secret}}
	resp, err := p.send(ctx)
	if err != nil {
		return nil, p.sent.Load(), err
	}
	t, err := resp.token(param.AccessToken, "token.do", p.secrets)
	return t, true, err
}

// A formPost is one form for one of OK's endpoints.
type formPost struct {
	client  *http.Client // nil: see newClient
	url     string
	form    url.Values
	secrets redact.Secrets // which no error may contain

	sent atomic.Bool // the endpoint may have received the form
}

// send sends the form and reads the response. The form is only in the body, and
// never in the URL, which servers and proxies log. GetBody lets net/http send it
// again on a new connection if an idle one was closed before anything was sent.
func (p *formPost) send(ctx context.Context) (*response, error) {
	text := p.form.Encode()
	body := func() (io.ReadCloser, error) {
		return &sentBody{Reader: strings.NewReader(text), sent: &p.sent}, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, nil)
	if err != nil {
		return nil, fmt.Errorf("okru: %w", err)
	}
	req.Body, _ = body()
	req.GetBody = body
	req.ContentLength = int64(len(text))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	return roundTrip(newClient(ctx, p.client, nil), req, p.secrets)
}

// A sentBody is a body that records in sent whether it was read. net/http does
// not read the body before it has a connection.
type sentBody struct {
	*strings.Reader
	sent *atomic.Bool
}

// Read records that the body was read.
func (b *sentBody) Read(p []byte) (int, error) {
	b.sent.Store(true)
	return b.Reader.Read(p)
}

// WriteTo replaces that of strings.Reader, which does not call Read.
func (b *sentBody) WriteTo(w io.Writer) (int64, error) {
	b.sent.Store(true)
	return b.Reader.WriteTo(w)
}

// Close does nothing: the form is in memory.
func (b *sentBody) Close() error { return nil }

// roundTrip sends req and reads the whole response.
func roundTrip(c *http.Client, req *http.Request, secrets redact.Secrets) (*response, error) {
	resp, err := c.Do(req)
	if err != nil {
		return nil, requestError(req, err, secrets)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err == nil && len(body) > maxResponse {
		err = errTooLong
	}
	if err != nil {
		return nil, requestError(req, fmt.Errorf("reading the response: %w", err), secrets)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return &response{Response: resp, body: body, fields: parseFields(body)}, nil
}

var errTooLong = fmt.Errorf("it is longer than %d bytes", maxResponse)

// requestError returns the error of a request that got no complete response.
// It shows the URL without the query, which may contain secrets.
func requestError(req *http.Request, err error, secrets redact.Secrets) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	place := req.URL.Scheme + "://" + req.URL.Host + req.URL.Path
	return &failure{
		text:   fmt.Sprintf("okru: %s %s: %s", req.Method, place, cleanText(err.Error(), secrets)),
		causes: []error{redactError(err, secrets)},
	}
}

package oauth

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
)

const (
	// maxAnswer bounds how much of an answer or a page is read. Token answers
	// have a few hundred bytes, pages a few hundred KiB.
	maxAnswer = 1 << 20

	// defaultTimeout bounds one request if the user gave no client.
	defaultTimeout = 30 * time.Second
)

// confined returns a copy of c that hands every redirect to its caller, so
// that no secret is sent on, and whose cookies are those of jar alone.
func confined(c *http.Client, jar http.CookieJar) *http.Client {
	if c == nil {
		c = &http.Client{Transport: http.DefaultClient.Transport, Timeout: defaultTimeout}
	}
	own := *c
	own.Jar = jar
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// An exchange is one form sent to one of OK's endpoints.
type exchange struct {
	client  *http.Client
	url     string
	form    url.Values
	secrets secrets // none of which may turn up in an error

	sent atomic.Bool // the endpoint may have seen the form
}

// do sends the form.
func (x *exchange) do(ctx context.Context) (*answer, error) {
	req, err := x.request(ctx)
	if err != nil {
		return nil, err
	}
	return fetch(confined(x.client, nil), req, x.secrets)
}

func (x *exchange) request(ctx context.Context) (*http.Request, error) {
	text := x.form.Encode()
	body := func() (io.ReadCloser, error) {
		return &watchedBody{Reader: strings.NewReader(text), read: &x.sent}, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url, nil)
	if err != nil {
		return nil, fmt.Errorf("okru: %w", err)
	}
	req.Body, _ = body()
	req.GetBody = body
	req.ContentLength = int64(len(text))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// watchedBody notes that a form left the program. A connection that cannot be
// made reads nothing.
type watchedBody struct {
	*strings.Reader
	read *atomic.Bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.Reader.Read(p)
}

// WriteTo keeps io.Copy from passing by Read.
func (b *watchedBody) WriteTo(w io.Writer) (int64, error) {
	b.read.Store(true)
	return b.Reader.WriteTo(w)
}

func (b *watchedBody) Close() error { return nil }

// fetch sends req and reads the answer.
func fetch(c *http.Client, req *http.Request, secrets secrets) (*answer, error) {
	resp, err := c.Do(req)
	if err != nil {
		return nil, unreachable(req, err, secrets)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = errTooLong
	}
	if err != nil {
		return nil, unreachable(req, fmt.Errorf("reading the answer: %w", err), secrets)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return &answer{Response: resp, body: body, fields: parseFields(body)}, nil
}

var errTooLong = fmt.Errorf("it is longer than %d bytes", maxAnswer)

// unreachable returns the failure of a request that got no whole answer. It
// names the place without its query, which may hold secrets.
func unreachable(req *http.Request, err error, secrets secrets) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	place := req.URL.Scheme + "://" + req.URL.Host + req.URL.Path
	return &failure{
		text: fmt.Sprintf("okru: %s %s: %s", req.Method, place, secrets.clean(err.Error())),
		is:   []error{err},
	}
}

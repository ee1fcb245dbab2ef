package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// A script is a RoundTripper that plays one outcome after the other, the last
// one again and again. It keeps count of what a layer above must not lose.
type script struct {
	outcomes []outcome

	mu     sync.Mutex
	forms  []string // of the requests, one for each attempt
	open   int      // responses whose body was not closed
	closed int      // responses whose body was closed, at least once
	idle   int      // calls of CloseIdleConnections
}

type outcome struct {
	status int
	text   string
	header http.Header
	err    error
}

func respondWith(status int, text string, header ...string) outcome {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return outcome{status: status, text: text, header: h}
}

func failure(err error) outcome { return outcome{err: err} }

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	form := ""
	if r.Body != nil {
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		form = string(text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outcomes[min(len(s.forms), len(s.outcomes)-1)]
	s.forms = append(s.forms, form)
	if o.err != nil {
		return nil, o.err
	}
	s.open++
	resp := o.response(r)
	resp.Body = &scriptBody{Reader: resp.Body, script: s}
	return resp, nil
}

// response returns the response of o to r.
func (o outcome) response(r *http.Request) *http.Response {
	return &http.Response{
		StatusCode: o.status, Header: o.header.Clone(), Request: r,
		Body: io.NopCloser(strings.NewReader(o.text)),
	}
}

func (s *script) CloseIdleConnections() { s.idle++ }

func (s *script) attempts() int { return len(s.forms) }

type scriptBody struct {
	io.Reader
	script *script
	once   sync.Once
}

func (b *scriptBody) Close() error {
	b.once.Do(func() {
		b.script.mu.Lock()
		defer b.script.mu.Unlock()
		b.script.open--
		b.script.closed++
	})
	return nil
}

const (
	readURL  = "https://api.ok.ru/fb.do?method=users.getInfo"
	writeURL = "https://api.ok.ru/fb.do?method=stream.publish"
)

func newGet(t testing.TB, ctx context.Context, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// finish reads a response to its end.
func finish(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var errBroken = errors.New("connection broken")

package interop_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

const friendsURL = "https://api.ok.ru/api/friends/get"

// config returns what a program knows of its application and its user, with
// the fake srv below.
func config(srv *oktest.Server, scopes ...string) okru.Config {
	return over(srv, srv.Transport(), scopes...)
}

// over is config with base below.
func over(srv *oktest.Server, base http.RoundTripper, scopes ...string) okru.Config {
	return okru.Config{
		ApplicationKey:    srv.App().Key,
		ApplicationSecret: srv.App().Secret,
		TokenSource:       oauth2.StaticTokenSource(srv.NewUser("anna", "her password").Token(scopes...)),
		Retry:             transport.Retry{MinDelay: time.Millisecond},
		Base:              base,
	}
}

func newTransport(cfg okru.Config) http.RoundTripper {
	rt, err := okru.NewTransport(cfg)
	if err != nil {
		panic(err)
	}
	return rt
}

func newClient(cfg okru.Config) *http.Client { return &http.Client{Transport: newTransport(cfg)} }

// A bottom is what a stack stands on. It counts what is given to it and what is
// not given back.
type bottom struct {
	next http.RoundTripper

	mu         sync.Mutex
	urls       []string // requested
	open       int      // bodies of responses
	idleClosed bool
	stall      func() // if set, calls wait for their context, and this is called
}

func (b *bottom) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.urls = append(b.urls, r.URL.String())
	stall := b.stall
	b.mu.Unlock()
	if stall != nil {
		stall()
		<-r.Context().Done()
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, r.Context().Err()
	}
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		b.count(1)
		resp.Body = &closing{ReadCloser: resp.Body, closed: func() { b.count(-1) }}
	}
	return resp, err
}

func (b *bottom) count(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open += n
}

func (b *bottom) CloseIdleConnections() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.idleClosed = true
}

// A closing is a body that reports when it is closed.
type closing struct {
	io.ReadCloser
	once   sync.Once
	closed func()
}

func (c *closing) Close() error {
	c.once.Do(c.closed)
	return c.ReadCloser.Close()
}

// A caller makes two calls through a peer: one that reads, by GET, and one that
// writes, by the form of a POST.
type caller struct {
	friends, setStatus func(context.Context) error
	closeIdle          func()
	bodyClosed         *bool // nil: the peer makes its own requests
}

// by returns a caller that uses c.
func by(c *http.Client) caller {
	closed := false
	return caller{
		friends: func(ctx context.Context) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, friendsURL, nil)
			if err != nil {
				return err
			}
			return drain(c.Do(r))
		},
		setStatus: func(ctx context.Context) error {
			form := url.Values{"method": {"users.setStatus"}, "status": {"Привет"}}
			body := &closing{ReadCloser: io.NopCloser(strings.NewReader(form.Encode())), closed: func() { closed = true }}
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.ok.ru/fb.do", body)
			if err != nil {
				return err
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return drain(c.Do(r))
		},
		closeIdle:  c.CloseIdleConnections,
		bodyClosed: &closed,
	}
}

func drain(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/oauth2"
)

const (
	// maxFragment bounds what the page may hand over.
	maxFragment = 64 << 10

	// lastPage is how long the browser has to fetch the last page, which is on
	// its way by then.
	lastPage = 250 * time.Millisecond
)

// A listener waits at a loopback address for the answer to one sign-in.
type listener struct {
	host, path, state string
	sockets           []net.Listener
	answer            chan redirectAnswer // of capacity one
}

type redirectAnswer struct {
	code  string
	token *oauth2.Token
	err   error
}

// listen listens at redirectURL. For localhost that is both 127.0.0.1 and
// [::1], since browsers may take either, and another program must not sit at
// the one that is left.
func listen(ctx context.Context, redirectURL, state string) (*listener, error) {
	u, err := url.Parse(redirectURL)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		return nil, errLoopbackURL
	}
	l := &listener{
		host:   strings.TrimSuffix(u.Host, ":80"), // as browsers write it
		path:   cmp.Or(u.Path, "/"),
		state:  state,
		answer: make(chan redirectAnswer, 1),
	}
	port := cmp.Or(u.Port(), "80")
	for i, address := range loopbackAddresses(u.Hostname()) {
		socket, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(address, port))
		switch {
		case err == nil:
			l.sockets = append(l.sockets, socket)
		case i == 0 || errors.Is(err, syscall.EADDRINUSE): // else the machine has no IPv6
			l.close()
			return nil, fmt.Errorf("okru: oauth.Loopback: cannot listen at RedirectURL: %w", err)
		}
	}
	if l.sockets == nil {
		return nil, errLoopbackURL
	}
	return l, nil
}

var errLoopbackURL = &failure{
	text: "okru: oauth.Loopback: RedirectURL must be like http://localhost:8910/path, with host localhost, 127.0.0.1 or [::1]",
}

func loopbackAddresses(host string) []string {
	switch strings.ToLower(host) {
	case "localhost":
		return []string{"127.0.0.1", "::1"}
	case "127.0.0.1", "::1":
		return []string{host}
	}
	return nil
}

func (l *listener) close() {
	for _, socket := range l.sockets {
		socket.Close()
	}
}

// wait serves until the answer is there, ctx ends or open fails.
func (l *listener) wait(ctx context.Context, open func() error) (string, *oauth2.Token, error) {
	server := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: maxFragment}
	var serving sync.WaitGroup
	for _, socket := range l.sockets {
		serving.Go(func() { _ = server.Serve(socket) })
	}
	defer serving.Wait()
	defer server.Close()
	opened := make(chan opening, 1)
	go func() { opened <- try(open) }()
	for {
		select {
		case a := <-l.answer:
			ctx, cancel := context.WithTimeout(ctx, lastPage)
			defer cancel()
			_ = server.Shutdown(ctx)
			return a.code, a.token, a.err
		case o := <-opened:
			o.panicked.again()
			if o.err != nil {
				return "", nil, o.err
			}
			opened = nil // the human is at it
		case <-ctx.Done():
			return "", nil, fmt.Errorf("okru: oauth.Loopback: waiting for the sign-in: %w", ctx.Err())
		}
	}
}

// An opening is how it went to open the browser.
type opening struct {
	err      error
	panicked *caught
}

func try(open func() error) (o opening) {
	o.panicked = catch(func() { o.err = open() })
	return o
}

// ServeHTTP serves the redirect, and the page that hands over a fragment.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A page elsewhere whose host name was made to point here has another Host.
	if !strings.EqualFold(r.Host, l.host) || r.URL.Path != l.path {
		http.NotFound(w, r)
		return
	}
	switch query := r.URL.Query(); {
	case r.Method == http.MethodGet && (query.Has("code") || query.Has("error")):
		l.take(r.URL.String(), signedInPage.serve, notSignedInPage.serve, w)
	case r.Method == http.MethodGet: // what there is to know is in the fragment
		handoverPage.serve(w, http.StatusOK)
	case r.Method == http.MethodPost && strings.EqualFold(r.Header.Get("Origin"), "http://"+l.host):
		fragment, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFragment))
		l.take("#"+string(fragment), say(signedIn), say(notSignedIn), w)
	default:
		say(notSignedIn)(w, http.StatusMethodNotAllowed)
	}
}

type reply func(w http.ResponseWriter, status int)

// say returns a reply to the script of the handover page.
func say(text string) reply {
	return func(w http.ResponseWriter, status int) { send(w, status, "text/plain; charset=utf-8", text) }
}

// take takes the answer, unless it is not one to this sign-in.
func (l *listener) take(rawURL string, yes, no reply, w http.ResponseWriter) {
	var a redirectAnswer
	a.code, a.token, a.err = ParseRedirect(rawURL, l.state)
	_, refused := errors.AsType[*oauth2.RetrieveError](a.err)
	switch {
	case a.err == nil:
		yes(w, http.StatusOK)
	case refused:
		no(w, http.StatusOK)
	default: // forged, or by somebody who typed the address
		no(w, http.StatusBadRequest)
		return
	}
	select {
	case l.answer <- a:
	default: // there was one already
	}
}

package oauth

// This file serves the redirect of a sign-in at a loopback address, as RFC 8252,
// section 7.3, describes.

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/oauth2"
)

const (
	// maxFragment bounds what the page may pass to the listener.
	maxFragment = 64 << 10

	// lastPage is how long the browser has to fetch the last page, which has
	// been written by then.
	lastPage = 250 * time.Millisecond
)

// A loopbackServer waits at a loopback address for the redirect of one sign-in.
type loopbackServer struct {
	host, path, state string              // what a request of this sign-in must have
	sockets           []net.Listener      // one per loopback address
	result            chan redirectResult // of capacity one
}

// A redirectResult is what ParseRedirect returned.
type redirectResult struct {
	code  string        // of the flow Code; else empty
	token *oauth2.Token // of the flow Implicit; else nil
	err   error
}

// listen listens at redirectURL. For localhost that means both 127.0.0.1 and
// [::1]: browsers use either, and no other program must receive the redirect.
func listen(ctx context.Context, redirectURL, state string) (*loopbackServer, error) {
	u, err := url.Parse(redirectURL)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		return nil, errLoopbackURL
	}
	l := &loopbackServer{
		host:   strings.TrimSuffix(u.Host, ":80"), // browsers omit the default port
		path:   cmp.Or(u.Path, "/"),
		state:  state,
		result: make(chan redirectResult, 1),
	}
	port := cmp.Or(u.Port(), "80")
	for i, address := range loopbackAddresses(u.Hostname()) {
		socket, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(address, port))
		switch {
		case err == nil:
			l.sockets = append(l.sockets, socket)
		case i == 0 || errors.Is(err, syscall.EADDRINUSE): // otherwise the machine has no IPv6
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

// loopbackAddresses returns the addresses of a host of RedirectURL, or nil if it
// is not a loopback host. The list is fixed: localhost is not looked up, because
// a name server could return the address of another machine.
func loopbackAddresses(host string) []string {
	switch strings.ToLower(host) {
	case "localhost":
		return []string{"127.0.0.1", "::1"}
	case "127.0.0.1", "::1":
		return []string{host}
	}
	return nil
}

// close closes the sockets of a server that was not started.
func (l *loopbackServer) close() {
	for _, socket := range l.sockets {
		socket.Close()
	}
}

// wait serves until the redirect arrives, ctx ends or open fails. It leaves no
// goroutine behind, except the one of an open that has not returned.
func (l *loopbackServer) wait(ctx context.Context, open func() error) (string, *oauth2.Token, error) {
	server := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: maxFragment}
	var serving sync.WaitGroup
	for _, socket := range l.sockets {
		serving.Go(func() { _ = server.Serve(socket) })
	}
	defer serving.Wait()
	defer server.Close()
	opened := make(chan error, 1)
	go func() { opened <- open() }()
	for {
		select {
		case r := <-l.result:
			ctx, cancel := context.WithTimeout(ctx, lastPage)
			defer cancel()
			_ = server.Shutdown(ctx)
			return r.code, r.token, r.err
		case err := <-opened:
			if err != nil {
				return "", nil, err
			}
		case <-ctx.Done():
			return "", nil, contextFailure(ctx, "oauth.Loopback: waiting for the sign-in")
		}
	}
}

// ServeHTTP serves the redirect, and the page that passes on a fragment. The
// script of that page sends its Origin, which the page of another site cannot
// forge.
func (l *loopbackServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// If a foreign host name resolves to this address, the Host header has it.
	if !strings.EqualFold(r.Host, l.host) || r.URL.Path != l.path {
		http.NotFound(w, r)
		return
	}
	switch query := r.URL.Query(); {
	case r.Method == http.MethodGet && (query.Has("code") || query.Has("error")):
		l.accept(w, r.URL.String(), signedInPage.serve, notSignedInPage.serve)
	case r.Method == http.MethodGet: // the result is in the fragment
		fragmentPage.serve(w, http.StatusOK)
	case r.Method == http.MethodPost && strings.EqualFold(r.Header.Get("Origin"), "http://"+l.host):
		fragment, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFragment))
		if err != nil { // incomplete
			fragment = nil
		}
		l.accept(w, "#"+string(fragment), plainText(signedIn), plainText(notSignedIn))
	default:
		plainText(notSignedIn)(w, http.StatusMethodNotAllowed)
	}
}

// accept takes the result from rawURL if that has the state of this sign-in.
// ParseRedirect accepts an error without a state, but here any page in the
// user's browser could send one and so end the sign-in.
func (l *loopbackServer) accept(w http.ResponseWriter, rawURL string, success, failure respond) {
	var r redirectResult
	r.code, r.token, r.err = ParseRedirect(rawURL, l.state)
	_, isOAuthError := errors.AsType[*oauth2.RetrieveError](r.err)
	f, _ := parseRedirect(rawURL)
	switch {
	case !equal(f.text("state"), l.state) || r.err != nil && !isOAuthError:
		failure(w, http.StatusBadRequest)
		return
	case r.err != nil:
		failure(w, http.StatusOK)
	default:
		success(w, http.StatusOK)
	}
	select {
	case l.result <- r:
	default: // there already is a result
	}
}

// The texts that the browser shows at the end of a sign-in.
const (
	signedIn    = "Signed in. You can close this page and go back to the program."
	notSignedIn = "You are not signed in. You can close this page and go back to the program."
)

var (
	signedInPage    = page{signedIn, removeQuery}
	notSignedInPage = page{notSignedIn, removeQuery}
	fragmentPage    = page{"<noscript>This page needs JavaScript to sign you in.</noscript>", sendFragment}
)

const (
	// removeQuery removes query and fragment from the address bar and from the
	// history of the browser.
	removeQuery = `history.replaceState(null, "", location.pathname);`

	// sendFragment sends the fragment to the origin of the page and shows the
	// response.
	sendFragment = `const result = location.hash.slice(1);
` + removeQuery + `
const show = text => { document.body.textContent = text };
fetch(location.pathname, {method: "POST", body: result, credentials: "omit", redirect: "error"})
	.then(r => r.text())
	.then(show, () => show("The program does not respond."));`
)

// A page is an HTML page with a script.
type page struct{ body, script string }

// respond writes a response with a status.
type respond func(w http.ResponseWriter, status int)

// serve writes p. Only its own script can run in it, and that script can
// connect only to its own origin.
func (p page) serve(w http.ResponseWriter, status int) {
	sum := sha256.Sum256([]byte(p.script))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	write(w, status, "text/html; charset=utf-8", "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Sign-in</title><body>"+
		p.body+"<script>"+p.script+"</script></body></html>\n")
}

// plainText returns a response to the script of fragmentPage.
func plainText(text string) respond {
	return func(w http.ResponseWriter, status int) { write(w, status, "text/plain; charset=utf-8", text) }
}

// write writes a response that is not cached and whose URL is not sent as a
// referrer. It flushes the response, because the listener closes next.
func write(w http.ResponseWriter, status int, kind, text string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
	_ = http.NewResponseController(w).Flush()
}

package oauth_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// freeURL returns a loopback URL that no server listens at.
func freeURL(t *testing.T, host, path string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprintf("http://%s:%d%s", host, l.Addr().(*net.TCPAddr).Port, path)
}

// A browserUser is a user with a browser, who was sent to authURL.
type browserUser struct {
	t     *testing.T
	auth  url.Values
	agent *http.Client
}

func newBrowserUser(t *testing.T, authURL string) *browserUser {
	u, err := url.Parse(authURL)
	if err != nil || !strings.HasPrefix(authURL, "https://connect.ok.ru/oauth/authorize?") {
		t.Errorf("the browser is sent to %s", authURL)
	}
	// Each its own connections, so that none is left behind.
	return &browserUser{t, u.Query(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// do sends a request and returns the response, whose body has been read.
func (h *browserUser) do(method, to, body string, header ...string) (*http.Response, string) {
	h.t.Helper()
	req, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	resp, err := h.agent.Do(req)
	if err != nil {
		h.t.Errorf("%s %s: %v", method, to, err)
		return &http.Response{Header: make(http.Header)}, ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp, string(text)
}

func (h *browserUser) redirect() string { return h.auth.Get("redirect_uri") }

func (h *browserUser) wantStatus(want int, method, to, body string, header ...string) {
	h.t.Helper()
	if resp, text := h.do(method, to, body, header...); resp.StatusCode != want {
		h.t.Errorf("%s %s %q: %d %q, want %d", method, to, body, resp.StatusCode, text, want)
	}
}

func TestLoopbackCode(t *testing.T) {
	for _, host := range []string{"localhost", "127.0.0.1"} {
		fake := newOK(t)
		g := oauth.Loopback{ClientID: fake.App().ID, ClientSecret: fake.App().Secret, RedirectURL: freeURL(t, host, "/back"),
			Scopes: []string{"A", "B"}, HTTPClient: fake.client}
		g.Open = func(authURL string) error {
			h := newBrowserUser(t, authURL)
			if h.auth.Get("response_type") != "code" || h.auth.Get("scope") != "A;B" || len(h.auth.Get("state")) < 20 {
				t.Errorf("the browser is sent to %s", authURL)
			}
			state, code := h.auth.Get("state"), fake.user.AuthCode(g.RedirectURL)
			h.wantStatus(http.StatusNotFound, "GET", strings.Replace(h.redirect(), "/back", "/other", 1)+"?code="+code+"&state="+state, "")
			h.wantStatus(http.StatusNotFound, "GET", h.redirect()+"?code="+code+"&state="+state, "", "Host", "evil.example")
			h.wantStatus(http.StatusBadRequest, "GET", h.redirect()+"?code=forged&state=other", "")
			h.wantStatus(http.StatusBadRequest, "GET", h.redirect()+"?code=forged", "")
			resp, text := h.do("GET", h.redirect()+"?code="+code+"&state="+state, "")
			if resp.StatusCode != http.StatusOK || !strings.Contains(text, "Signed in") || strings.Contains(text, code) {
				t.Errorf("the user reads %d %s", resp.StatusCode, text)
			}
			if c := resp.Header.Get("Cache-Control"); c != "no-store" {
				t.Errorf("Cache-Control is %q", c)
			}
			return nil
		}
		got, err := g.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fake.works(t, got)
		wantClosed(t, g.RedirectURL)
	}
}

func TestLoopbackImplicit(t *testing.T) {
	g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "localhost", "/back")}
	g.Open = func(authURL string) error {
		h := newBrowserUser(t, authURL)
		if h.auth.Get("response_type") != "token" {
			t.Errorf("the browser is sent to %s", authURL)
		}
		resp, text := h.do("GET", h.redirect(), "")
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(text, "location.hash") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("the page is %s with policy %q", text, policy)
		}
		origin, _, _ := strings.Cut(h.redirect(), "/back")
		result := "access_token=AT&session_secret_key=S&state=" + h.auth.Get("state")
		h.wantStatus(http.StatusMethodNotAllowed, "POST", h.redirect(), result)
		h.wantStatus(http.StatusMethodNotAllowed, "POST", h.redirect(), result, "Origin", "https://evil.example")
		h.wantStatus(http.StatusBadRequest, "POST", h.redirect(), "access_token=forged&state=other", "Origin", origin)
		h.wantStatus(http.StatusBadRequest, "POST", h.redirect(), "", "Origin", origin)
		h.wantStatus(http.StatusBadRequest, "POST", h.redirect(), result+strings.Repeat("&x", 1<<16), "Origin", origin)
		h.wantStatus(http.StatusMethodNotAllowed, "DELETE", h.redirect(), "")
		h.wantStatus(http.StatusOK, "POST", h.redirect(), result, "Origin", origin)
		return nil
	}
	got, err := g.Token(t.Context())
	if err != nil || got.AccessToken != "AT" || oauth.SessionSecret(got) != "S" {
		t.Fatalf("%v, %v", got, err)
	}
	wantClosed(t, g.RedirectURL)
}

func TestLoopbackDenied(t *testing.T) {
	for name, visit := range map[string]func(h *browserUser){
		"in the query": func(h *browserUser) {
			h.wantStatus(http.StatusOK, "GET", h.redirect()+"?error=access_denied&state="+h.auth.Get("state"), "")
		},
		"in the fragment": func(h *browserUser) {
			origin, _, _ := strings.Cut(h.redirect(), "/back")
			h.wantStatus(http.StatusOK, "POST", h.redirect(), "error=access_denied&state="+h.auth.Get("state"), "Origin", origin)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "localhost", "/back")}
			g.Open = func(authURL string) error { visit(newBrowserUser(t, authURL)); return nil }
			if _, err := g.Token(t.Context()); !errors.Is(err, oauth.ErrDenied) || !errors.Is(err, oauth.ErrSignIn) {
				t.Errorf("error is %v, want ErrDenied", err)
			}
			wantClosed(t, g.RedirectURL)
		})
	}
}

func TestLoopbackEnds(t *testing.T) {
	t.Run("with the context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "localhost", "/")}
		g.Open = func(string) error { cancel(); return nil }
		if _, err := g.Token(ctx); !errors.Is(err, context.Canceled) || err.Error() != "okru: oauth.Loopback: waiting for the sign-in: context canceled" {
			t.Errorf("error is %v", err)
		}
		wantClosed(t, g.RedirectURL)
	})
	t.Run("without a browser", func(t *testing.T) {
		g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "localhost", "/"), Open: func(string) error { return errNetwork }}
		_, err := g.Token(t.Context())
		if !errors.Is(err, errNetwork) || !strings.HasPrefix(err.Error(), "okru: oauth.Loopback: the browser cannot be opened: network is down; the address was https://connect.ok.ru/oauth/authorize?client_id=512&") {
			t.Errorf("error is %v, want one that shows the address", err)
		}
		wantClosed(t, g.RedirectURL)
	})
	t.Run("when the port is taken", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		g := oauth.Loopback{ClientID: "512", RedirectURL: "http://" + l.Addr().String(), Open: func(string) error { t.Error("the browser opens"); return nil }}
		if _, err := g.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "RedirectURL") || !strings.Contains(err.Error(), "in use") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("before it begins", func(t *testing.T) {
		for _, redirect := range []string{
			"https://localhost:8910/", "http://example.org:8910/", "http://0.0.0.0:8910/", "http://10.0.0.1:8910", "okauth://ok512", "localhost:8910", "http://[", "http://user@localhost:8910/",
			"http://localhost:8910/#x", "http://localhost.evil.example:8910/",
		} {
			g := oauth.Loopback{ClientID: "512", RedirectURL: redirect, Open: func(string) error { t.Error("the browser opens"); return nil }}
			if _, err := g.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "must be like") {
				t.Errorf("%s: error is %v", redirect, err)
			}
		}
	})
}

// The browser opens for the first sign-in and when the refresh token has died.
func TestLoopbackInASource(t *testing.T) {
	fake := newOK(t)
	opened := 0
	g := oauth.Loopback{ClientID: fake.App().ID, ClientSecret: fake.App().Secret, RedirectURL: freeURL(t, "localhost", "/back"), HTTPClient: fake.client}
	g.Open = func(authURL string) error {
		opened++
		h := newBrowserUser(t, authURL)
		h.wantStatus(http.StatusOK, "GET", h.redirect()+"?code="+fake.user.AuthCode(g.RedirectURL)+"&state="+h.auth.Get("state"), "")
		return nil
	}
	s := oauth.NewSource(g, oauth.Options{CoolDown: -1, Timeout: time.Minute})
	next := func(wantOpened int) *oauth2.Token {
		t.Helper()
		got, err := s.Token()
		if err != nil {
			t.Fatal(err)
		}
		fake.works(t, got)
		if opened != wantOpened {
			t.Errorf("the browser opened %d times, want %d", opened, wantOpened)
		}
		return got
	}
	s.Invalidate(next(1))
	got := next(1)
	fake.user.Revoke()
	s.Invalidate(got)
	next(2)
}

// wantClosed fails the test if a server listens at a URL.
func wantClosed(t *testing.T, at string) {
	t.Helper()
	u, _ := url.Parse(at)
	for _, host := range []string{"127.0.0.1", "::1"} {
		if c, err := net.Dial("tcp", net.JoinHostPort(host, u.Port())); err == nil {
			c.Close()
			t.Errorf("%s is still open", c.RemoteAddr())
		}
	}
}

// Any page in the browser can send a request to the listener. Without the state
// none ends the sign-in.
func TestLoopbackIgnoresStrangers(t *testing.T) {
	g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "localhost", "/back")}
	g.Open = func(authURL string) error {
		h := newBrowserUser(t, authURL)
		origin, _, _ := strings.Cut(h.redirect(), "/back")
		for _, query := range []string{
			"error=access_denied", "error=access_denied&state=", "error=access_denied&state=guess", "error=server_error", "code=C", "code=&error=",
			"error=access_denied&state=" + h.auth.Get("state") + "&state=x", "access_token=A&session_secret_key=S&error=e",
		} {
			h.wantStatus(http.StatusBadRequest, "GET", h.redirect()+"?code=&"+query, "")
			h.wantStatus(http.StatusBadRequest, "POST", h.redirect(), query, "Origin", origin)
		}
		h.wantStatus(http.StatusOK, "POST", h.redirect(), "access_token=AT&state="+h.auth.Get("state"), "Origin", origin)
		return nil
	}
	if got, err := g.Token(t.Context()); err != nil || got == nil || got.AccessToken != "AT" {
		t.Errorf("%v, %v", got, err)
	}
	wantClosed(t, g.RedirectURL)
}

// A redirect of the other flow is an error, not a missing session.
func TestLoopbackOfTheOtherFlow(t *testing.T) {
	for secret, result := range map[string]string{"": "?code=C", "secret": "?code=&access_token=A"} {
		g := oauth.Loopback{ClientID: "512", ClientSecret: secret, RedirectURL: freeURL(t, "127.0.0.1", "/back")}
		g.Open = func(authURL string) error {
			h := newBrowserUser(t, authURL)
			h.wantStatus(http.StatusOK, "GET", h.redirect()+result+"&state="+h.auth.Get("state"), "")
			return nil
		}
		if got, err := g.Token(t.Context()); err == nil || got != nil {
			t.Errorf("%q: %v, %v", result, got, err)
		}
	}
}

// If another program listens at one of the two addresses of localhost, none is
// used: the browser may send the redirect to that program.
func TestLoopbackOfWhichHalfIsTaken(t *testing.T) {
	other, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6: ", err)
	}
	defer other.Close()
	port := strconv.Itoa(other.Addr().(*net.TCPAddr).Port)
	g := oauth.Loopback{ClientID: "512", RedirectURL: "http://localhost:" + port, Open: func(string) error {
		t.Error("the browser is opened")
		return nil
	}}
	if _, err := g.Token(t.Context()); !errors.Is(err, syscall.EADDRINUSE) || !strings.HasPrefix(err.Error(), "okru: oauth.Loopback: cannot listen at RedirectURL: ") {
		t.Errorf("the error is %v", err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatalf("the other address is still open: %v", err)
	}
	free.Close()
}

// If no browser can be started, the address is shown and the user opens it.
func TestLoopbackShowsTheAddress(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = w
	defer func() { os.Stderr = stderr }()
	g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "127.0.0.1", "/back")}
	go func() {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "https://") {
				h := newBrowserUser(t, lines.Text())
				h.wantStatus(http.StatusOK, "POST", h.redirect(), "access_token=AT&state="+h.auth.Get("state"), "Origin", strings.TrimSuffix(h.redirect(), "/back"))
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if got, err := g.Token(ctx); err != nil || got.AccessToken != "AT" {
		t.Errorf("%v, %v", got, err)
	}
	w.Close()
}

// No goroutine is left behind, however a sign-in ends.
func TestLoopbackLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, end := range []func(h *browserUser, cancel func()) error{
		func(h *browserUser, _ func()) error {
			h.wantStatus(http.StatusOK, "GET", h.redirect()+"?error=access_denied&state="+h.auth.Get("state"), "")
			return nil
		},
		func(_ *browserUser, cancel func()) error { cancel(); return nil },
		func(*browserUser, func()) error { return errNetwork },
		func(*browserUser, func()) error { panic("boom") },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "localhost", "/back")}
		g.Open = func(authURL string) error { return end(newBrowserUser(t, authURL), cancel) }
		if got, err := g.Token(ctx); err == nil || got != nil {
			t.Errorf("%v, %v", got, err)
		}
		cancel()
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

package oauth_test

// What the browser of a user gets from a Loopback, and what the program tells the
// user.

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// shown returns the response as it is, except for its date.
func shown(resp *http.Response, body string) string {
	resp.Header.Del("Date")
	text := resp.Status + "\n"
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		text += name + ": " + strings.Join(resp.Header[name], "; ") + "\n"
	}
	return text + "\n" + body
}

// Each response is the one in testdata/loopback.txt: the texts, the scripts, and
// the headers that keep other scripts, caches and sites out.
func TestLoopbackPages(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "loopback.txt"))
	if err != nil {
		t.Fatal(err)
	}
	g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "127.0.0.1", "/back")}
	var got strings.Builder
	show := func(title string, resp *http.Response, body string) {
		fmt.Fprintf(&got, "== %s\n%s\n", title, shown(resp, body))
	}
	// signIn signs in with visit as the browser, and waits for both.
	signIn := func(visit func(h *browserUser, state, origin string)) error {
		closed := make(chan struct{})
		g.Open = func(authURL string) error {
			defer close(closed)
			h := newBrowserUser(t, authURL)
			visit(h, h.auth.Get("state"), strings.TrimSuffix(h.redirect(), "/back"))
			return nil
		}
		_, err := g.Token(t.Context())
		<-closed
		return err
	}
	err = signIn(func(h *browserUser, state, origin string) {
		resp, body := h.do("GET", origin+"/other", "")
		show("another path", resp, body)
		resp, body = h.do("GET", h.redirect(), "")
		show("the fragment", resp, body)
		resp, body = h.do("GET", h.redirect()+"?code=C&state=other", "")
		show("another state", resp, body)
		resp, body = h.do("POST", h.redirect(), "access_token=A&state=other", "Origin", origin)
		show("another state from the page", resp, body)
		resp, body = h.do("POST", h.redirect(), "access_token=A&state="+state)
		show("from another site", resp, body)
		resp, body = h.do("POST", h.redirect(), "access_token=A&state="+state, "Origin", origin)
		show("signed in from the page", resp, body)
	})
	if err != nil {
		t.Error(err)
	}
	err = signIn(func(h *browserUser, state, _ string) {
		resp, body := h.do("GET", h.redirect()+"?error=access_denied&state="+state, "")
		show("denied", resp, body)
	})
	if !errors.Is(err, oauth.ErrDenied) {
		t.Error(err)
	}
	err = signIn(func(h *browserUser, state, _ string) {
		resp, body := h.do("GET", h.redirect()+"?code=C&state="+state, "")
		show("signed in", resp, body)
	})
	if err == nil || err.Error() != "okru: oauth.Loopback: the redirect belongs to a different flow" {
		t.Errorf("a code instead of a session: %v", err)
	}
	if got.String() != string(text) {
		t.Errorf("got\n%s\nwant\n%s", &got, text)
	}
}

// The redirect is received at each form of a loopback URL.
func TestLoopbackURLs(t *testing.T) {
	for _, redirect := range []string{
		freeURL(t, "[::1]", "/back"), freeURL(t, "127.0.0.1", ""), freeURL(t, "LOCALHOST", "/a/b"), freeURL(t, "127.0.0.1", "/back?x=1"), "http://127.0.0.1/back", "http://127.0.0.1:80/back",
	} {
		g := oauth.Loopback{ClientID: "512", RedirectURL: redirect}
		g.Open = func(authURL string) error {
			h := newBrowserUser(t, authURL)
			if h.redirect() != redirect {
				t.Errorf("%s: OK redirects to %s", redirect, h.redirect())
			}
			to := strings.Replace(redirect, ":80/", "/", 1) // browsers omit it
			origin := strings.Join(strings.Split(to, "/")[:3], "/")
			h.wantStatus(http.StatusOK, "POST", to, "access_token=AT&state="+h.auth.Get("state"), "Origin", origin)
			return nil
		}
		got, err := g.Token(t.Context())
		switch {
		case err == nil && got.AccessToken == "AT":
		case err != nil && strings.Contains(err.Error(), "listen tcp 127.0.0.1:80: "): // it needs privileges
		case err != nil && strings.Contains(err.Error(), "listen tcp [::1]:"): // there is no IPv6
		default:
			t.Errorf("%s: %v, %v", redirect, got, err)
		}
	}
}

// A session may be long, up to 64 KiB. A longer one is not cut.
func TestLoopbackLongFragment(t *testing.T) {
	g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "127.0.0.1", "/back")}
	g.Open = func(authURL string) error {
		h := newBrowserUser(t, authURL)
		origin := strings.TrimSuffix(h.redirect(), "/back")
		fragment := "state=" + h.auth.Get("state") + "&access_token="
		fragment += strings.Repeat("A", 64<<10-len(fragment))
		h.wantStatus(http.StatusBadRequest, "POST", h.redirect(), fragment+"A", "Origin", origin)
		h.wantStatus(http.StatusOK, "POST", h.redirect(), fragment, "Origin", origin)
		return nil
	}
	if _, err := g.Token(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestBrowserCommands(t *testing.T) {
	for system, want := range map[string][]string{
		"darwin":  {"open", "https://ok.ru/"},
		"windows": {"rundll32", "url.dll,FileProtocolHandler", "https://ok.ru/"},
		"linux":   {"xdg-open", "https://ok.ru/"},
		"freebsd": {"xdg-open", "https://ok.ru/"},
	} {
		if got := oauth.BrowserCommand(system, "https://ok.ru/"); !slices.Equal(got, want) {
			t.Errorf("%s: the command is %q, want %q", system, got, want)
		}
	}
}

// Without Open the browser of the system is started, and the user is told only if
// that fails.
func TestLoopbackStartsTheBrowser(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the script is for a shell")
	}
	for status, wantText := range map[int]string{
		0: "",
		3: "The browser could not be opened (exit status 3). To sign in, open this address on this machine:\n%s\n",
	} {
		dir := t.TempDir()
		name := oauth.BrowserCommand(runtime.GOOS, "")[0]
		script := fmt.Sprintf("#!/bin/sh\necho \"$1\" > %q.new\nmv %[1]q.new %[1]q\nexit %d\n", filepath.Join(dir, "url"), status)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		g := oauth.Loopback{ClientID: "512", RedirectURL: freeURL(t, "127.0.0.1", "/back")}
		shown := make(chan string, 1)
		told := stderrOf(t, func() {
			go func() {
				authURL := ""
				for authURL == "" {
					time.Sleep(5 * time.Millisecond)
					text, _ := os.ReadFile(filepath.Join(dir, "url"))
					authURL = strings.TrimSpace(string(text))
				}
				shown <- authURL
				time.Sleep(100 * time.Millisecond) // for the text
				h := newBrowserUser(t, authURL)
				h.wantStatus(http.StatusOK, "POST", h.redirect(), "access_token=AT&state="+h.auth.Get("state"), "Origin", strings.TrimSuffix(h.redirect(), "/back"))
			}()
			if got, err := g.Token(t.Context()); err != nil || got.AccessToken != "AT" {
				t.Errorf("%v, %v", got, err)
			}
		})
		if wantText != "" {
			wantText = fmt.Sprintf(wantText, <-shown)
		}
		if told != wantText {
			t.Errorf("the user is told %q, want %q", told, wantText)
		}
	}
}

// stderrOf returns what f writes to os.Stderr.
func stderrOf(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stderr := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = stderr }()
	f()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(file)
	return string(text)
}

// The browser opens again only if the refresh token is of no use.
func TestLoopbackRenew(t *testing.T) {
	e := &endpoint{err: errNetwork}
	opened := false
	g := oauth.Loopback{ClientID: "512", ClientSecret: "S", RedirectURL: freeURL(t, "127.0.0.1", "/back"), HTTPClient: e.client(),
		Open: func(string) error { opened = true; return errors.New("no browser") }}
	if got, err := g.Renew(t.Context(), token("A", "R", 0)); !errors.Is(err, errNetwork) || got != nil || opened {
		t.Errorf("%v, %v; the browser was opened: %v", got, err, opened)
	}
	for name, old := range map[string]*oauth2.Token{"no session": nil, "no refresh token": token("A", "", 0)} {
		opened = false
		if _, err := g.Renew(t.Context(), old); err == nil || !opened {
			t.Errorf("%s: %v; the browser was opened: %v", name, err, opened)
		}
	}
	opened = false
	g.ClientSecret = ""
	if _, err := g.Renew(t.Context(), token("A", "R", 0)); err == nil || !opened || len(e.requests) != 1 {
		t.Errorf("without a secret: %v; the browser was opened: %v; %d requests", err, opened, len(e.requests))
	}
}

package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// White space around a value, as it comes from a file or a terminal, is named
// before anything is sent. It is no reason to sign in again.
func TestWhiteSpaceIsRejected(t *testing.T) {
	e := &endpoint{body: goodResponse}
	s := newSite(blank + goodFragment)
	static := func(access, secret string) oauth.Grant {
		return grantFunc(func(context.Context) (*oauth2.Token, error) { return oauth.Static(access, secret).Token() })
	}
	for _, space := range []string{"\n", "\r\n", " ", "\t", "\u00a0"} {
		for name, test := range map[string]struct {
			field string
			grant func(code oauth.Code, refresh oauth.Refresh, password oauth.Password, implicit oauth.Implicit) oauth.Grant
		}{
			"code's id": {"ClientID", func(g oauth.Code, _ oauth.Refresh, _ oauth.Password, _ oauth.Implicit) oauth.Grant {
				g.ClientID += space
				return g
			}},
			"code's secret": {"ClientSecret", func(g oauth.Code, _ oauth.Refresh, _ oauth.Password, _ oauth.Implicit) oauth.Grant {
				g.ClientSecret += space
				return g
			}},
			"code": {"Code", func(g oauth.Code, _ oauth.Refresh, _ oauth.Password, _ oauth.Implicit) oauth.Grant {
				g.Code = space + g.Code
				return g
			}},
			"refresh id": {"ClientID", func(_ oauth.Code, g oauth.Refresh, _ oauth.Password, _ oauth.Implicit) oauth.Grant {
				g.ClientID = space + g.ClientID
				return g
			}},
			"refresh secret": {"ClientSecret", func(_ oauth.Code, g oauth.Refresh, _ oauth.Password, _ oauth.Implicit) oauth.Grant {
				g.ClientSecret += space
				return g
			}},
			"refresh token": {"RefreshToken", func(_ oauth.Code, g oauth.Refresh, _ oauth.Password, _ oauth.Implicit) oauth.Grant {
				g.RefreshToken += space
				return g
			}},
			"password's key": {"ApplicationKey", func(_ oauth.Code, _ oauth.Refresh, g oauth.Password, _ oauth.Implicit) oauth.Grant {
				g.ApplicationKey += space
				return g
			}},
			"password, secret": {"ApplicationSecret", func(_ oauth.Code, _ oauth.Refresh, g oauth.Password, _ oauth.Implicit) oauth.Grant {
				g.ApplicationSecret += space
				return g
			}},
			"implicit id": {"ClientID", func(_ oauth.Code, _ oauth.Refresh, _ oauth.Password, g oauth.Implicit) oauth.Grant {
				g.ClientID += space
				return g
			}},
			"loopback": {"ClientSecret", func(oauth.Code, oauth.Refresh, oauth.Password, oauth.Implicit) oauth.Grant {
				return oauth.Loopback{ClientID: "1", ClientSecret: "S" + space, RedirectURL: "http://localhost:1/"}
			}},
			"static": {"access token", func(oauth.Code, oauth.Refresh, oauth.Password, oauth.Implicit) oauth.Grant {
				return static("tok"+space, "")
			}},
			"static secret": {"session secret", func(oauth.Code, oauth.Refresh, oauth.Password, oauth.Implicit) oauth.Grant {
				return static("tok", space+"sec")
			}},
		} {
			_, err := test.grant(e.code(), e.refresh(), e.password(), s.grant()).Token(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.field) || !strings.Contains(err.Error(), "white space") || errors.Is(err, oauth.ErrSignIn) {
				t.Errorf("%s with %q: error is %v", name, space, err)
			}
		}
	}
	for _, end := range []string{"\n", "\r\n", "\r"} {
		p, i := e.password(), s.grant()
		p.Password, i.Password = p.Password+end, i.Password+end
		for name, g := range map[string]oauth.Grant{"Password": p, "Implicit": i} {
			if _, err := g.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "Password") || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%s with a line break: error is %v", name, err)
			}
		}
	}
	if _, err := e.code().Renew(t.Context(), token("A", "R\n", 0)); err == nil || errors.Is(err, oauth.ErrSignIn) {
		t.Errorf("a stored refresh token with a line break: %v", err)
	}
	if len(e.requests)+len(s.seen) != 0 {
		t.Errorf("%d requests were sent", len(e.requests)+len(s.seen))
	}
	p := e.password()
	p.Password = " a password with spaces "
	if _, err := p.Token(t.Context()); errors.Is(err, oauth.ErrSignIn) || e.forms[0].Get("password") != p.Password {
		t.Errorf("a password with spaces: %v", err)
	}
}

// OK shows an HTML page for a client_id that is not a number.
func TestClientIDIsANumber(t *testing.T) {
	e := &endpoint{body: goodResponse}
	for _, id := range []string{"CBAFKLMNEBABABABA", "512x", "-1", "1.5", "0x10", "٥١٢"} {
		code, refresh, implicit := e.code(), e.refresh(), newSite("").grant()
		code.ClientID, refresh.ClientID, implicit.ClientID = id, id, id
		for name, g := range map[string]oauth.Grant{
			"Code": code, "Refresh": refresh, "Implicit": implicit, "Loopback": oauth.Loopback{ClientID: id, RedirectURL: "http://localhost:1/"},
		} {
			_, err := g.Token(t.Context())
			if err == nil || !strings.Contains(err.Error(), "application's number") || errors.Is(err, oauth.ErrSignIn) {
				t.Errorf("%s with ClientID %s: %v", name, id, err)
			}
		}
	}
	if len(e.requests) != 0 {
		t.Errorf("%d requests were sent", len(e.requests))
	}
	page := `<html>Error : Failed to convert value of type 'java.lang.String' to required type 'java.lang.Long'`
	e = &endpoint{kind: "text/html;charset=UTF-8", body: page}
	if _, err := e.refresh().Token(t.Context()); err == nil || !strings.Contains(err.Error(), "application's number") {
		t.Errorf("OK's page: %v", err)
	}
	s := newSite("")
	s.pages["/oauth/authorize"] = always(reply{body: page})
	if _, err := s.grant().Token(t.Context()); err == nil || !strings.Contains(err.Error(), "application's number") || errors.Is(err, oauth.ErrSignIn) {
		t.Errorf("OK's page: %v", err)
	}
}

// A grant without a client uses that of the context, and else one like
// http.DefaultClient with a timeout, as they are at the time of the call.
func TestGrantsWithoutAClient(t *testing.T) {
	grants := func() map[string]oauth.Grant {
		return map[string]oauth.Grant{
			"Code":     oauth.Code{ClientID: "1", ClientSecret: "2", Code: "3"},
			"Refresh":  oauth.Refresh{ClientID: "1", ClientSecret: "2", RefreshToken: "3"},
			"Password": oauth.Password{ApplicationKey: "1", Login: "2", Password: "3"},
			"Implicit": oauth.Implicit{ClientID: "1", Login: "2", Password: "3"},
		}
	}
	original := http.DefaultClient.Transport
	defer func() { http.DefaultClient.Transport = original }()
	for name, g := range grants() {
		e := &endpoint{err: errNetwork}
		http.DefaultClient.Transport = e
		if _, err := g.Token(t.Context()); !errors.Is(err, errNetwork) || len(e.requests) != 1 {
			t.Errorf("%s: %v after %d requests by http.DefaultClient", name, err, len(e.requests))
		}
		own := &endpoint{err: errAny}
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, own.client())
		if _, err := g.Token(ctx); !errors.Is(err, errAny) || len(own.requests) != 1 || len(e.requests) != 1 {
			t.Errorf("%s: %v; the client of the context sent %d requests", name, err, len(own.requests))
		}
		synctest.Test(t, func(t *testing.T) {
			http.DefaultClient.Transport = transport.Func(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			start := time.Now()
			if _, err := g.Token(t.Context()); err == nil || time.Since(start) != 30*time.Second {
				t.Errorf("%s: %v after %v, want a timeout after 30s", name, err, time.Since(start))
			}
		})
	}
}

// Connections are given back: every body is closed.
func TestBodiesAreClosed(t *testing.T) {
	for _, e := range []*endpoint{{body: goodResponse}, {status: 500, body: "no"}, {status: 302, header: http.Header{"Location": {"/"}}}, {body: strings.Repeat("x", 2<<20)}} {
		for name, grant := range map[string]func(*http.Client) oauth.Grant{
			"Refresh":  func(c *http.Client) oauth.Grant { g := e.refresh(); g.HTTPClient = c; return g },
			"Password": func(c *http.Client) oauth.Grant { g := e.password(); g.HTTPClient = c; return g },
			"Implicit": func(c *http.Client) oauth.Grant { g := newSite("").grant(); g.HTTPClient = c; return g },
		} {
			opened, closed := 0, 0
			c := &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
				resp, err := e.RoundTrip(r)
				opened++
				resp.Body = closer{resp.Body, &closed}
				return resp, err
			})}
			_, _ = grant(c).Token(t.Context())
			if opened == 0 || opened != closed {
				t.Errorf("%s, status %d: %d of %d bodies are closed", name, e.status, closed, opened)
			}
		}
	}
}

type closer struct {
	io.ReadCloser
	closed *int
}

func (c closer) Close() error { *c.closed++; return c.ReadCloser.Close() }

// A session must come to the redirect URI itself.
func TestImplicitTakesNoSessionFromElsewhere(t *testing.T) {
	for _, location := range []string{
		"https://evil.example/blank.html", "http://api.ok.ru/blank.html", "https://api.ok.ru:8443/blank.html", "https://api.ok.ru/other.html",
		"https://api.ok.ru.evil.example/blank.html", "https://user@evil.example/blank.html", "okauth://api.ok.ru/blank.html", "//evil.example/blank.html",
	} {
		s := newSite(location + goodFragment)
		if got, err := s.grant().Token(t.Context()); err == nil {
			t.Errorf("%s: session %s", location, got.AccessToken)
		}
		if n := len(s.seen); n != 5 {
			t.Errorf("%s: %d requests", location, n)
		}
	}
	for redirect, location := range map[string]string{"okauth://ok512": "okauth://ok513", "ok512://authorize": "ok513://authorize", "app:authorized": "app:other"} {
		g := newSite(location + goodFragment)
		grant := g.grant()
		grant.RedirectURL = redirect
		if _, err := grant.Token(t.Context()); err == nil {
			t.Errorf("%s: accepts a session at %s", redirect, location)
		}
	}
}

// A new session with a refresh token of its own does not keep the old one.
func TestReplaceTakesTheNewRefreshToken(t *testing.T) {
	s := oauth.NewSource(numbered(0), oauth.Options{})
	s.Replace(want(t, s, "T1"), token("N", "RN", 0))
	if got := want(t, s, "N"); got.RefreshToken != "RN" {
		t.Errorf("refresh token is %q, want RN", got.RefreshToken)
	}
}

// A redirect URI may have parameters of its own.
func TestRedirectURIWithParameters(t *testing.T) {
	for _, url := range []string{
		"?tag=a&tag=b&code=C&state=S", "?sale=50%&code=C&state=S", "?%zz=1&code=C&state=S", "?a;b&code=C&state=S", "?&&=&code=C&state=S",
		"?x=1&code=C&state=S#x=2", "?scope=A;B&scope=C&state=S&code=C", " \n?code=C&state=S\r\n", "\ufeffhttps://example.org/back?code=C&state=S ",
	} {
		if code, _, err := oauth.ParseRedirect(url, "S"); err != nil || code != "C" {
			t.Errorf("%q: %q, %v", url, code, err)
		}
	}
	for _, name := range []string{"code", "state", "error", "access_token", "session_secret_key", "refresh_token", "c%6fde"} {
		if _, _, err := oauth.ParseRedirect("?code=C&state=S&"+name+"=1&"+name+"=2", "S"); err == nil {
			t.Errorf("%s twice is accepted", name)
		}
	}
}

func TestParseRedirectIsLinear(t *testing.T) {
	for _, n := range []int{8 << 10, 1 << 20} {
		secret := "abcdef" + strings.Repeat("-", n)
		start := time.Now()
		if _, _, err := oauth.ParseRedirect("/cb?error=abcdef&error_description=abcdef&code="+secret, "any"); err == nil {
			t.Error("no error")
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%d bytes take %v", n, d)
		}
	}
}

func TestFileStoreWithoutAPath(t *testing.T) {
	s := oauth.FileStore("")
	_, loadErr := s.Load(t.Context())
	_, lockErr := s.Lock(t.Context())
	for name, err := range map[string]error{"Load": loadErr, "Lock": lockErr, "Save": s.Save(t.Context(), token("A", "", 0)), "Delete": s.(oauth.Deleter).Delete(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "path is empty") {
			t.Errorf("%s: %v", name, err)
		}
	}
	g := numbered(0)
	wantErr(t, oauth.NewSource(g, oauth.Options{Store: s}), nil)
	wantCalls(t, g, 0)
}

func TestFileStoreReportsOtherUsers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o602, 0o660, 0o666} {
		path := filepath.Join(t.TempDir(), "session.json")
		s := oauth.FileStore(path)
		if err := errors.Join(s.Save(t.Context(), token("A", "", 0)), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "chmod 600") || errors.Is(err, oauth.ErrCorrupt) {
			t.Errorf("mode %o: %v", mode, err)
		}
		if err := os.Chmod(path, 0o400); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context()); err != nil {
			t.Errorf("mode 0400: %v", err)
		}
	}
}

// The files of killed writers are removed by the next save. Those of other
// stores in the directory are not.
func TestFileStoreRemovesTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".a.json.1.tmp", ".a.json.29384756.tmp", ".b.json.1.tmp", ".a.json.5.1.tmp", "a.json.1.tmp", ".a.json.x.tmp", ".a.json.5"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := oauth.FileStore(filepath.Join(dir, "a.json")).Save(t.Context(), token("A", "", 0)); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, dir, ".a.json.5", ".a.json.5.1.tmp", ".a.json.x.tmp", ".b.json.1.tmp", "a.json", "a.json.1.tmp")
	if err := oauth.FileStore(filepath.Join(dir, "b.json")).(oauth.Deleter).Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, dir, ".a.json.5", ".a.json.5.1.tmp", ".a.json.x.tmp", "a.json", "a.json.1.tmp")
}

// A single file mounted into a container cannot be renamed to: it is written in
// place.
func TestFileStoreOnAMountPoint(t *testing.T) {
	defer oauth.SetRename(func(string, string) error { return &os.LinkError{Op: "rename", Err: syscall.EBUSY} })()
	dir := t.TempDir()
	path := filepath.Join(dir, "session.json")
	for _, content := range []string{"", strings.Repeat("longer than a session", 1000)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s := oauth.FileStore(path)
		want(t, oauth.NewSource(numbered(0), oauth.Options{Store: s}), "T1")
		if got, err := s.Load(t.Context()); err != nil || got == nil || got.AccessToken != "T1" {
			t.Errorf("the file has %v, %v", got, err)
		}
		wantOnly(t, dir, "session.json", "session.json.lock")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := oauth.FileStore(path).Save(t.Context(), token("A", "", 0)); err == nil {
		t.Error("a mount point that is gone is no error")
	}
}

// The lock stays exclusive although Delete removes its file.
func TestFileStoreDeleteUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	inside := make(chan struct{}, 1)
	done := make(chan error)
	for range 8 {
		go func() {
			s := oauth.FileStore(path)
			for range 20 {
				unlock, err := s.Lock(t.Context())
				if err != nil {
					done <- err
					return
				}
				select {
				case inside <- struct{}{}:
				default:
					done <- errors.New("two hold the lock")
					return
				}
				err = errors.Join(s.Save(t.Context(), token("A", "", 0)), s.(oauth.Deleter).Delete(t.Context()))
				time.Sleep(time.Millisecond) // the lock is still held
				<-inside
				unlock()
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	wantOnly(t, filepath.Dir(path))
}

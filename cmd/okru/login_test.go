package main

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oauth/storetest"
)

// signedOut returns a shell without a session, whose browser agrees to
// everything as the user of the shell.
func signedOut(t *testing.T) *shell {
	t.Helper()
	s := newShell(t)
	s.set(map[string]string{"OKRU_ACCESS_TOKEN": "", "OKRU_SESSION_SECRET_KEY": ""})
	s.app.open = func(page string) { s.agree(page) }
	return s
}

// agree is what the browser and the user do on page: they agree. It returns to
// the redirect URL, with a code in the query or, in the implicit flow, a session
// in the fragment, which the page there sends on.
func (s *shell) agree(page string) {
	u, err := url.Parse(page)
	if err != nil {
		s.t.Error(err)
		return
	}
	q := u.Query()
	back, scopes := q.Get("redirect_uri"), strings.Split(q.Get("scope"), ";")
	result := url.Values{"state": {q.Get("state")}}
	r, err := http.NewRequest(http.MethodGet, back, nil)
	if q.Get("response_type") == "code" {
		result.Set("code", s.user.AuthCode(back, scopes...))
		r.URL.RawQuery = result.Encode()
	} else {
		token := s.user.Token(scopes...)
		s.secrets = append(s.secrets, token.AccessToken, oauth.SessionSecret(token))
		result.Set("access_token", token.AccessToken)
		result.Set("session_secret_key", oauth.SessionSecret(token))
		r, err = http.NewRequest(http.MethodPost, back, strings.NewReader(result.Encode()))
		r.Header.Set("Origin", strings.TrimSuffix(back, "/signed-in"))
	}
	if err != nil {
		s.t.Error(err)
		return
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Error(err)
		return
	}
	resp.Body.Close()
}

// logIn runs okru login at a free port.
func (s *shell) logIn(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		s.t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	return s.run(append([]string{"login", "--redirect-url", "http://localhost:" + port + "/signed-in"}, args...)...)
}

func TestLoginAndLogout(t *testing.T) {
	for name, test := range map[string]struct {
		args  []string
		where string
	}{
		"keyring": {nil, "the keyring"},
		"file":    {[]string{"--file"}, ".json"},
	} {
		t.Run(name, func(t *testing.T) {
			s := signedOut(t)
			s.fails(exitSignIn, "run okru login", "call", "users.getCurrentUser")
			code, stdout, stderr := s.logIn(test.args...)
			if code != exitOK || !strings.Contains(stdout, "("+s.user.ID()+")") || !strings.Contains(stdout, test.where+".\n") || !strings.Contains(stderr, "https://connect.ok.ru/oauth/authorize?") {
				t.Fatalf("exit code %d, %s, %s", code, stdout, stderr)
			}
			if out := s.must("call", "users.getCurrentUser"); !strings.Contains(out, s.user.ID()) {
				t.Error(out)
			}
			s.must("sign", "users.getCurrentUser")
			s.must("logout")
			s.fails(exitSignIn, "run okru login", "call", "users.getCurrentUser")
			if left, _ := filepath.Glob(filepath.Join(s.app.configDir, "okru", "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// The session of the last sign-in counts, wherever it is stored.
func TestLoginAgain(t *testing.T) {
	s := signedOut(t)
	for _, args := range [][]string{{"--file"}, nil, {"--file"}} {
		if code, _, stderr := s.logIn(args...); code != exitOK {
			t.Fatal(stderr)
		}
		s.must("call", "users.getCurrentUser")
		used := s.srv.Calls()
		signedIn := used[len(used)-2] // by login itself
		if last := used[len(used)-1]; last.Params.Get("access_token") != signedIn.Params.Get("access_token") {
			t.Errorf("login %q: an older session is used", args)
		}
	}
}

// A session that expires is renewed and stored again.
func TestStoredSessionIsRenewed(t *testing.T) {
	s := signedOut(t)
	if code, _, stderr := s.logIn(); code != exitOK {
		t.Fatal(stderr)
	}
	before := s.stored(t)
	s.srv.Expire(before.AccessToken)
	s.must("call", "users.getCurrentUser")
	after := s.stored(t)
	if after.AccessToken == before.AccessToken || after.RefreshToken == "" {
		t.Errorf("the stored session was not renewed")
	}
	s.must("call", "users.getCurrentUser")
	if n := len(s.srv.Exchanges()); n != 2 {
		t.Errorf("%d exchanges, want the code and one renewal", n)
	}
	// When the user has revoked everything, there is one thing left to do.
	s.user.Revoke()
	s.fails(exitSignIn, "run okru login", "call", "users.getCurrentUser")
}

// Without the application's secret, a session is not renewed: the user signs in
// again.
func TestLoginWithoutSecret(t *testing.T) {
	s := signedOut(t).set(map[string]string{"OKRU_APPLICATION_SECRET": ""})
	if code, _, stderr := s.logIn(); code != exitOK {
		t.Fatal(stderr)
	}
	s.must("call", "users.getCurrentUser")
	calls := s.srv.Calls()
	if c := calls[len(calls)-1]; c.Circuit != "client" {
		t.Errorf("the call is %v, want circuit client", c)
	}
	s.srv.Expire(s.stored(t).AccessToken)
	s.fails(exitSignIn, "run okru login", "call", "users.getCurrentUser")
}

func TestLoginDenied(t *testing.T) {
	s := signedOut(t)
	s.app.open = func(page string) {
		u, _ := url.Parse(page)
		q := u.Query()
		resp, err := http.Get(q.Get("redirect_uri") + "?" + url.Values{"error": {"access_denied"}, "state": {q.Get("state")}}.Encode())
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
	}
	if code, _, stderr := s.logIn(); code != exitSignIn || !strings.Contains(stderr, "denied") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// stored returns the session in the keyring.
func (s *shell) stored(t *testing.T) *oauth2.Token {
	t.Helper()
	settings, err := s.app.settings()
	if err != nil {
		t.Fatal(err)
	}
	_, ring, err := s.app.stores(settings)
	if err != nil {
		t.Fatal(err)
	}
	token, err := ring.Load(t.Context())
	if err != nil || token == nil {
		t.Fatal(token, err)
	}
	s.secrets = append(s.secrets, token.AccessToken, token.RefreshToken)
	return token
}

// Another application and another service have sessions of their own.
func TestStoredSessionIsOfOneApplication(t *testing.T) {
	s := signedOut(t)
	if code, _, stderr := s.logIn(); code != exitOK {
		t.Fatal(stderr)
	}
	s.set(map[string]string{"OKRU_APPLICATION_KEY": "OTHER"}).fails(exitSignIn, "run okru login", "call", "users.getCurrentUser")
	s.set(map[string]string{"OKRU_APPLICATION_KEY": s.srv.App().Key, "OKRU_API_URL": s.srv.URL()})
	s.fails(exitSignIn, "run okru login", "call", "users.getCurrentUser")
}

// With OKRU_API_URL, the pages and the exchange of the code are there too.
func TestLoginAtAnotherService(t *testing.T) {
	s := signedOut(t)
	s.app.base = nil
	s.set(map[string]string{"OKRU_API_URL": s.srv.URL()})
	code, stdout, stderr := s.logIn("--file")
	if code != exitOK || !strings.Contains(stderr, s.srv.URL()+"/oauth/authorize?") {
		t.Fatalf("exit code %d, %s, %s", code, stdout, stderr)
	}
	s.must("call", "users.getCurrentUser")
}

func TestLoginFails(t *testing.T) {
	s := signedOut(t)
	s.fails(exitFailure, "RedirectURL must be like", "login", "--redirect-url", "https://example.com/")
	s.set(map[string]string{"OKRU_APPLICATION_ID": ""}).fails(exitUsage, "OKRU_APPLICATION_ID", "login")
	s.set(map[string]string{"OKRU_APPLICATION_ID": "1", "OKRU_APPLICATION_KEY": ""}).fails(exitUsage, "OKRU_APPLICATION_KEY", "login")
}

// Without a keyring, login says what to do, and calls that need no session work.
func TestWithoutKeyring(t *testing.T) {
	s := signedOut(t)
	keyring.MockInitWithError(errors.New("no Secret Service here"))
	defer keyring.MockInit()
	if code, _, stderr := s.logIn(); code != exitFailure || !strings.Contains(stderr, "okru login --file") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	s.must("call", "group.getInfo", "uids=54000000000001")
	s.fails(exitSignIn, "run okru login", "call", "users.getCurrentUser")
}

func TestSessionFileIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes of files")
	}
	s := signedOut(t)
	if code, _, stderr := s.logIn("--file"); code != exitOK {
		t.Fatal(stderr)
	}
	files, err := filepath.Glob(filepath.Join(s.app.configDir, "okru", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, want 0600, %v", info.Mode(), err)
	}
	if err := os.Chmod(files[0], 0o644); err != nil {
		t.Fatal(err)
	}
	s.fails(exitFailure, "chmod 600", "call", "users.getCurrentUser")
}

// The keyring is a store like any other.
func TestKeyringStore(t *testing.T) {
	keyring.MockInit()
	storetest.Run(t, func(t *testing.T) (a, b oauth.Store) {
		dir := t.TempDir()
		open := func() oauth.Store {
			return keyringStore{oauth.FileStore(filepath.Join(dir, "session")).(store), dir}
		}
		return open(), open()
	}, storetest.Corrupt(func(t *testing.T, s oauth.Store) {
		if err := keyring.Set(keyringService, s.(keyringStore).account, "garbage"); err != nil {
			t.Fatal(err)
		}
	}))
}

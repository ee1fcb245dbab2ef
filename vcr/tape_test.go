package okvcr_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"github.com/go-okru/okru/oktest"
	okvcr "github.com/go-okru/okru/vcr"
)

const redirectURL = "https://example.org/"

// made are keys with spellings that differ in URLs, JSON and base64.
func made(srv *oktest.Server) keys {
	anna := srv.NewUser("anna", "her pass/word+1&2")
	return keys{
		app:      srv.App(),
		session:  anna.Token("PHOTO_CONTENT", "SET_STATUS"),
		code:     anna.AuthCode(redirectURL),
		login:    anna.Login(),
		password: "her pass/word+1&2",
		group:    srv.NewBot("54000000000001").Token(),
	}
}

// madeUp are keys that no server knows.
func madeUp() keys {
	session := &oauth2.Token{AccessToken: "anything", RefreshToken: "at all"}
	return keys{
		app:      oktest.App{ID: "1", Key: "PUBLIC", Secret: "made up"},
		session:  session.WithExtra(map[string]any{"session_secret_key": "made up as well"}),
		code:     "anything",
		login:    "anna",
		password: "anything",
		group:    "tkn:anything",
	}
}

// A tape is what one recording left behind.
type tape struct {
	file    string // without .yaml
	log     []string
	secrets []string // those that were on the wire
}

func (x *tape) text(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(x.file + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// recordAll runs the program against a fake, with a recorder in between.
func recordAll(t *testing.T, options ...recorder.Option) *tape {
	t.Helper()
	srv := oktest.NewServer(oktest.App{Secret: "APP/secret+key=1"})
	t.Cleanup(srv.Close)
	k, wire := made(srv), &wiretap{next: srv.Transport(), seen: make(map[string]bool)}
	x := &tape{file: filepath.Join(t.TempDir(), "all")}
	r := newRecorder(t, x.file, append(options, recorder.WithMode(recorder.ModeRecordOnly), recorder.WithRealTransport(wire))...)
	p := program{keys: k, base: r, on: func(do func(*oktest.Server)) { do(srv) }}
	x.log = p.run()
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	x.secrets = append(wire.secrets(), k.app.Secret, k.session.AccessToken, k.session.RefreshToken, k.code, k.password, k.group)
	return x
}

func newRecorder(t *testing.T, file string, options ...recorder.Option) *recorder.Recorder {
	t.Helper()
	r, err := recorder.New(file, append([]recorder.Option{recorder.WithSkipRequestLatency(true)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func hook() recorder.Option    { return recorder.WithHook(okvcr.Hook, recorder.BeforeSaveHook) }
func matcher() recorder.Option { return recorder.WithMatcher(okvcr.Matcher) }

// A wiretap collects the secrets that pass by names of its own, without the
// code under test.
type wiretap struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen map[string]bool
}

var onWire = regexp.MustCompile(`\b(?:sig|access_token|refresh_token|code|client_secret|password|session_key|session_secret_key|` +
	`auth_token|auth_sig|auth_hash|fr\.password|fr\.token|token|JSESSIONID|AUTHCODE)(?:=|":"|>|" value=")([^&";<>\s]{6,})`)

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	form := ""
	if r.GetBody != nil && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form") {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		text, _ := io.ReadAll(body)
		form = string(text)
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	resp.Body = io.NopCloser(strings.NewReader(string(text)))
	w.note(r.URL.RawQuery, form, string(text), resp.Header.Get("Location"), strings.Join(resp.Header["Set-Cookie"], "\n"))
	return resp, nil
}

func (w *wiretap) note(texts ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range texts {
		for _, match := range onWire.FindAllStringSubmatch(text, -1) {
			if plain, err := url.QueryUnescape(match[1]); err == nil && strings.Contains(match[1], "%") {
				match[1] = plain
			}
			w.seen[match[1]] = true
		}
	}
}

func (w *wiretap) secrets() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.seen))
}

// noNetwork is below a recorder that must not need it.
type noNetwork struct{}

func (noNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, errors.New("the recording does not have " + r.Method + " " + r.URL.Path)
}

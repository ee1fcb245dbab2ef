package main

import (
	"bytes"
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// A shell runs the command against a fake of the service, with an empty keyring
// and an empty directory for settings. It keeps all that is printed: at the end
// of the test none of it may have a secret.
type shell struct {
	t       *testing.T
	srv     *oktest.Server
	user    *oktest.User
	env     map[string]string
	app     *app
	secrets []string
	printed strings.Builder
}

func newShell(t *testing.T, scopes ...string) *shell {
	t.Helper()
	keyring.MockInit()
	srv := oktest.New(t)
	s := &shell{t: t, srv: srv, user: srv.NewUser("anna", "password of anna")}
	token := s.user.Token(scopes...)
	s.env = map[string]string{
		"OKRU_APPLICATION_ID":     srv.App().ID,
		"OKRU_APPLICATION_KEY":    srv.App().Key,
		"OKRU_APPLICATION_SECRET": srv.App().Secret,
		"OKRU_ACCESS_TOKEN":       token.AccessToken,
		"OKRU_SESSION_SECRET_KEY": oauth.SessionSecret(token),
	}
	s.secrets = []string{srv.App().Secret, token.AccessToken, oauth.SessionSecret(token), token.RefreshToken, "password of anna"}
	s.app = &app{stdin: strings.NewReader(""), base: srv.Transport(), configDir: t.TempDir(), getenv: func(name string) string { return s.env[name] }}
	t.Cleanup(s.checkSecrets)
	return s
}

func (s *shell) checkSecrets() {
	for _, secret := range s.secrets {
		if secret != "" && strings.Contains(s.printed.String(), secret) {
			s.t.Errorf("a secret was printed: %q", s.printed.String())
		}
	}
}

// set changes the environment; an empty value unsets a variable.
func (s *shell) set(values map[string]string) *shell {
	maps.Copy(s.env, values)
	return s
}

// run runs a command line and returns its exit code and what it prints.
func (s *shell) run(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	var out, errs bytes.Buffer
	a := *s.app
	a.stdout, a.stderr = &out, &errs
	code = a.run(context.Background(), args)
	s.printed.WriteString(out.String() + errs.String())
	return code, out.String(), errs.String()
}

// must runs a command line that must succeed, and returns what it prints.
func (s *shell) must(args ...string) string {
	s.t.Helper()
	code, stdout, stderr := s.run(args...)
	if code != exitOK || stderr != "" {
		s.t.Fatalf("okru %s: exit code %d, %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// fails runs a command line that must fail with a code, and with an error that
// contains text.
func (s *shell) fails(want int, text string, args ...string) {
	s.t.Helper()
	code, stdout, stderr := s.run(args...)
	if code != want || !strings.HasPrefix(stderr, "okru: ") || !strings.Contains(stderr, text) {
		s.t.Errorf("okru %s: exit code %d, %q, %q; want %d and an error that contains %q", strings.Join(args, " "), code, stdout, stderr, want, text)
	}
}

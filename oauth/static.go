package oauth

// This file has the source of one session that is never renewed.

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// Static returns a source of one session that was received elsewhere: an
// eternal access token, or session_key and session_secret_key of the launch
// parameters of an app. An empty sessionSecret means that the session has none,
// like those of the server flow; its calls are then signed with the application
// secret.
//
// If both a session secret and the application secret are set, the circuit
// transport.Auto uses the application secret, which is valid for every session.
// For a session of launch parameters set transport.ClientServer to sign with
// the session secret.
//
// The source never renews and never expires. If the API sends new keys (code
// 107), it uses them from then on, in memory. An empty accessToken, or white
// space around one of the values, is an error of Token. The source is safe for
// concurrent use by multiple goroutines.
func Static(accessToken, sessionSecret string) oauth2.TokenSource {
	s := &static{err: checkFields("Static", field{"the access token", accessToken, setting}, field{"the session secret", sessionSecret, optional})}
	if s.err == nil {
		s.token.Store(token.New(accessToken, sessionSecret))
	}
	return s
}

// SessionSecret returns the session secret of t, which signs calls on the
// client circuit, or "" if t has none. It is the token's extra
// session_secret_key.
func SessionSecret(t *oauth2.Token) string { return token.Secret(t) }

// A static is the source that Static returns.
type static struct {
	err   error                        // if not nil, there is no token
	token atomic.Pointer[oauth2.Token] // the current session; replaced as a whole
}

// Token returns a copy, because x/oauth2 modifies the tokens of a source.
func (s *static) Token() (*oauth2.Token, error) { return copyOf(s.TokenContext(context.Background())) }

// TokenContext is Token without the copy: the token must not be modified.
func (s *static) TokenContext(context.Context) (*oauth2.Token, error) {
	return s.token.Load(), s.err
}

// Replace replaces old by fresh if old is the current session.
func (s *static) Replace(old, fresh *oauth2.Token) {
	if fresh == nil || fresh.AccessToken == "" {
		return
	}
	next := *fresh
	for {
		current := s.token.Load()
		if !token.Same(current, old) || s.token.CompareAndSwap(current, &next) {
			return
		}
	}
}

// view shows the fields without secrets.
func (s *static) view() redact.View {
	t := s.token.Load()
	if t == nil {
		t = new(oauth2.Token)
	}
	return redact.Show("oauth.Static",
		redact.Secret("AccessToken", t.AccessToken),
		redact.Secret("SessionSecret", token.Secret(t)),
	)
}

func (s *static) Format(f fmt.State, verb rune) { s.view().Format(f, verb) }
func (s *static) LogValue() slog.Value          { return s.view().LogValue() }
func (s *static) MarshalJSON() ([]byte, error)  { return s.view().MarshalJSON() }

// copyOf returns a copy of t that the caller may modify.
func copyOf(t *oauth2.Token, err error) (*oauth2.Token, error) {
	if err != nil {
		return nil, err
	}
	own := *t
	return &own, nil
}

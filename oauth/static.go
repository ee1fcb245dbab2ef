package oauth

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// Static returns a source of one session received elsewhere: an eternal
// access token, or the session_key and session_secret_key among the launch
// parameters of an app. An empty sessionSecret means that the session has
// none, as those of the server flow; its calls are then signed with the
// application secret.
//
// The source never renews and never expires. If the API hands out new keys
// (code 107), they are used from then on, in memory. An empty accessToken is
// reported by Token. The source is safe for concurrent use by multiple
// goroutines.
func Static(accessToken, sessionSecret string) oauth2.TokenSource {
	s := new(static)
	if accessToken != "" {
		s.token.Store(token.New(accessToken, sessionSecret))
	}
	return s
}

// SessionSecret returns the session secret of t, which signs calls on the
// client circuit, or "" if t has none. It is the token's extra
// session_secret_key.
func SessionSecret(t *oauth2.Token) string { return token.Secret(t) }

type static struct{ token atomic.Pointer[oauth2.Token] }

var errNoAccessToken = &failure{
	text: "okru: oauth.Static: the access token is empty; pass the one that OK handed out",
	is:   []error{errEmpty},
}

// Token returns a copy: x/oauth2 writes into the tokens it is handed.
func (s *static) Token() (*oauth2.Token, error) { return ownCopy(s.TokenContext(context.Background())) }

// TokenContext is Token without the copy. What it returns must not be
// modified.
func (s *static) TokenContext(context.Context) (*oauth2.Token, error) {
	t := s.token.Load()
	if t == nil {
		return nil, errNoAccessToken
	}
	return t, nil
}

// Replace uses fresh instead of stale, if stale is what it has.
func (s *static) Replace(stale, fresh *oauth2.Token) {
	if fresh == nil || fresh.AccessToken == "" {
		return
	}
	next := *fresh
	for {
		current := s.token.Load()
		if !token.Same(current, stale) || s.token.CompareAndSwap(current, &next) {
			return
		}
	}
}

func (s *static) attrs() []slog.Attr {
	t := s.token.Load()
	if t == nil {
		t = new(oauth2.Token)
	}
	return []slog.Attr{
		redact.Secret("AccessToken", t.AccessToken),
		redact.Secret("SessionSecret", token.Secret(t)),
	}
}

// String tells what is set, without secrets, as all that prints does.
func (s *static) String() string               { return redact.String("oauth.Static", s.attrs()) }
func (s *static) Format(f fmt.State, _ rune)   { redact.Format(f, s.String()) }
func (s *static) LogValue() slog.Value         { return slog.GroupValue(s.attrs()...) }
func (s *static) MarshalJSON() ([]byte, error) { return redact.JSON(s.attrs()) }

// ownCopy returns a copy of t that the caller may do with as he likes.
func ownCopy(t *oauth2.Token, err error) (*oauth2.Token, error) {
	if err != nil {
		return nil, err
	}
	own := *t
	return &own, nil
}

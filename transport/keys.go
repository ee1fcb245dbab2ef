package transport

import (
	"hash/maphash"
	"net/http"
	"net/url"
	"sync/atomic"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/apicall"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/session"
)

// keys are what one call is signed with. They are shared and never modified.
type keys struct {
	token  *oauth2.Token // nil: no session
	secret string        // empty: the call is not signed
	query  string        // access_token=…, escaped; empty without a session
}

var unsigned = new(keys)

// keys returns the keys of r.
func (s *signer) keys(r *http.Request, src source) (*keys, error) {
	v := apicall.From(r.Context())
	circuit := s.settings.Circuit
	if v != nil && v.HasCircuit {
		circuit = Circuit(v.Circuit)
	}
	k, err := s.keysOn(circuit, r, src)
	if err == nil && v != nil && v.Redactor != nil {
		v.Redactor.Set(func(text string) string { return s.secrets(k).Clean(text) })
	}
	return k, err
}

// keysOn returns the keys of r on a circuit.
func (s *signer) keysOn(circuit Circuit, r *http.Request, src source) (*keys, error) {
	if !circuit.Valid() {
		return nil, refuse("WithCircuit(%d): there is no such circuit", int(circuit))
	}
	if circuit == Auto && src.none() {
		circuit = Sessionless
	}
	switch {
	case circuit == Unsigned:
		return unsigned, nil
	case circuit == Sessionless && s.settings.ApplicationSecret != "":
		return s.sessionless, nil
	case circuit == Sessionless:
		return nil, refuse("nothing to sign with: set TokenSource for calls with a session, or ApplicationSecret for calls without")
	case src.none():
		return nil, refuse("circuit %v signs calls of a session, and there is none: set TokenSource, or use WithToken", circuit)
	}
	t, err := src.token(r.Context())
	if err != nil {
		return nil, err
	}
	return s.sessionKeys(circuit, t)
}

// sessionKeys returns the keys of session t on a circuit that has one.
func (s *signer) sessionKeys(circuit Circuit, t *oauth2.Token) (*keys, error) {
	slot := s.derived.slot(t)
	if k := slot.Load(); k != nil && k.circuit == circuit && (k.token == t || session.Same(k.token, t)) {
		return &k.keys, nil
	}
	secret, err := s.secret(circuit, t)
	if err != nil {
		return nil, err
	}
	k := &cached{circuit, keys{token: t, secret: secret, query: param.AccessToken + "=" + url.QueryEscape(t.AccessToken)}}
	slot.Store(k)
	return &k.keys, nil
}

func (s *signer) secret(circuit Circuit, t *oauth2.Token) (string, error) {
	app, own := s.settings.ApplicationSecret, session.Secret(t)
	switch {
	case app != "" && circuit != ClientServer:
		return SessionSecret(t.AccessToken, app), nil
	case circuit == ServerServer:
		return "", refuse("circuit ServerServer signs with the application secret: set ApplicationSecret")
	case own != "":
		return own, nil
	case circuit == ClientServer:
		return "", refuse("circuit ClientServer signs with the session secret, and the token has none: it is the token's extra %s, see oauth.Static", param.SessionSecretKey)
	}
	return "", refuse("nothing to sign with: set ApplicationSecret, or use a token with its extra %s, see oauth.Static", param.SessionSecretKey)
}

// A keyCache remembers the keys of some sessions, so that neither a program
// with one session nor a server with many derives a secret per call. Sessions
// that share a slot take turns.
type keyCache struct {
	slots [64]atomic.Pointer[cached]
}

type cached struct {
	circuit Circuit
	keys
}

var cacheSeed = maphash.MakeSeed()

func (c *keyCache) slot(t *oauth2.Token) *atomic.Pointer[cached] {
	return &c.slots[maphash.String(cacheSeed, t.AccessToken)%uint64(len(c.slots))]
}

package transport

// This file has what signs a call: which circuit it is on, and the keys of its
// session there. Keys are cached, because the secret of a session costs an MD5 and
// does not change.

import (
	"errors"
	"hash/maphash"
	"net/url"
	"sync/atomic"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// keys are what one call is signed with. They are shared and never modified,
// unlike a token: some sources change theirs in place.
type keys struct {
	token   *oauth2.Token // as the source returned it; nil: no session
	access  string        // its access token, when it was used
	own     string        // its session secret, then
	secret  string        // empty: the call is not signed
	derived bool          // secret is derived from access, and own is not used
	query   string        // &access_token=…, escaped; empty without a session

	mayShow func(text string) bool // see redact.Secrets.Filter; nil: it may
}

// unsigned are the keys of a call that has neither a session nor a signature.
var unsigned = new(keys)

// isOf reports whether k is made of t as it is now. A session secret, which is
// in a map, is looked up only if it matters.
func (k *keys) isOf(t *oauth2.Token) bool {
	return k.access == t.AccessToken && (k.derived && k.token == t || k.own == token.Secret(t))
}

// circuit returns the circuit that signs with k.
func (k *keys) circuit() Circuit {
	switch {
	case k == unsigned:
		return Unsigned
	case k.token == nil:
		return Sessionless
	case k.derived:
		return ServerServer
	}
	return ClientServer
}

// used returns the session of k, as it was used.
func (k *keys) used() *oauth2.Token {
	if k.token.AccessToken == k.access && token.Secret(k.token) == k.own {
		return k.token
	}
	return token.New(k.access, k.own)
}

// keys returns the keys of c.
func (s *signer) keys(c *call) (*keys, error) {
	circuit := s.settings.Circuit
	if c.options != nil && c.options.HasCircuit {
		circuit = Circuit(c.options.Circuit)
	}
	if !circuit.Valid() {
		return nil, reject("WithCircuit(%d): there is no such circuit", int(circuit))
	}
	if circuit == Unsigned || circuit == Sessionless || c.source.none() {
		return s.keysWithout(circuit)
	}
	t, err := c.source.token(c.request.Context())
	if err != nil {
		return nil, err
	}
	// The usual case. It compares the token with the one that the keys were made
	// of, by its values: a source may change a token in place.
	if k := s.derived.find(circuit, t); k != nil {
		return &k.keys, nil
	}
	return s.newKeys(circuit, t)
}

// keysWithout returns the keys of a call without a session: its circuit has none,
// or there is none.
func (s *signer) keysWithout(circuit Circuit) (*keys, error) {
	has := s.settings.ApplicationSecret != ""
	switch {
	case circuit == Unsigned:
		return unsigned, nil
	case has && (circuit == Sessionless || circuit == Auto):
		return s.sessionless, nil
	case circuit == Sessionless:
		return nil, reject("circuit Sessionless signs with the application secret: set ApplicationSecret")
	case circuit == Auto:
		return nil, reject("nothing to sign with: set TokenSource for calls with a session, or ApplicationSecret for calls without")
	}
	return nil, reject("circuit %v signs calls of a session, and there is none: set TokenSource, or use WithToken", circuit)
}

// newKeys makes the keys of session t on a circuit that has one.
func (s *signer) newKeys(circuit Circuit, t *oauth2.Token) (*keys, error) {
	if err := checkSession(t); err != nil {
		return nil, err
	}
	k := &cached{circuit, keys{token: t, access: t.AccessToken, own: token.Secret(t)}}
	k.query = "&" + param.AccessToken + "=" + url.QueryEscape(k.access)
	var err error
	if k.secret, k.derived, err = s.secret(circuit, k.access, k.own); err != nil {
		return nil, err
	}
	k.mayShow = append(s.secretsOf(&k.keys), anySig).Filter()
	s.derived.add(k)
	return &k.keys, nil
}

// anySig is as long as every signature and has bytes of the same kind.
const anySig = "00000000000000000000000000000000"

// secretsOf returns what is secret about every call that is signed with k.
func (s *signer) secretsOf(k *keys) redact.Secrets {
	return redact.Secrets{k.secret, s.settings.ApplicationSecret, k.access, k.own}
}

// checkSession returns an error if the token or the secret of t has white space
// around it.
func checkSession(t *oauth2.Token) error {
	return errors.Join(
		checkSpace("the access token of the session", t.AccessToken),
		checkSpace("the session secret, the token's extra "+param.SessionSecretKey+",", token.Secret(t)))
}

// secret returns the secret of a session, and whether it is derived.
func (s *signer) secret(circuit Circuit, access, own string) (secret string, derived bool, err error) {
	app := s.settings.ApplicationSecret
	switch {
	// The application secret comes first: it is valid for every session, and a
	// session secret may be missing or old.
	case app != "" && circuit != ClientServer:
		return DeriveSecret(access, app), true, nil
	case circuit == ServerServer:
		return "", false, reject("circuit ServerServer signs with the application secret: set ApplicationSecret")
	case own != "":
		return own, false, nil
	case circuit == ClientServer:
		return "", false, reject("circuit ClientServer signs with the session secret, and the token has none: it is the token's extra %s, see oauth.Static", param.SessionSecretKey)
	}
	return "", false, reject("nothing to sign with: set ApplicationSecret, or use a token with its extra %s, see oauth.Static", param.SessionSecretKey)
}

// A keyCache remembers the keys of some sessions, so that neither a program
// with one session nor a server with many derives a secret per call. Sessions
// that share a slot take turns. The latest addition is found without a hash.
type keyCache struct {
	latest atomic.Pointer[cached]     // also in its slot
	slots  [64]atomic.Pointer[cached] // by a hash of the access token
}

type cached struct {
	circuit Circuit // for which the keys are
	keys
}

// find returns what add added for t on a circuit, or nil.
func (c *keyCache) find(circuit Circuit, t *oauth2.Token) *cached {
	if k := c.latest.Load(); k.fits(circuit, t) {
		return k
	}
	if k := c.slot(t.AccessToken).Load(); k.fits(circuit, t) {
		return k
	}
	return nil
}

// fits reports whether k, which may be nil, is of t on a circuit.
func (k *cached) fits(circuit Circuit, t *oauth2.Token) bool {
	return k != nil && k.circuit == circuit && k.isOf(t)
}

// add makes k the keys that find returns for its token.
func (c *keyCache) add(k *cached) {
	c.latest.Store(k)
	c.slot(k.access).Store(k)
}

// cacheSeed keeps a program that chooses its tokens from choosing their slots.
var cacheSeed = maphash.MakeSeed()

// slot returns the slot of an access token.
func (c *keyCache) slot(access string) *atomic.Pointer[cached] {
	return &c.slots[maphash.String(cacheSeed, access)%uint64(len(c.slots))]
}

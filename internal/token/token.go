// Package token defines a session of OK: an access token and, in some flows, the
// secret that signs its calls, which is an extra of the oauth2.Token.
package token

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"strconv"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
)

// TokenType is what OK calls its tokens.
const TokenType = "session"

// ErrSignIn is oauth.ErrSignIn. It is defined here because package transport,
// which does not import package oauth, looks for it.
var ErrSignIn = errors.New("okru: the user must sign in")

// Names of extras that a Source adds to a session before it saves it. Their
// values are hashes.
const (
	MarkApplication = "okru_application" // of the application the session belongs to
	MarkChain       = "okru_chain"       // of the code, token or login that the first session of a chain was obtained with
)

// New returns a token of these keys. An empty secret means none.
func New(accessToken, secret string) *oauth2.Token {
	t := &oauth2.Token{AccessToken: accessToken, TokenType: TokenType}
	if secret == "" {
		return t
	}
	// A map, since over url.Values Token.Extra turns digits into an integer.
	return t.WithExtra(map[string]any{param.SessionSecretKey: secret})
}

// Secret returns the session secret of t, or "" if it has none. It does not
// allocate for tokens made by this module.
func Secret(t *oauth2.Token) string {
	if t == nil {
		return ""
	}
	// A session secret of digits alone may arrive as a number: from JSON, from a
	// form by x/oauth2, and from a store of another format.
	switch secret := t.Extra(param.SessionSecretKey).(type) {
	case string:
		return secret
	case json.Number:
		return secret.String()
	case int64: // of a token over url.Values, whose digits x/oauth2 turns into a number
		return strconv.FormatInt(secret, 10)
	case float64:
		return strconv.FormatFloat(secret, 'f', -1, 64)
	}
	return ""
}

// Same reports whether a and b are the same session: access token and secret
// are compared together. A nil token is the same as nothing.
func Same(a, b *oauth2.Token) bool {
	return a != nil && b != nil && equal(a.AccessToken, b.AccessToken) && equal(Secret(a), Secret(b))
}

// equal reports whether a and b are equal, in a time that does not depend on where
// they differ.
func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

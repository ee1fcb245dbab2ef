// Package session knows what a session of OK is made of: an access token and,
// in some flows, the secret that signs its calls, carried as an extra of the
// oauth2.Token.
package token

import (
	"crypto/subtle"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
)

// TokenType is what OK calls its tokens.
const TokenType = "session"

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
	switch secret := t.Extra(param.SessionSecretKey).(type) {
	case nil:
		return ""
	case string:
		return secret
	default: // a number: of a foreign token over url.Values, or sent as one
		text, _ := Extras(t)[param.SessionSecretKey].(string)
		return text
	}
}

// Same reports whether a and b are the same session: access token and secret
// are compared together. A nil token is the same as nothing.
func Same(a, b *oauth2.Token) bool {
	return a != nil && b != nil && equal(a.AccessToken, b.AccessToken) && equal(Secret(a), Secret(b))
}

func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

package transport

import (
	"net/url"

	"github.com/go-okru/okru/internal/signature"
)

// Signature returns the signature of params, in lower-case hexadecimal: the
// MD5 of every key=value, sorted by key and joined without separators,
// followed by secret. Values are taken as they are, before any escaping. The
// parameters sig, resig and access_token are left out, nothing else is. A key
// counts with its first value; the [Signer] refuses repeated keys.
//
// It is a pure function. See https://apiok.ru/en/dev/methods.
func Signature(params url.Values, secret string) string { return signature.Sum(params, secret) }

// SessionSecret returns the secret that signs calls on the [ServerServer]
// circuit: the MD5 of accessToken followed by applicationSecret, in lower-case
// hexadecimal. It is a pure function.
func SessionSecret(accessToken, applicationSecret string) string {
	return signature.SessionSecret(accessToken, applicationSecret)
}

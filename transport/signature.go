package transport

// This file exports the two pure functions of signing, for programs that sign by
// themselves. The Signer signs by the same code, in package param.

import (
	"net/url"

	"github.com/go-okru/okru/internal/param"
)

// Signature returns the signature of params, in lower-case hexadecimal: the
// MD5 of every key=value, sorted by key and joined without separators,
// followed by secret. Values are taken as they are, before any escaping. The
// parameters sig, resig and access_token are left out, nothing else is. A key
// counts with its first value; the [Signer] rejects duplicate keys.
//
// It is a pure function, and the one by which the Signer signs. See
// https://apiok.ru/en/dev/methods.
func Signature(params url.Values, secret string) string { return param.Signature(params, secret) }

// DeriveSecret returns the secret that signs calls on the [ServerServer]
// circuit: the MD5 of accessToken followed by applicationSecret, in lower-case
// hexadecimal. It is a pure function. The session secret that comes with a
// token, and signs on the [ClientServer] circuit, is another one: see
// oauth.SessionSecret.
func DeriveSecret(accessToken, applicationSecret string) string {
	return param.MD5(accessToken + applicationSecret)
}

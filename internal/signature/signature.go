// Package signature computes the signatures of OK API calls the plain way.
package signature

import (
	"crypto/md5"
	"encoding/hex"
	"net/url"
	"slices"

	"github.com/go-okru/okru/internal/param"
)

// Sum returns the signature of params: the lower-case hexadecimal MD5 of every
// key=value, sorted by key and joined without separators, followed by secret.
// The parameters sig, resig and access_token are left out. A key counts with
// its first value.
func Sum(params url.Values, secret string) string {
	keys := make([]string, 0, len(params))
	for key, values := range params {
		if len(values) > 0 && Covers(key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var text []byte
	for _, key := range keys {
		text = append(append(append(text, key...), '='), params.Get(key)...)
	}
	return Hex(append(text, secret...))
}

// Covers tells whether the parameter key takes part in the signature.
func Covers(key string) bool {
	return key != param.Sig && key != param.Resig && key != param.AccessToken
}

// SessionSecret returns the secret that signs the calls of a session without
// one of its own.
func SessionSecret(accessToken, applicationSecret string) string {
	return Hex([]byte(accessToken + applicationSecret))
}

// Hex returns the lower-case hexadecimal MD5 of text.
func Hex(text []byte) string {
	sum := md5.Sum(text)
	return hex.EncodeToString(sum[:])
}

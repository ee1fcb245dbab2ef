// Package signature computes the signatures of OK API calls the plain way.
package signature

import (
	"crypto/md5"
	"encoding/binary"
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
		if len(values) > 0 && covers(key) {
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

// covers reports whether the parameter key takes part in the signature.
func covers(key string) bool {
	return key != param.Sig && key != param.Resig && key != param.AccessToken
}

// SessionSecret returns the secret that signs the calls of a session without
// one of its own.
func SessionSecret(accessToken, applicationSecret string) string {
	return Hex([]byte(accessToken + applicationSecret))
}

// Hex returns the lower-case hexadecimal MD5 of text.
func Hex(text []byte) string { return string(AppendHex(nil, text)) }

// AppendHex appends the lower-case hexadecimal MD5 of text.
func AppendHex(dst, text []byte) []byte {
	sum := md5.Sum(text)
	out := digits(&sum)
	return append(dst, out[:]...)
}

// digits returns sum in hexadecimal. It makes eight digits at once: see
// BenchmarkDigits.
func digits(sum *[md5.Size]byte) (out [2 * md5.Size]byte) {
	for i := 0; i < len(sum); i += 4 {
		binary.BigEndian.PutUint64(out[2*i:], eightDigits(binary.BigEndian.Uint32(sum[i:])))
	}
	return out
}

// eightDigits returns x in hexadecimal, a digit in each byte.
func eightDigits(x uint32) uint64 {
	const ones = 0x0101010101010101
	d := uint64(x)
	d = (d<<16 | d) & 0x0000ffff0000ffff
	d = (d<<8 | d) & 0x00ff00ff00ff00ff
	d = (d<<4 | d) & (0x0f * ones)
	letters := (d + 6*ones) >> 4 & ones // 1 for each digit above 9
	return d + '0'*ones + letters*('a'-'9'-1)
}

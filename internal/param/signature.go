package param

// This file has the signature of OK's API. OK specifies MD5, which is no choice of
// this module. See https://apiok.ru/en/dev/methods, "Request signing".

import (
	"crypto/md5"
	"encoding/hex"
	"net/url"
)

// Signature returns the signature of params: the lower-case hexadecimal MD5 of
// every key=value, sorted by key and joined without separators, followed by
// secret. The parameters sig, resig and access_token are left out. A key counts
// with its first value.
func Signature(params url.Values, secret string) string {
	first := make(url.Values, len(params))
	for key, values := range params {
		if len(values) > 0 {
			first[key] = values[:1]
		}
	}
	var l List
	_ = l.Parse(first.Encode(), false) // what Encode returns is well formed
	l.Sort()
	return string(AppendMD5(nil, append(l.AppendSigned(nil), secret...)))
}

// MD5 returns the lower-case hexadecimal MD5 of text.
func MD5(text string) string { return string(AppendMD5(nil, []byte(text))) }

// AppendMD5 appends the lower-case hexadecimal MD5 of text.
func AppendMD5(dst, text []byte) []byte {
	var sig [2 * md5.Size]byte
	for i, b := range md5.Sum(text) {
		*(*[2]byte)(sig[2*i:]) = hexOf[b]
	}
	return append(dst, sig[:]...)
}

// hexOf has the two digits of each byte: hex.AppendEncode, digit by digit, takes
// three times as long.
var hexOf = func() (pairs [256][2]byte) {
	for b := range pairs {
		hex.Encode(pairs[b][:], []byte{byte(b)})
	}
	return pairs
}()

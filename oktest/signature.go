package oktest

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// This file shares no code with package transport: a check that shared code
// with a signer would share its faults.

// notSigned are the parameters that no signature covers.
var notSigned = map[string]bool{"sig": true, "resig": true, "access_token": true}

// signedNames returns the names of the parameters that are signed, in order.
func signedNames(params url.Values) []string {
	names := slices.Sorted(maps.Keys(params))
	return slices.DeleteFunc(names, func(name string) bool { return notSigned[name] })
}

// signedText returns name=value of every name, one after the other.
func signedText(params url.Values, names []string) string {
	var text strings.Builder
	for _, name := range names {
		text.WriteString(name + "=" + params.Get(name))
	}
	return text.String()
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// signingSecret is a secret that a call may be signed with.
type signingSecret struct {
	circuit string // of [Call]
	name    string // for people
	value   string
}

// secretsOf returns the secrets that are right for a call with this session,
// or without one.
func (s *Server) secretsOf(session *session) []signingSecret {
	if session == nil {
		return []signingSecret{{"sessionless", "application_secret_key", s.app.Secret}}
	}
	secrets := []signingSecret{{"server", "MD5(access_token + application_secret_key)", md5Hex(session.token + s.app.Secret)}}
	if session.secret != "" {
		secrets = append(secrets, signingSecret{"client", "session_secret_key", session.secret})
	}
	return secrets
}

// circuitOf returns the circuit whose secret made the signature of params, or
// "" if none did.
func (s *Server) circuitOf(params url.Values, session *session) string {
	if !params.Has("sig") {
		return "unsigned"
	}
	text := signedText(params, signedNames(params))
	for _, secret := range s.secretsOf(session) {
		if md5Hex(text+secret.value) == params.Get("sig") {
			return secret.circuit
		}
	}
	return ""
}

// wrongSignature explains what was expected, without a secret and without the
// signature that would have been right.
func (s *Server) wrongSignature(params url.Values, session *session) string {
	var tried []string
	for _, secret := range s.secretsOf(session) {
		tried = append(tried, secret.name)
	}
	text := "Invalid signature: expected the MD5 of the raw values of " +
		strings.Join(signedNames(params), ", ") + ", in this order, followed by " + strings.Join(tried, " or ")
	if hint := s.mistake(params, session); hint != "" {
		text += "; it matches if " + hint
	}
	return text
}

// signer is a way to sign, right or wrong.
type signer func(params url.Values, secret string) string

// mistakes are well-known ways to sign wrongly.
var mistakes = []struct {
	hint string
	sign signer
}{
	{"access_token is signed as well: leave it out", func(p url.Values, secret string) string {
		return md5Hex(signedText(p, withName(signedNames(p), "access_token")) + secret)
	}},
	{"percent-encoded values are signed: sign them raw", func(p url.Values, secret string) string {
		return md5Hex(signedText(mapped(p, url.QueryEscape), signedNames(p)) + secret)
	}},
	{"percent-encoded values are signed: sign them raw", func(p url.Values, secret string) string {
		return md5Hex(signedText(mapped(p, url.PathEscape), signedNames(p)) + secret)
	}},
	{"it is in upper case: write it in lower case", func(p url.Values, secret string) string {
		return strings.ToUpper(md5Hex(signedText(p, signedNames(p)) + secret))
	}},
	{"the parameters are hashed before the secret is appended: hash both at once", func(p url.Values, secret string) string {
		return md5Hex(md5Hex(signedText(p, signedNames(p))) + secret)
	}},
	{"parameters are joined by &: join them by nothing", func(p url.Values, secret string) string {
		var pairs []string
		for _, name := range signedNames(p) {
			pairs = append(pairs, name+"="+p.Get(name))
		}
		return md5Hex(strings.Join(pairs, "&") + secret)
	}},
	{"parameters are sorted as name=value: sort them by name", func(p url.Values, secret string) string {
		var pairs []string
		for _, name := range signedNames(p) {
			pairs = append(pairs, name+"="+p.Get(name))
		}
		slices.Sort(pairs)
		return md5Hex(strings.Join(pairs, "") + secret)
	}},
	{"emoji are signed as CESU-8, two surrogates of three bytes each: sign the UTF-8 bytes", func(p url.Values, secret string) string {
		return md5Hex(signedText(mapped(p, cesu8), signedNames(p)) + secret)
	}},
	{"true and false are signed with a capital letter: sign what is sent", func(p url.Values, secret string) string {
		return md5Hex(signedText(mapped(p, capitalBool), signedNames(p)) + secret)
	}},
	{"True and False are signed in lower case: sign what is sent", func(p url.Values, secret string) string {
		return md5Hex(signedText(mapped(p, lowerBool), signedNames(p)) + secret)
	}},
	{"no secret is appended", func(p url.Values, _ string) string {
		return md5Hex(signedText(p, signedNames(p)))
	}},
}

// mistake returns the mistake that explains the signature of params, or "".
func (s *Server) mistake(params url.Values, session *session) string {
	sig := params.Get("sig")
	for _, secret := range s.secretsOf(session) {
		for _, m := range mistakes {
			if m.sign(params, secret.value) == sig {
				return m.hint
			}
		}
		if name := unsignedName(params, secret.value); name != "" {
			return name + " is not signed: sign it"
		}
	}
	right := md5Hex(signedText(params, signedNames(params)) + s.app.Secret)
	if session != nil && right == sig {
		return "the secret is the application_secret_key itself, which is right without a session"
	}
	return ""
}

// unsignedName returns the one parameter that the signature of params leaves
// out and should not, or "".
func unsignedName(params url.Values, secret string) string {
	names := signedNames(params)
	for i, name := range names {
		rest := slices.Delete(slices.Clone(names), i, i+1)
		if md5Hex(signedText(params, rest)+secret) == params.Get("sig") {
			return name
		}
	}
	return ""
}

// notUTF8 returns a signed parameter whose name or value is not valid UTF-8, or
// "".
func notUTF8(params url.Values) string {
	for _, name := range signedNames(params) {
		if !utf8.ValidString(name) || !utf8.ValidString(params.Get(name)) {
			return name
		}
	}
	return ""
}

// cesu8 encodes the runes beyond U+FFFF as Java's modified UTF-8 does.
func cesu8(text string) string {
	var b strings.Builder
	for _, r := range text {
		high, low := utf16.EncodeRune(r)
		if high == utf8.RuneError {
			b.WriteRune(r)
			continue
		}
		for _, half := range []rune{high, low} {
			b.Write([]byte{0xE0 | byte(half>>12), 0x80 | byte(half>>6)&0x3F, 0x80 | byte(half)&0x3F})
		}
	}
	return b.String()
}

func capitalBool(text string) string {
	switch text {
	case "true":
		return "True"
	case "false":
		return "False"
	}
	return text
}

func lowerBool(text string) string {
	switch text {
	case "True":
		return "true"
	case "False":
		return "false"
	}
	return text
}

func withName(names []string, name string) []string {
	names = append(names, name)
	slices.Sort(names)
	return names
}

func mapped(params url.Values, change func(string) string) url.Values {
	result := make(url.Values, len(params))
	for name := range params {
		result.Set(name, change(params.Get(name)))
	}
	return result
}

package oktest

import (
	"net/url"
	"slices"
	"strings"
)

// signer is a way to sign, right or wrong.
type signer func(params url.Values, secret string) string

// mistakes are ways to sign wrongly that people are known for.
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

package main

import (
	"crypto/md5"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A variant is one way to do a step of the signing. The right way has no hint.
type variant[T any] struct {
	hint  string // what is wrong, and what is right
	value T
}

// mistakes returns what is wrong with sig, or nil if no known mistakes lead to
// it. Programs were seen to make several at once, so every way to make the text
// is tried with every secret, every way to join both and both cases. The
// fewest mistakes that lead to sig are returned.
func (c *signed) mistakes(sig string) []string {
	if trimmed := strings.TrimSpace(sig); trimmed != sig {
		return append([]string{"there is white space around it"}, c.mistakes(trimmed)...)
	}
	if sig == c.sig {
		return nil
	}
	var found []string
	try := func(text variant[string], secret variant[string], form variant[assembly]) {
		hints := []string{text.hint, secret.hint, form.hint}
		switch made := form.value(text.value, secret.value); {
		case made == sig:
		case made == strings.ToLower(sig), strings.EqualFold(made, sig):
			hints = append(hints, "it is in upper-case hex: write it in lower case")
		default:
			return
		}
		hints = slices.DeleteFunc(hints, func(h string) bool { return h == "" })
		if found == nil || len(hints) < len(found) {
			found = hints
		}
	}
	for _, secret := range c.secrets() {
		for _, form := range assemblies {
			for _, text := range c.texts() {
				try(text, secret, form)
			}
		}
		for text := range c.unsorted() {
			try(text, secret, assemblies[0])
		}
	}
	return found
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// An assembly makes a signature of a text and a secret.
type assembly func(text, secret string) string

var assemblies = []variant[assembly]{
	{"", func(text, secret string) string { return md5Hex(text + secret) }},
	{"the secret comes before the parameters: append it", func(text, secret string) string { return md5Hex(secret + text) }},
	{"the parameters are hashed before the secret is appended: hash both at once", func(text, secret string) string {
		return md5Hex(md5Hex(text) + secret)
	}},
	{"the hash of the parameters and the secret stand side by side: hash both at once", func(text, secret string) string {
		return md5Hex(text) + secret
	}},
	{"there is an & between the parameters and the secret: join them by nothing", func(text, secret string) string {
		return md5Hex(text + "&" + secret)
	}},
}

// secrets returns the secrets that a program may have used, the right one
// first.
func (c *signed) secrets() []variant[string] {
	list := []variant[string]{{"", c.secret}}
	right := ": it is " + secretText[c.circuit]
	add := func(hint, secret string) {
		if secret != c.secret {
			list = append(list, variant[string]{hint + right, secret})
		}
	}
	add("the secret is missing", "")
	add("the secret ends with a line break", c.secret+"\n")
	if app := c.by.application; app != "" {
		add("the secret is the application_secret_key itself", app)
		add("the secret is the application_secret_key in upper case", strings.ToUpper(app))
		if c.by.token != "" {
			derived := md5Hex(c.by.token + app)
			add("the secret is derived from the application_secret_key", derived)
			add("the derived secret is in upper-case hex", strings.ToUpper(derived))
			add("the secret is MD5(application_secret_key + access_token), the wrong way round", md5Hex(app+c.by.token))
			add("the secret is access_token + application_secret_key, not hashed", c.by.token+app)
		}
	}
	if secret := c.by.sessionSecret; secret != "" {
		add("the secret is the session_secret_key", secret)
		add("the secret is derived from the session_secret_key", md5Hex(c.by.token+secret))
	}
	if c.by.token != "" {
		add("the secret is the access_token", c.by.token)
	}
	return list
}

// texts returns the texts that a program may have signed, the right one first.
func (c *signed) texts() []variant[string] {
	right := signedPairs(c.pairs)
	list := []variant[string]{{"", join(right)}}
	add := func(hint, text string) {
		if !slices.ContainsFunc(list, func(v variant[string]) bool { return v.value == text }) {
			list = append(list, variant[string]{hint, text})
		}
	}
	for _, name := range []string{"access_token", "session_key"} {
		if c.by.token != "" {
			add(name+" is signed as well: leave the session out, and send it as access_token", join(sorted(append(right, pair{name, c.by.token}))))
		}
	}
	add("resig is signed as well: leave it out", join(sorted(c.pairs)))
	for i, p := range right {
		add(p.name+" is not signed: "+unsignedAdvice(p.name), join(slices.Delete(slices.Clone(right), i, i+1)))
	}
	add("percent-encoded values are signed: sign them as they are before", join(mapped(right, url.QueryEscape)))
	add("percent-encoded values are signed: sign them as they are before", join(mapped(right, func(v string) string {
		return strings.ReplaceAll(url.QueryEscape(v), "+", "%20")
	})))
	add("parameters are joined by &: join them by nothing", joinBy(right, "=", "&"))
	add("parameters are joined by commas: join them by nothing", joinBy(right, "=", ","))
	add("there is no = between name and value: keep it", joinBy(right, "", ""))
	byText := slices.Clone(right)
	slices.SortFunc(byText, func(p, q pair) int { return strings.Compare(p.name+"="+p.value, q.name+"="+q.value) })
	add("parameters are sorted as name=value: sort them by name", join(byText))
	slices.SortFunc(byText, func(p, q pair) int { return strings.Compare(strings.ToLower(p.name), strings.ToLower(q.name)) })
	add("parameters are sorted without regard to case: capital letters come first", join(byText))
	add("true and false are signed with a capital letter: sign what is sent", join(mapped(right, capitalBool)))
	add("characters beyond U+FFFF, such as emoji, are signed as CESU-8: sign the bytes of UTF-8", join(mapped(right, cesu8)))
	return list
}

// unsignedAdvice says what is right about a parameter that is not signed.
func unsignedAdvice(name string) string {
	if name == "method" {
		return "that is right for /api/GROUP/NAME, where it is not sent; for /fb.do, sign it"
	}
	return "sign it, or do not send it"
}

func sorted(pairs []pair) []pair {
	pairs = slices.Clone(pairs)
	slices.SortFunc(pairs, func(p, q pair) int { return strings.Compare(p.name, q.name) })
	return pairs
}

func mapped(pairs []pair, change func(string) string) []pair {
	pairs = slices.Clone(pairs)
	for i := range pairs {
		pairs[i].value = change(pairs[i].value)
	}
	return pairs
}

func joinBy(pairs []pair, equal, separator string) string {
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = p.name + equal + p.value
	}
	return strings.Join(texts, separator)
}

// maxUnsorted is how many parameters are tried in every order: 5,040 texts.
const maxUnsorted = 7

// unsorted yields the texts of the parameters in every order.
func (c *signed) unsorted() func(yield func(variant[string]) bool) {
	return func(yield func(variant[string]) bool) {
		pairs := signedPairs(c.pairs)
		if len(pairs) <= maxUnsorted {
			permute(pairs, 0, func() bool {
				return yield(variant[string]{"parameters are not sorted: sort them by name", join(pairs)})
			})
		}
	}
}

// permute calls f with pairs in every order, but for the first k, until f
// returns false.
func permute(pairs []pair, k int, f func() bool) bool {
	if k == len(pairs) {
		return f()
	}
	for i := k; i < len(pairs); i++ {
		pairs[k], pairs[i] = pairs[i], pairs[k]
		more := permute(pairs, k+1, f)
		pairs[k], pairs[i] = pairs[i], pairs[k]
		if !more {
			return false
		}
	}
	return true
}

func capitalBool(value string) string {
	if value == "true" || value == "false" {
		return strings.ToUpper(value[:1]) + value[1:]
	}
	return value
}

// cesu8 returns text as Java's modified UTF-8 has it: two surrogates of three
// bytes each for a character beyond U+FFFF.
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

package canary

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// spellings returns secret as it appears in text: as it is, and as it is
// dumped, quoted and encoded.
func spellings(secret string) []string {
	list := []string{
		secret,
		url.QueryEscape(secret),
		url.PathEscape(secret),
		inner(asJSON(secret)),
		html.EscapeString(secret),
	}
	for _, escaped := range list[1:3] {
		list = append(list, escapes.ReplaceAllStringFunc(escaped, strings.ToLower))
	}
	list = append(list, dumps(secret)...)
	list = append(list, base64s(secret)...)
	slices.Sort(list)
	return slices.Compact(list)
}

// escapes matches what url.QueryEscape writes in capitals, and others do not.
var escapes = regexp.MustCompile(`%[0-9A-F]{2}`)

// dumps returns what package fmt makes of secret, as a string, as bytes and as
// runes, without what it puts around it.
func dumps(secret string) []string {
	b, r := []byte(secret), []rune(secret)
	list := []string{
		inner(fmt.Sprintf("%q", secret)), inner(fmt.Sprintf("%+q", secret)),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}"),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", r), "[]int32{"), "}"),
	}
	for _, verb := range []string{"%x", "%X", "% x", "% X", "%# x"} {
		list = append(list, fmt.Sprintf(verb, secret))
	}
	for _, verb := range []string{"%d", "%b", "%o", "%c", "%U"} {
		list = append(list, inner(fmt.Sprintf(verb, b)), inner(fmt.Sprintf(verb, r)))
	}
	return append(list, inner(fmt.Sprintf("%x", r)), inner(fmt.Sprintf("%X", r)))
}

// inner returns text without its first and last byte: quotes or brackets.
func inner(text string) string { return text[1 : len(text)-1] }

// base64s returns what base64 makes of secret, wherever in a longer text it
// stands. The digits that it shares with its neighbours are left out.
func base64s(secret string) []string {
	var list []string
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(" ", before) + secret))
		first := (before*8 + 5) / 6
		last := (before + len(secret)) * 8 / 6
		text = text[first:last]
		list = append(list, text, strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	return list
}

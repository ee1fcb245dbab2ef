package okvcr

import (
	"html"
	"regexp"
	"strings"
)

// A name with its value in text that is neither a form nor valid JSON: a
// message, a page, a redirect in another, broken JSON. The groups are: before,
// the name, between, the value.
var (
	params = [...]*regexp.Regexp{
		regexp.MustCompile(`()([A-Za-z_][\w.-]*)(=)([^&\s"'<>\\]+)`),
		regexp.MustCompile(`()([A-Za-z_][\w.-]*)(%(?:25)*3[Dd])((?:[^&\s"'<>\\%]|%[^2]|%2[^56]|%25[^2]|%252[^6])+)`),
	}
	fields = [...]*regexp.Regexp{
		regexp.MustCompile(`(["'])([A-Za-z_][\w.-]*)(\\*["']\s*:\s*\\*["'])((?:[^"'\\]|\\+[^"'\\])+)`),
		regexp.MustCompile(`(["'])([A-Za-z_][\w.-]*)(\\*["']\s*:\s*)([0-9]+)`),
		regexp.MustCompile(`()([A-Za-z_][\w.-]*)(\s*=\s*\\*["'])([^"'<>\\]+)`), // a script, an attribute
		regexp.MustCompile(`(<(?:[\w-]+:)?)([A-Za-z_][\w.-]*)((?:\s[^<>]*)?>)([^<>]+)`),
	}
)

// text returns text without the values of secret names, and without secrets
// that are known from elsewhere.
func (c *cleaner) text(text string) string {
	for _, pair := range params {
		text = c.replace(pair, isSecret, text)
	}
	for _, pair := range fields {
		text = c.replace(pair, isSecretField, text)
	}
	return c.unquote(tags.ReplaceAllStringFunc(text, c.tag))
}

func (c *cleaner) replace(pair *regexp.Regexp, secret func(name string) bool, text string) string {
	return pair.ReplaceAllStringFunc(text, func(match string) string {
		g := pair.FindStringSubmatch(match)
		if !secret(g[2]) {
			return match
		}
		value := unescape(html.UnescapeString(g[4]))
		if isMark(value) {
			return match
		}
		return g[1] + g[2] + g[3] + c.secret(value)
	})
}

// Hidden inputs and meta tags hold tokens against request forgery.
var (
	tags      = regexp.MustCompile(`(?i)<(?:input|meta)\b[^<>]*>`)
	nameOf    = regexp.MustCompile(`(?i)\bname\s*=\s*["']?([^"'\s<>]+)`)
	contentOf = regexp.MustCompile(`(?i)(\b(?:value|content)\s*=\s*)("[^"]*"|'[^']*'|[^\s"'<>]+)`)
)

// tag returns a tag without its value if its name is secret.
func (c *cleaner) tag(tag string) string {
	name := nameOf.FindStringSubmatch(tag)
	if name == nil || !isSecret(html.UnescapeString(name[1])) {
		return tag
	}
	return contentOf.ReplaceAllStringFunc(tag, func(attribute string) string {
		g := contentOf.FindStringSubmatch(attribute)
		return g[1] + `"` + c.secret(html.UnescapeString(strings.Trim(g[2], `"'`))) + `"`
	})
}

// part is one parameter of a multipart form. The groups are: the headers, the
// name, the end of the headers, the value.
var part = regexp.MustCompile(`(?i)(\bname=")([^"\r\n]*)("[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)((?s:.*?))(\r?\n--)`)

// multipart returns the body of a multipart form. Files stay as they are.
func (c *cleaner) multipart(text string) string {
	return part.ReplaceAllStringFunc(text, func(match string) string {
		g := part.FindStringSubmatch(match)
		if strings.Contains(strings.ToLower(g[3]), "filename") {
			return match
		}
		return g[1] + g[2] + g[3] + c.value(g[2], g[4]) + g[5]
	})
}

package okvcr

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/go-okru/okru/internal/redact"
)

// A cleaner takes the secrets out of one interaction. It remembers what it
// found, to find it again where it has no name.
type cleaner struct {
	mark   string            // stands for a secret
	found  map[string]bool   // secrets so far
	quoted *strings.Replacer // of what was found before; nil: nothing yet
}

func newCleaner() *cleaner { return &cleaner{mark: redact.Mark, found: make(map[string]bool)} }

// minFound is the length below which a secret would be found in any text.
const minFound = 6

// secret returns what stands for the secret value.
func (c *cleaner) secret(value string) string {
	if value == "" || isMark(value) {
		return value
	}
	if len(value) >= minFound && !strings.Contains(c.mark, value) {
		c.found[value] = true
	}
	return c.mark
}

// isMark reports whether value stands for a secret already.
func isMark(value string) bool {
	return strings.HasPrefix(value, strings.TrimSuffix(redact.Mark, "]")) && strings.HasSuffix(value, "]")
}

// learn makes unquote know all that was found so far, in the spellings that
// URLs and JSON have for it.
func (c *cleaner) learn() {
	var pairs []string
	for _, value := range slices.SortedFunc(maps.Keys(c.found), longerFirst) {
		escaped := url.QueryEscape(value)
		for _, spelling := range []string{value, escaped, url.PathEscape(value), url.QueryEscape(escaped), strings.ReplaceAll(value, "/", `\/`)} {
			pairs = append(pairs, spelling, redact.Mark)
		}
	}
	c.quoted = strings.NewReplacer(pairs...)
}

// unquote takes out of text what was found elsewhere in the interaction.
func (c *cleaner) unquote(text string) string {
	if c.quoted == nil {
		return text
	}
	return c.quoted.Replace(text)
}

// longerFirst keeps a secret that is part of another from being replaced in it.
func longerFirst(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) }

// value returns the value of the parameter or header of this name.
func (c *cleaner) value(name, value string) string {
	if isSecret(name) {
		return c.secret(value)
	}
	return c.any(value)
}

// any returns text of a kind that it has to find out itself.
func (c *cleaner) any(text string) string {
	switch {
	case isJSON(text):
		return c.json(text)
	case isURL(text):
		return c.url(text)
	}
	return c.text(text)
}

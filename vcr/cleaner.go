package okvcr

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-okru/okru/internal/redact"
)

// A cleaner removes the secrets from one interaction. It remembers the secrets
// that it found by name, to remove them where they have no name, too.
type cleaner struct {
	mark   string          // replaces a secret
	found  map[string]bool // secrets so far
	quoted redact.Secrets  // what was found in an earlier pass
}

func newCleaner() *cleaner { return &cleaner{mark: redact.Mark, found: make(map[string]bool)} }

// minFound is the length below which a secret would be found in any text.
const minFound = 6

// secret returns the replacement of a secret value, and remembers the value.
func (c *cleaner) secret(value string) string {
	if value == "" || isMark(value) {
		return value
	}
	if len(value) >= minFound && !strings.Contains(c.mark, value) {
		c.found[value] = true
	}
	return c.mark
}

// isMark reports whether value is the replacement of a secret.
func isMark(value string) bool {
	return strings.HasPrefix(value, strings.TrimSuffix(redact.Mark, "]")) && strings.HasSuffix(value, "]")
}

// learn makes unquote search for all that was found so far.
func (c *cleaner) learn() { c.quoted = slices.Collect(maps.Keys(c.found)) }

// unquote removes from text what was found elsewhere in the interaction.
func (c *cleaner) unquote(text string) string { return c.quoted.Clean(text) }

// value returns the value of the parameter or header of this name, without
// secrets.
func (c *cleaner) value(name, value string) string {
	if isSecret(name) {
		return c.secret(value)
	}
	return c.any(value)
}

// any returns a text of unknown kind without its secrets.
func (c *cleaner) any(text string) string {
	switch {
	case isJSON(text):
		return c.json(text)
	case isURL(text):
		return c.url(text)
	}
	return c.text(text)
}

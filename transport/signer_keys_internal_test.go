package transport

import (
	"fmt"
	"regexp"
	"testing"

	"golang.org/x/oauth2"
)

// A keyCache finds the latest keys and, in their slots, those before.
func TestKeyCache(t *testing.T) {
	var c keyCache
	keysOf := func(name string) *cached {
		token := &oauth2.Token{AccessToken: name}
		return &cached{Auto, keys{token: token, access: name, derived: true}}
	}
	first := keysOf("first")
	c.add(first)
	second := keysOf("second")
	for i := 0; c.slot(second.access) == c.slot(first.access); i++ {
		second = keysOf(fmt.Sprint("second", i))
	}
	c.add(second)
	for _, k := range []*cached{first, second} {
		if got := c.find(Auto, k.token); got != k {
			t.Errorf("find returns %v for %s", got, k.access)
		}
		if got := c.find(ServerServer, k.token); got != nil {
			t.Errorf("find returns %v for another circuit", got)
		}
	}
	if c.latest.Load() != second || c.slot(second.access).Load() != second {
		t.Error("the latest keys are not found first, or not in their slot")
	}
	if got := c.find(Auto, &oauth2.Token{AccessToken: "third"}); got != nil {
		t.Errorf("find returns %v for a session without keys", got)
	}
}

// A name of a parameter has letters, digits, underscores and dots.
func TestNameRunes(t *testing.T) {
	name := regexp.MustCompile(`^[A-Za-z0-9_.]$`)
	for r := range rune(0x180) {
		if got := isNoNameRune(r); got == name.MatchString(string(r)) {
			t.Errorf("isNoNameRune(%q) = %t", r, got)
		}
	}
}

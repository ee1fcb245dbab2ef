package redact

import (
	"strings"
	"testing"
)

func TestSecretsClean(t *testing.T) {
	secrets := Secrets{"", "short", "session", "canary/token+1"}
	for _, test := range []struct{ text, want string }{
		{"session short", "session short"},
		{"of canary/token+1 here", "of " + Mark + " here"},
		{"?t=canary%2Ftoken%2B1&", "?t=" + Mark + "&"},
		{`"canary\/token+1"`, `"` + Mark + `"`},
	} {
		if got := secrets.Clean(test.text); got != test.want || secrets.In(test.text) != (test.text != test.want) {
			t.Errorf("Clean(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestWordsAreLongEnough(t *testing.T) {
	for _, word := range strings.Fields(words) {
		if len(word) < minSecret {
			t.Errorf("%q is too short to be looked for", word)
		}
	}
}

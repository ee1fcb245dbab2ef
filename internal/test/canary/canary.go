// Package canary finds secrets in what a program prints by accident.
//
// A test gives a value to [Check], together with the secrets that the value
// holds. The value is printed in every way that ends up in logs: each verb of
// package fmt, errors and what they wrap, JSON, log/slog, log and panics. A
// secret in the text, plain or in one of the usual encodings, fails the test.
//
// Formats that a program has to choose, such as XML and gob, are no accidents
// and are left out.
package canary

import (
	"strings"
	"testing"
)

// minLength is the length of the shortest secret that is not found everywhere.
const minLength = 4

// A Leak is a secret that a value shows.
type Leak struct {
	By     string // how it was printed, such as "%+v"
	Secret string
	Text   string // what was printed
}

// Check fails t if v shows one of secrets. A secret shorter than four bytes
// would be found anywhere and fails t as well.
func Check(t testing.TB, v any, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if len(secret) < minLength {
			t.Errorf("canary: %q is too short to be distinguished from other text", secret)
			return
		}
	}
	for _, leak := range Find(v, secrets...) {
		t.Errorf("%T shows %q when printed by %s: %s", v, leak.Secret, leak.By, leak.Text)
	}
}

// Find returns the ways in which v shows one of secrets.
func Find(v any, secrets ...string) []Leak {
	known := make(map[string][]string, len(secrets))
	for _, secret := range secrets {
		known[secret] = spellings(secret)
	}
	var leaks []Leak
	for _, w := range ways {
		text := attempt(w.print, v)
		for _, secret := range secrets {
			if containsAny(text, known[secret]) {
				leaks = append(leaks, Leak{w.by, secret, text})
			}
		}
	}
	return leaks
}

// Search returns the first of secrets that is in text, plain or encoded.
func Search(text string, secrets ...string) (string, bool) {
	for _, secret := range secrets {
		if containsAny(text, spellings(secret)) {
			return secret, true
		}
	}
	return "", false
}

// containsAny reports whether text contains one of parts.
func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

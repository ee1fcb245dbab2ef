package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestSecretsAreFoundInAnySpelling(t *testing.T) {
	const token, password = "-s-ABCDEFGHIJKLMNOP.QRSTUVWX", "correct horse/+&=é"
	const sig = "0123456789abcdef0123456789abcdef"
	var s secrets
	s.add(token)
	s.add(password)
	quoted, _ := json.Marshal(password)
	for _, test := range []struct {
		text  string
		found bool
	}{
		{"nothing", false},
		{"50% of -s-ABCDEFGHIJKLMNOP.QRSTUVW", false}, // all but the last letter
		{"token " + token, true},
		{token + token, true},
		{"?access_token=" + strings.ReplaceAll(token, "-", "%2D"), true},
		{"?next=" + url.QueryEscape("?access_token="+strings.ReplaceAll(token, "-", "%2d")), true}, // twice
		{"password=" + url.QueryEscape(password), true},
		{"password=" + url.PathEscape(password), true},
		{string(quoted), true},
		{"sig=" + sig, true}, // it was never added
		{"sig=" + strings.ToUpper(sig), true},
		{"0xc000" + sig[:20], false}, // a pointer is no signature
	} {
		if got := s.find(test.text); got != "" != test.found {
			t.Errorf("%q in %q, want found: %v", got, test.text, test.found)
		}
	}
}

// A leaky error shows its secret in one way only.
type leaky struct{ verb, secret string }

func (l leaky) Error() string { return "clean" }

func (l leaky) Format(f fmt.State, verb rune) {
	if fmt.FormatString(f, verb) == l.verb {
		fmt.Fprint(f, l.secret)
	}
}

func TestWitnessLooksEverywhere(t *testing.T) {
	const secret = "a secret, long enough"
	for _, err := range []error{
		errors.New("bad: " + secret),
		leaky{"%v", secret}, leaky{"%+v", secret}, leaky{"%#v", secret},
		fmt.Errorf("outer: %w", leaky{"%#v", secret}),
		errors.Join(errors.New("clean"), leaky{"%+v", secret}),
	} {
		var w witness
		w.secrets.add(secret)
		w.readError("test", errors.New("clean"))
		if n := w.found.Load(); n != 0 {
			t.Errorf("%d secrets found in a clean error", n)
		}
		w.readError("test", err)
		if w.found.Load() == 0 || len(w.leaks.all()) == 0 {
			t.Errorf("no secret found in %#v", err)
		}
	}
}

package canary_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/go-okru/okru/internal/canary"
)

const secret = "canary/secret+1 ="

// Types that leak in one way each.
type (
	field       struct{ Token string }
	hidden      struct{ token string }
	stringer    struct{}
	goStringer  struct{}
	formatter   struct{}
	marshaler   struct{}
	logValuer   struct{}
	plainError  struct{}
	wrapping    struct{ err error }
	bytesField  struct{ B []byte }
	panicking   struct{}
	hexed       struct{}
	escaped     struct{}
	based       struct{}
	clean       struct{ token *string }
	cleanFormat struct{ token string }
)

func (stringer) String() string                 { return secret }
func (goStringer) GoString() string             { return secret }
func (formatter) Format(f fmt.State, verb rune) { fmt.Fprint(f, secret) }
func (marshaler) MarshalJSON() ([]byte, error)  { return []byte(`"` + secret + `"`), nil }
func (logValuer) LogValue() slog.Value          { return slog.StringValue(secret) }
func (plainError) Error() string                { return secret }
func (w wrapping) Error() string                { return "clean" }
func (w wrapping) Format(f fmt.State, _ rune)   { fmt.Fprint(f, "clean") }
func (w wrapping) Unwrap() error                { return w.err }
func (panicking) String() string                { panic(secret) }
func (hexed) String() string                    { return fmt.Sprintf("%x", secret) }
func (escaped) String() string                  { return url.QueryEscape(secret) }
func (based) String() string                    { return base64.StdEncoding.EncodeToString([]byte(secret)) }
func (cleanFormat) Format(f fmt.State, _ rune)  { fmt.Fprint(f, "clean") }

func TestFindCatchesEachWay(t *testing.T) {
	for _, test := range []struct {
		name string
		v    any
		by   string
	}{
		{"field", field{secret}, "%v"},
		{"pointer to a field", &field{secret}, "%v"},
		{"unexported field", hidden{secret}, "%+v"},
		{"a string", secret, "%s"},
		{"String", stringer{}, "String"},
		{"GoString", goStringer{}, "%#v"},
		{"Format", formatter{}, "%d"},
		{"MarshalJSON", marshaler{}, "JSON"},
		{"JSON of a field", field{secret}, "JSON in a struct"},
		{"LogValue", logValuer{}, "slog, text"},
		{"LogValue in JSON", logValuer{}, "slog, JSON"},
		{"Error", plainError{}, "log"},
		{"wrapped error", wrapping{errors.New(secret)}, "the chain of errors"},
		{"joined errors", errors.Join(errors.New("clean"), wrapping{errors.New(secret)}), "the chain of errors"},
		{"bytes", bytesField{[]byte(secret)}, "%v"},
		{"panic", panicking{}, "String"},
		{"hexadecimal", hexed{}, "%v"},
		{"percent-escaped", escaped{}, "%v"},
		{"base64", based{}, "%v"},
		{"verb for numbers", hidden{secret}, "%d"},
		{"in a map", field{secret}, "%v in a map"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var by []string
			for _, leak := range canary.Find(test.v, "other secret", secret) {
				if leak.Secret != secret || leak.Text == "" {
					t.Errorf("leak is %+v", leak)
				}
				if leak.By == test.by {
					return
				}
				by = append(by, leak.By)
			}
			t.Errorf("not caught by %s, but by %s", test.by, strings.Join(by, "; "))
		})
	}
}

func TestFindPassesCleanTypes(t *testing.T) {
	s := secret
	for _, v := range []any{clean{&s}, &clean{&s}, cleanFormat{secret}, nil, 5, errors.New("clean"), wrapping{errors.New("clean")}} {
		if leaks := canary.Find(v, secret); len(leaks) > 0 {
			t.Errorf("%T: %+v", v, leaks)
		}
	}
}

func TestCheckFails(t *testing.T) {
	for name, secrets := range map[string][]string{"leak": {secret}, "too short": {"abc"}} {
		var fake recorder
		canary.Check(&fake, field{secret}, secrets...)
		if fake.failures == 0 {
			t.Errorf("%s: Check did not fail", name)
		}
	}
	var fake recorder
	if canary.Check(&fake, field{"other"}, secret); fake.failures > 0 {
		t.Error("Check fails for a clean value")
	}
}

type recorder struct {
	testing.TB
	failures int
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failures++ }

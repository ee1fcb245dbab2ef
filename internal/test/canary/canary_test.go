package canary_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-okru/okru/internal/test/canary"
)

const secret = "canary/secret+1 =\"é"

// Types that leak in one way each.
type (
	field         struct{ Token string }
	hidden        struct{ token string }
	bytesField    struct{ B []byte }
	arrayField    struct{ A [len(secret)]byte }
	runesField    struct{ R []rune }
	stringer      struct{}
	byPointer     struct{}
	goStringer    struct{}
	formatter     struct{ verb string }
	marshaler     struct{}
	textMarshaler struct{}
	logValuer     struct{}
	plainError    struct{}
	wrapping      struct{ err error }
	panicking     struct{}
	written       struct{ text string }
)

func (stringer) String() string                    { return secret }
func (*byPointer) String() string                  { return secret }
func (goStringer) GoString() string                { return secret }
func (marshaler) MarshalJSON() ([]byte, error)     { return json.Marshal(secret) }
func (textMarshaler) MarshalText() ([]byte, error) { return []byte(secret), nil }
func (logValuer) LogValue() slog.Value             { return slog.StringValue(secret) }
func (plainError) Error() string                   { return secret }
func (w wrapping) Error() string                   { return "clean" }
func (w wrapping) Format(f fmt.State, _ rune)      { fmt.Fprint(f, "clean") }
func (w wrapping) Unwrap() error                   { return w.err }
func (panicking) String() string                   { panic(secret) }
func (w written) String() string                   { return w.text }
func (w written) Format(f fmt.State, _ rune)       { fmt.Fprint(f, "clean") }

// Format leaks by one verb alone.
func (x formatter) Format(f fmt.State, verb rune) {
	if fmt.FormatString(f, verb) == x.verb {
		fmt.Fprint(f, secret)
	}
}

// Types that do not leak.
type (
	behindPointer struct{ token *string }
	behindFunc    struct{ token func() string }
	formatted     struct{ token string }
)

func (formatted) Format(f fmt.State, _ rune) { fmt.Fprint(f, "clean") }

func TestFindSeesEachWay(t *testing.T) {
	for _, test := range []struct {
		name string
		v    any
		by   string
	}{
		{"a string", secret, "%s"},
		{"a field", field{secret}, "%v"},
		{"a field of a pointer", &field{secret}, "%v"},
		{"a field as JSON", field{secret}, "JSON"},
		{"a field in a log", field{secret}, "log"},
		{"an unexported field", hidden{secret}, "%+v"},
		{"an unexported field by a verb for numbers", hidden{secret}, "%d"},
		{"bytes", bytesField{[]byte(secret)}, "%v"},
		{"bytes by %#v", bytesField{[]byte(secret)}, "%#v"},
		{"bytes as JSON", bytesField{[]byte(secret)}, "JSON"},
		{"an array", arrayField{[len(secret)]byte([]byte(secret))}, "%x"},
		{"runes", runesField{[]rune(secret)}, "%v"},
		{"String", stringer{}, "String"},
		{"String in a struct", stringer{}, "%v in a struct"},
		{"String in a slice", stringer{}, "%v in a slice"},
		{"String in a map", stringer{}, "%v in a map"},
		{"String of a pointer", byPointer{}, "%v of a pointer"},
		{"GoString", goStringer{}, "GoString"},
		{"MarshalJSON", marshaler{}, "JSON"},
		{"MarshalJSON of a pointer", marshaler{}, "JSON of a pointer"},
		{"MarshalJSON in a struct", marshaler{}, "JSON in a struct"},
		{"MarshalText", textMarshaler{}, "slog, text"},
		{"LogValue as text", logValuer{}, "slog, text"},
		{"LogValue as JSON", logValuer{}, "slog, JSON"},
		{"Error", plainError{}, "%v"},
		{"Error in a log", plainError{}, "slog, JSON"},
		{"a wrapped error", wrapping{errors.New(secret)}, "the chain of errors"},
		{"a joined error", errors.Join(errors.New("clean"), wrapping{errors.New(secret)}), "the chain of errors"},
		{"String that panics", panicking{}, "String"},
		{"a panic", stringer{}, "panic"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if by := leaks(t, test.v); !slices.Contains(by, test.by) {
				t.Errorf("not seen by %s, but by %q", test.by, by)
			}
		})
	}
}

// leaks returns the ways in which v shows the secret.
func leaks(t *testing.T, v any) []string {
	var by []string
	for _, leak := range canary.Find(v, "another secret", secret) {
		if leak.Secret != secret || leak.Text == "" {
			t.Errorf("leak is %+v", leak)
		}
		by = append(by, leak.By)
	}
	return by
}

func TestFindSeesEachVerb(t *testing.T) {
	for _, verb := range []string{
		"%v", "%+v", "%#v", "%s", "%q", "%+q", "%#q", "%x", "%X", "% x", "%#x",
		"%d", "%b", "%o", "%c", "%U", "%e", "%t",
	} {
		by := leaks(t, formatter{verb})
		if !slices.Contains(by, verb) || !slices.Contains(by, verb+" in a struct") {
			t.Errorf("%s is not seen, but %q", verb, by)
		}
	}
}

func TestFindSeesEachSpelling(t *testing.T) {
	asJSON, _ := json.Marshal(secret)
	for name, text := range map[string]string{
		"plain":              secret,
		"in a query":         url.QueryEscape(secret),
		"in a path":          url.PathEscape(secret),
		"in small letters":   "canary%2fsecret%2b1+%3d%22%c3%a9",
		"hexadecimal":        fmt.Sprintf("%x", secret),
		"in capitals":        fmt.Sprintf("%X", secret),
		"bytes apart":        fmt.Sprintf("% x", secret),
		"quoted":             fmt.Sprintf("%q", secret),
		"quoted in ASCII":    fmt.Sprintf("%+q", secret),
		"JSON":               string(asJSON),
		"HTML":               html.EscapeString(secret),
		"bytes":              fmt.Sprint([]byte(secret)),
		"bytes in Go syntax": fmt.Sprintf("%#v", []byte(secret)),
		"runes":              fmt.Sprint([]rune(secret)),
		"runes in Go syntax": fmt.Sprintf("%#v", []rune(secret)),
		"code points":        fmt.Sprintf("%U", []rune(secret)),
		"base64":             base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64, one in":     base64.StdEncoding.EncodeToString([]byte("." + secret + "...")),
		"base64, two in":     base64.RawURLEncoding.EncodeToString([]byte(".." + secret + "..")),
		"base64, three in":   base64.URLEncoding.EncodeToString([]byte("..." + secret + ".")),
	} {
		if by := leaks(t, written{"before " + text + " after"}); !slices.Contains(by, "String") {
			t.Errorf("%s is not seen: %s", name, text)
		}
		if found, ok := canary.Search(text, "another secret", secret); !ok || found != secret {
			t.Errorf("%s: Search returns %q, %t", name, found, ok)
		}
	}
}

func TestFindPassesCleanValues(t *testing.T) {
	s := secret
	for _, v := range []any{
		nil, 5, "clean", errors.New("clean"), errors.Join(errors.New("clean")), wrapping{errors.New("clean")}, wrapping{},
		behindPointer{&s}, &behindPointer{&s}, behindFunc{func() string { return secret }}, formatted{secret},
		(*field)(nil), map[string]string{"token": "[redacted]"},
	} {
		if by := leaks(t, v); len(by) > 0 {
			t.Errorf("%T is said to leak by %q", v, by)
		}
	}
	if found, ok := canary.Search("clean", secret); ok {
		t.Errorf("Search finds %q", found)
	}
}

func TestCheckFails(t *testing.T) {
	for _, test := range []struct {
		name    string
		v       any
		secrets []string
		fails   bool
	}{
		{"leak", field{secret}, []string{secret}, true},
		{"second secret", field{secret}, []string{"another", secret}, true},
		{"too short", field{"other"}, []string{"abc"}, true},
		{"clean", field{"other"}, []string{secret}, false},
	} {
		fake := &recorder{TB: t}
		canary.Check(fake, test.v, test.secrets...)
		if fails := len(fake.errors) > 0; fails != test.fails {
			t.Errorf("%s: errors are %q", test.name, fake.errors)
		}
	}
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestLogs(t *testing.T) {
	writer, flags, logger := log.Writer(), log.Flags(), slog.Default()
	t.Run("captured", func(t *testing.T) {
		written := canary.Logs(t)
		log.Print("by log")
		slog.Debug("by slog", "v", logValuer{})
		text := written()
		for _, want := range []string{"by log\n", "by slog"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in %q", want, text)
			}
		}
		if _, ok := canary.Search(text, secret); !ok {
			t.Errorf("no secret in %q", text)
		}
	})
	if log.Writer() != writer || log.Flags() != flags || slog.Default() != logger {
		t.Error("the loggers are not what they were before")
	}
}

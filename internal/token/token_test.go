package token_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/token"
)

func TestSame(t *testing.T) {
	a := token.New("A", "S")
	for name, test := range map[string]struct {
		other *oauth2.Token
		same  bool
	}{
		"itself":             {a, true},
		"equal":              {token.New("A", "S"), true},
		"other access token": {token.New("B", "S"), false},
		"other secret":       {token.New("A", "T"), false},
		"no secret":          {token.New("A", ""), false},
		"nil":                {nil, false},
	} {
		if token.Same(a, test.other) != test.same || token.Same(test.other, a) != test.same {
			t.Errorf("%s: Same is %v", name, !test.same)
		}
	}
	if token.Same(nil, nil) {
		t.Error("nothing is the same session as nothing")
	}
}

// A failure here may mean that x/oauth2 keeps extras elsewhere by now.
func TestExtras(t *testing.T) {
	bare := &oauth2.Token{AccessToken: "A"}
	type name string
	for desc, test := range map[string]struct {
		raw  any
		want map[string]any
	}{
		"nothing": {nil, nil},
		"nil map": {map[string]any(nil), nil},
		"map": {map[string]any{"s": "x", "n": 1.5, "i": 7, "u": uint8(8), "j": json.Number("9"), "b": true, "z": nil},
			map[string]any{"s": "x", "n": 1.5, "i": 7.0, "u": 8.0, "j": json.Number("9"), "b": true, "z": nil}},
		"nested":         {map[string]any{"l": []any{"a", map[string]any{"m": 1}}}, map[string]any{"l": []any{"a", map[string]any{"m": 1.0}}}},
		"named types":    {map[name]name{"a": "b"}, map[string]any{"a": "b"}},
		"values":         {url.Values{"a": {"1", "2"}, "b": {}}, map[string]any{"a": "1", "b": nil}},
		"secret, number": {map[string]any{"session_secret_key": 42.0}, map[string]any{"session_secret_key": "42"}},
		"something else": {"text", nil},
	} {
		if got := token.Extras(bare.WithExtra(test.raw)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: Extras is %#v, want %#v", desc, got, test.want)
		}
	}
	if got := token.Extras(nil); got != nil {
		t.Errorf("Extras(nil) is %v", got)
	}
}

func TestExtrasAreACopy(t *testing.T) {
	list := []any{"a"}
	t1 := (&oauth2.Token{}).WithExtra(map[string]any{"list": list})
	token.Extras(t1)["list"].([]any)[0] = "b"
	if list[0] != "a" {
		t.Error("Extras shares its values with the token")
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	for text, want := range map[json.Number]any{
		"1": 1.0, "1.5": 1.5, "-7": -7.0, "580000000001": 580000000001.0,
		"12345678901234567890": json.Number("12345678901234567890"), "1e999": json.Number("1e999"), "1.50": json.Number("1.50"),
	} {
		if got := token.Numbers(text); got != want {
			t.Errorf("%s becomes %#v, want %#v", text, got, want)
		}
	}
}

func TestSecretDoesNotAllocate(t *testing.T) {
	tok := token.New("A", "S")
	if n := testing.AllocsPerRun(100, func() { _ = token.Secret(tok) }); n != 0 {
		t.Errorf("Secret makes %v allocations", n)
	}
}

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

func TestExtras(t *testing.T) {
	bare := &oauth2.Token{AccessToken: "A"}
	for desc, test := range map[string]struct {
		raw  any
		want map[string]any
	}{
		"nothing":        {nil, nil},
		"nil map":        {map[string]any(nil), nil},
		"unknown":        {map[string]any{"x": "y"}, nil},
		"text":           {map[string]any{"session_secret_key": "00123", "uid": "57"}, map[string]any{"session_secret_key": "00123", "uid": "57"}},
		"other types":    {map[string]any{"uid": json.Number("9"), "activated_profile": true}, map[string]any{"uid": json.Number("9"), "activated_profile": true}},
		"null and empty": {map[string]any{"uid": nil, "api_server": ""}, nil},
		"marks":          {map[string]any{token.MarkApplication: "a", token.MarkChain: "c"}, map[string]any{token.MarkApplication: "a", token.MarkChain: "c"}},
		"values":         {url.Values{"session_secret_key": {"abc123"}, "api_server": {"x", "y"}}, map[string]any{"session_secret_key": "abc123", "api_server": "x"}},
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

// Every extra that OK sends, and every mark, is kept.
func TestExtrasHasEveryName(t *testing.T) {
	want := make(map[string]any)
	for _, name := range []string{
		"session_secret_key", "permissions_granted", "scope", "state", "uid", "auth_token", "api_server", "auth_sig", "auth_hash",
		"activated_profile", "okru_application", "okru_chain", "code_sha256",
	} {
		want[name] = "value of " + name
	}
	if got := token.Extras((&oauth2.Token{AccessToken: "A"}).WithExtra(want)); !reflect.DeepEqual(got, want) {
		t.Errorf("Extras is %v, want %v", got, want)
	}
}

func TestErrSignIn(t *testing.T) {
	if got, want := token.ErrSignIn.Error(), "okru: the user must sign in"; got != want {
		t.Errorf("ErrSignIn is %q, want %q", got, want)
	}
}

func TestSecret(t *testing.T) {
	bare := &oauth2.Token{AccessToken: "A"}
	for want, raw := range map[string]any{
		"text":  map[string]any{"session_secret_key": "text"},
		"00123": map[string]any{"session_secret_key": "00123"},
		"42":    map[string]any{"session_secret_key": 42.0},
		"43":    map[string]any{"session_secret_key": json.Number("43")},
		"44":    url.Values{"session_secret_key": {"44"}},
		"4f":    url.Values{"session_secret_key": {"4f"}},
		"":      map[string]any{"session_secret_key": true},
	} {
		if got := token.Secret(bare.WithExtra(raw)); got != want {
			t.Errorf("Secret of %v is %q, want %q", raw, got, want)
		}
	}
	if token.Secret(nil) != "" || token.Secret(bare) != "" {
		t.Error("a token without a secret has one")
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

// Numbers are found at any depth. What is no number stays.
func TestNumbersInLists(t *testing.T) {
	got := token.Numbers(map[string]any{
		"n": json.Number("1"), "text": "2", "null": nil,
		"list": []any{json.Number("3"), "4", []any{json.Number("5")}, map[string]any{"n": json.Number("6")}},
	})
	want := map[string]any{
		"n": 1.0, "text": "2", "null": nil,
		"list": []any{3.0, "4", []any{5.0}, map[string]any{"n": 6.0}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Numbers returns %#v, want %#v", got, want)
	}
}

func TestSecretDoesNotAllocate(t *testing.T) {
	tok := token.New("A", "S")
	if n := testing.AllocsPerRun(100, func() { _ = token.Secret(tok) }); n != 0 {
		t.Errorf("Secret makes %v allocations", n)
	}
}

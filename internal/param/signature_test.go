package param

import (
	"net/url"
	"testing"
)

func TestSignature(t *testing.T) {
	for signed, params := range map[string]url.Values{
		"":                          nil,
		"a=1b=2":                    {"b": {"2"}, "a": {"1"}},
		"a=first":                   {"a": {"first", "second"}, "none": {}},
		"a=b= &=+%":                 {"a": {""}, "b": {" &=+%"}},
		"method=users.getInfo":      {"method": {"users.getInfo"}, "sig": {"1"}, "resig": {"2"}, "access_token": {"3"}},
		"session_key=1signature=2":  {"session_key": {"1"}, "signature": {"2"}},
		"текст=щ\x00":               {"текст": {"щ\x00"}},
		"a=1aa=2aaaaaaaa=3aaaaab=4": {"aaaaab": {"4"}, "aaaaaaaa": {"3"}, "aa": {"2"}, "a": {"1"}},
	} {
		if got, want := Signature(params, "secret"), MD5(signed+"secret"); got != want {
			t.Errorf("the signature of %v is %s, want %s, the MD5 of %q", params, got, want, signed)
		}
	}
	if got, want := MD5("hello"), "5d41402abc4b2a76b9719d911017c592"; got != want {
		t.Errorf("MD5 is %s, want %s", got, want)
	}
}

func TestValue(t *testing.T) {
	var l List
	if err := l.Parse("a=plain&b=&c=%31+2&d&e==", false); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"plain", "", "1 2", "", "="} {
		if got := string(l.Value(i)); got != want {
			t.Errorf("the value of %q is %q, want %q", l.Key(i), got, want)
		}
	}
}

package oauth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

func TestMarshalTokenKeepsEverything(t *testing.T) {
	full := &oauth2.Token{
		AccessToken: "A", TokenType: "session", RefreshToken: "R", ExpiresIn: 1800,
		Expiry: time.Date(2030, 1, 2, 3, 4, 5, 6, time.FixedZone("Moscow", 3*3600)),
	}
	extras := map[string]any{
		"session_secret_key": "0123456789", "uid": json.Number("12345678901234567890"), "auth_hash": 1.5,
		"activated_profile": true, "auth_sig": nil, "permissions_granted": []any{"a", 2.0, map[string]any{"b": 3.0}}, "scope": "Привет <>&",
	}
	for name, want := range map[string]*oauth2.Token{
		"bare":   {AccessToken: "A"},
		"full":   full,
		"extras": full.WithExtra(extras),
	} {
		t.Run(name, func(t *testing.T) {
			data, err := oauth.MarshalToken(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := oauth.UnmarshalToken(data)
			if err != nil {
				t.Fatal(err)
			}
			if got.AccessToken != want.AccessToken || got.TokenType != want.TokenType || got.RefreshToken != want.RefreshToken ||
				!got.Expiry.Equal(want.Expiry) || got.ExpiresIn != want.ExpiresIn {
				t.Errorf("got %+v, want %+v", got, want)
			}
			for name := range extras {
				if !reflect.DeepEqual(got.Extra(name), want.Extra(name)) {
					t.Errorf("extra %s is %#v, want %#v", name, got.Extra(name), want.Extra(name))
				}
			}
			again, err := oauth.MarshalToken(got)
			if err != nil || !bytes.Equal(again, data) {
				t.Errorf("second round differs: %s, want %s (%v)", again, data, err)
			}
		})
	}
}

// A number may be too large for a float64.
func TestUnmarshalTokenOfALargeNumber(t *testing.T) {
	got, err := oauth.UnmarshalToken([]byte(`{"version":1,"access_token":"A","extra":{"n":1e400}}`))
	if err != nil || got.Extra("n") != json.Number("1e400") {
		t.Errorf("got %+v, %v", got, err)
	}
}

// x/oauth2 makes such tokens of responses that are forms.
func TestMarshalTokenOverValues(t *testing.T) {
	form := (&oauth2.Token{AccessToken: "A"}).WithExtra(url.Values{"session_secret_key": {"0f123"}, "uid": {"57x"}})
	if secret := oauth.SessionSecret(form); secret != "0f123" {
		t.Errorf("session secret is %q, want 0f123", secret)
	}
	data, err := oauth.MarshalToken(form)
	if err != nil {
		t.Fatal(err)
	}
	got, err := oauth.UnmarshalToken(data)
	if err != nil || oauth.SessionSecret(got) != "0f123" || got.Extra("uid") != "57x" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSessionSecret(t *testing.T) {
	bare := &oauth2.Token{AccessToken: "A"}
	for want, token := range map[string]*oauth2.Token{
		"":     bare,
		"text": bare.WithExtra(map[string]any{"session_secret_key": "text"}),
		"42":   bare.WithExtra(map[string]any{"session_secret_key": 42.0}),
		"43":   bare.WithExtra(map[string]any{"session_secret_key": json.Number("43")}),
	} {
		if got := oauth.SessionSecret(token); got != want {
			t.Errorf("SessionSecret is %q, want %q", got, want)
		}
	}
	if got := oauth.SessionSecret(nil); got != "" {
		t.Errorf("SessionSecret(nil) is %q", got)
	}
}

func TestMarshalTokenRejects(t *testing.T) {
	for name, token := range map[string]*oauth2.Token{
		"nil":             nil,
		"no access token": {RefreshToken: "R"},
		"year 10000":      {AccessToken: "CANARY", Expiry: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"NaN":             (&oauth2.Token{AccessToken: "CANARY"}).WithExtra(map[string]any{"uid": math.NaN()}),
	} {
		if data, err := oauth.MarshalToken(token); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %s, %v", name, data, err)
		}
	}
}

// tornContents are what a file may hold instead of a session.
var tornContents = []string{
	"", " \n", "\x00\x00\x00", "CANARY", `{"version":1,"access_token":"CANARY`, `{"version":1,"access_token":"CANARY"}}`,
	`[]`, `null`, `"CANARY"`, `{}`, `{"version":1}`, `{"version":1,"access_token":""}`, `{"version":1,"access_token":["CANARY"]}`,
	`{"version":2,"access_token":"CANARY"}`, `{"version":"CANARY","access_token":"A"}`, `{"access_token":"CANARY","token_type":"session"}`,
	`{"version":1,"access_token":"A","expiry":"CANARY"}`, `{"version":1,"access_token":"A","expires_in":"CANARY"}`, `{"version":1,"access_token":"A","extra":"CANARY"}`,
}

func TestUnmarshalTokenRejects(t *testing.T) {
	for _, content := range tornContents {
		got, err := oauth.UnmarshalToken([]byte(content))
		if !errors.Is(err, oauth.ErrCorrupt) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%q: %v, %v; want ErrCorrupt", content, got, err)
		}
	}
}

func FuzzUnmarshalToken(f *testing.F) {
	for _, content := range tornContents {
		f.Add([]byte(content))
	}
	data, err := oauth.MarshalToken((&oauth2.Token{AccessToken: "A", Expiry: time.Unix(1e9, 5)}).WithExtra(map[string]any{"session_secret_key": "S", "n": 1.5}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := oauth.UnmarshalToken(data)
		if err != nil {
			if !errors.Is(err, oauth.ErrCorrupt) {
				t.Errorf("%q: %v is not ErrCorrupt", data, err)
			}
			return
		}
		first, err := oauth.MarshalToken(got)
		if err != nil {
			return // an expiry that JSON can hold in one direction only
		}
		again, err := oauth.UnmarshalToken(first)
		if err != nil {
			t.Fatalf("%q: own output %q is rejected: %v", data, first, err)
		}
		if second, err := oauth.MarshalToken(again); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%q: %q becomes %q (%v)", data, first, second, err)
		}
	})
}

package oauth

// This file has the format in which stores keep a session. json.Marshal of an
// oauth2.Token leaves out the extras, and with them the session secret.

import (
	"bytes"
	"encoding/json"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/token"
)

// tokenVersion is the version of the format of MarshalToken.
const tokenVersion = 1

// tokenJSON is a token as MarshalToken writes it.
type tokenJSON struct {
	Version      int            `json:"version"`
	AccessToken  string         `json:"access_token"`
	TokenType    string         `json:"token_type,omitempty"`
	RefreshToken string         `json:"refresh_token,omitempty"`
	Expiry       time.Time      `json:"expiry,omitzero"`
	ExpiresIn    int64          `json:"expires_in,omitempty"`
	Extra        map[string]any `json:"extra,omitempty"`
}

// MarshalToken returns t as JSON for a [Store], including the session secret
// and the extras that OK is known to send, which json.Marshal omits. The result
// is as secret as t. A token without an access token is an error.
//
// UnmarshalToken returns numbers among the extras as float64, or as
// [json.Number] if a float64 would lose digits.
func MarshalToken(t *oauth2.Token) ([]byte, error) {
	if t == nil || t.AccessToken == "" {
		return nil, &failure{text: "okru: there is no access token to store"}
	}
	data, err := json.Marshal(tokenJSON{
		Version:      tokenVersion,
		AccessToken:  t.AccessToken,
		TokenType:    t.TokenType,
		RefreshToken: t.RefreshToken,
		Expiry:       t.Expiry.Round(0),
		ExpiresIn:    t.ExpiresIn,
		Extra:        token.Extras(t),
	})
	if err != nil { // its text may quote a value
		return nil, &failure{text: "okru: the token cannot be stored: its expiry or an extra cannot be represented in JSON"}
	}
	return data, nil
}

// UnmarshalToken returns the token from which MarshalToken made data. If data is
// something else, the error is [ErrCorrupt].
func UnmarshalToken(data []byte) (*oauth2.Token, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, corrupt("it is empty")
	}
	f := parseFields(data)
	if f == nil {
		return nil, corrupt("it is not a JSON object, or only a part of one")
	}
	if f.text("version") != "1" {
		return nil, corrupt("it does not have version 1 of this format; another program wrote it")
	}
	var s tokenJSON
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // an extra may have a number that is not representable as float64
	if d.Decode(&s) != nil || s.AccessToken == "" {
		return nil, corrupt("a field is wrong")
	}
	t := &oauth2.Token{
		AccessToken:  s.AccessToken,
		TokenType:    s.TokenType,
		RefreshToken: s.RefreshToken,
		Expiry:       s.Expiry,
		ExpiresIn:    s.ExpiresIn,
	}
	extras, _ := token.Numbers(f["extra"]).(map[string]any)
	return t.WithExtra(extras), nil
}

// corrupt returns an error that is ErrCorrupt.
func corrupt(reason string) error {
	return &failure{text: "okru: stored session: " + reason, causes: []error{ErrCorrupt}}
}

package oauth

import (
	"bytes"
	"encoding/json"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/token"
)

// storedVersion is the version of the format of MarshalToken.
const storedVersion = 1

// stored is a token as MarshalToken writes it.
type stored struct {
	Version      int            `json:"version"`
	AccessToken  string         `json:"access_token"`
	TokenType    string         `json:"token_type,omitempty"`
	RefreshToken string         `json:"refresh_token,omitempty"`
	Expiry       time.Time      `json:"expiry,omitzero"`
	ExpiresIn    int64          `json:"expires_in,omitempty"`
	Extra        map[string]any `json:"extra,omitempty"`
}

// MarshalToken returns t as JSON for a [Store]: with the session
// secret and the other extras that OK sends, which json.Marshal leaves out. It is as secret
// as t. A token without an access token is an error.
//
// Numbers among the extras come back from UnmarshalToken as encoding/json has
// them: a float64, or a [json.Number] where that would lose digits.
func MarshalToken(t *oauth2.Token) ([]byte, error) {
	if t == nil || t.AccessToken == "" {
		return nil, &failure{text: "okru: there is no access token to store", is: []error{errEmpty}}
	}
	data, err := json.Marshal(stored{
		Version:      storedVersion,
		AccessToken:  t.AccessToken,
		TokenType:    t.TokenType,
		RefreshToken: t.RefreshToken,
		Expiry:       t.Expiry.Round(0),
		ExpiresIn:    t.ExpiresIn,
		Extra:        token.Extras(t),
	})
	if err != nil { // whose text may quote a value
		return nil, &failure{text: "okru: the token cannot be stored: its expiry or an extra is not fit for JSON"}
	}
	return data, nil
}

// UnmarshalToken returns the token that MarshalToken made data from. Anything
// else is [ErrCorrupt].
func UnmarshalToken(data []byte) (*oauth2.Token, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, corrupt("it is empty")
	}
	f := parseFields(data)
	if f == nil {
		return nil, corrupt("it is not a JSON object, or only a part of one")
	}
	if f.text("version") != "1" {
		return nil, corrupt("it is not of version 1 of this format; something else wrote it")
	}
	var s stored
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // an extra may have a number that no float64 holds
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

func corrupt(reason string) error {
	return &failure{text: "okru: stored session: " + reason, is: []error{ErrCorrupt}}
}

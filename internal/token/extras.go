package token

// This file has the extras of a token. x/oauth2 keeps them in a field that other
// packages cannot list, so their names are known here.

import (
	"encoding/json"
	"strconv"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
)

// names are the extras that OK's responses with a session have, and those that
// this module adds. A response of token.do has none, a redirect of the implicit
// grant has the first two or three, one of auth.login most of them.
var names = [...]string{
	param.SessionSecretKey, "permissions_granted", "scope", "state",
	"uid", "auth_token", "api_server", "auth_sig", "auth_hash", "activated_profile",
	MarkApplication, MarkChain, "code_sha256",
}

// Extras returns a copy of the extras of t that OK is known to send, and of the
// marks of this module; nil if t has none. An oauth2.Token returns an extra by
// its name, and does not list the names that it has. A number as session secret
// becomes a string. Lists and objects are shared with t.
func Extras(t *oauth2.Token) map[string]any {
	if t == nil {
		return nil
	}
	extras := make(map[string]any)
	for _, name := range names {
		if v := t.Extra(name); v != nil && v != "" {
			extras[name] = v
		}
	}
	if secret := Secret(t); secret != "" {
		extras[param.SessionSecretKey] = secret
	}
	if len(extras) == 0 {
		return nil
	}
	return extras
}

// Numbers returns value, and what is in it, with each json.Number as a float64,
// which is what users of encoding/json and x/oauth2 expect, unless that would
// change its digits: ids of OK have more than a float64 can hold. It changes
// maps and lists in place.
func Numbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		return number(v)
	case map[string]any:
		for name, field := range v {
			v[name] = Numbers(field)
		}
	case []any:
		for i, element := range v {
			v[i] = Numbers(element)
		}
	}
	return value
}

// number returns n as a float64, or n itself if a float64 cannot have its digits.
func number(n json.Number) any {
	f, err := n.Float64()
	// The digits decide, and not the size: 2^53+1 has a float64 next to it.
	if err != nil || strconv.FormatFloat(f, 'f', -1, 64) != n.String() {
		return n
	}
	return f
}

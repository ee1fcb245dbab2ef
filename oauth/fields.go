package oauth

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/token"
)

// fields are what an answer or a redirect says.
type fields map[string]any

// parseFields returns the fields of a JSON object, or nil if body is none. OK
// labels JSON as it pleases, so the content type is not asked. A byte order
// mark is allowed, as okerrors.FromResponse does.
func parseFields(body []byte) fields {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var f fields
	if d.Decode(&f) != nil || d.Decode(new(any)) != io.EOF {
		return nil
	}
	return f
}

// text returns a field that should be a string. OK sends numbers now and then.
func (f fields) text(name string) string {
	switch v := f[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// lifetime returns expires_in in seconds, or 0 if there is none to be trusted:
// it has been seen as a string, as a number, and not at all.
func (f fields) lifetime() int64 {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(f.text("expires_in")), 64)
	if err != nil || math.IsNaN(seconds) || math.IsInf(seconds, 0) || seconds < 1 {
		return 0
	}
	return int64(min(seconds, math.MaxInt32))
}

// token returns the session in f, whose access token is called key; nil if f
// has none.
func (f fields) token(key string) *oauth2.Token {
	if f.text(key) == "" {
		return nil
	}
	t := &oauth2.Token{
		AccessToken:  f.text(key),
		TokenType:    f.text("token_type"),
		RefreshToken: f.text("refresh_token"),
		ExpiresIn:    f.lifetime(),
	}
	if t.TokenType == "" {
		t.TokenType = token.TokenType
	}
	if t.ExpiresIn > 0 {
		t.Expiry = time.Now().Add(time.Duration(t.ExpiresIn) * time.Second).Round(0)
	}
	return t.WithExtra(f.extras(key))
}

// extras returns the fields of f that have no place in an oauth2.Token.
func (f fields) extras(key string) map[string]any {
	extras := make(map[string]any)
	for name, value := range f {
		switch name {
		case key, "token_type", "refresh_token", "expires_in", "state":
			continue
		case param.SessionSecretKey:
			value = f.text(name)
		}
		extras[name] = token.Numbers(value)
	}
	return extras
}

// secrets returns the values in f that no error may show.
func (f fields) secrets() secrets {
	var s secrets
	for _, name := range [...]string{param.AccessToken, "refresh_token", param.SessionKey, param.SessionSecretKey, "auth_token", "code"} {
		if value := f.text(name); value != "" {
			s = append(s, value)
		}
	}
	return s
}

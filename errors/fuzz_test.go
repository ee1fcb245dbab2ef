package okerrors_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
)

// FuzzFromResponse compares the look at a stream with encoding/json on the
// whole, and looks at the same bytes in pieces.
func FuzzFromResponse(f *testing.F) {
	for _, tt := range failures {
		f.Add([]byte(tt.body), uint64(1))
	}
	for _, body := range successes {
		f.Add([]byte(body), uint64(2))
	}
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		resp := respond(string(body))
		e, ok := okerrors.FromResponse(resp)
		mustRead(t, resp, string(body))
		if code, isError, comparable := oracle(body); comparable && (ok != isError || ok && e.Code != code) {
			t.Errorf("FromResponse = %v, %v; encoding/json says %d, %v", e, ok, code, isError)
		}
		for _, chunks := range [][]string{bytewise(string(body)), pieces(string(body), seed)} {
			resp := respondFrom(&source{chunks: chunks})
			got, gotOK := okerrors.FromResponse(resp)
			mustRead(t, resp, string(body))
			if ok != gotOK || ok && !same(e, got) {
				t.Errorf("FromResponse = %v, %v at once and %v, %v in %d pieces", e, ok, got, gotOK, len(chunks))
			}
		}
	})
}

// oracle decodes body with encoding/json. The result is comparable only where
// the whole decides as its beginning does: in JSON with no key before
// error_code that no error has, and no longer than what is looked at.
func oracle(body []byte) (code okerrors.Code, isError, comparable bool) {
	if !json.Valid(body) || len(body) > 64<<10 {
		return 0, false, false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || members["error_code"] == nil {
		return 0, false, true
	}
	err := json.Unmarshal(members["error_code"], (*int)(&code))
	isError = err == nil && code != 0
	return code, isError, !foreignKeyFirst(body)
}

// foreignKeyFirst reports whether a key that no error has precedes the first
// error_code that is an integer.
func foreignKeyFirst(body []byte) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	d.Token()
	for d.More() {
		key, _ := d.Token()
		name := key.(string)
		var value json.RawMessage
		d.Decode(&value)
		var code int
		if name == "error_code" && json.Unmarshal(value, &code) == nil && code != 0 {
			return false
		}
		switch name {
		case "custom_error", "ver_redirect_url", "verification_url", "session_key", "session_secret_key":
		default:
			if !strings.HasPrefix(name, "error") {
				return true
			}
		}
	}
	return false
}

// pieces cuts text at random.
func pieces(text string, seed uint64) (list []string) {
	random := rand.New(rand.NewPCG(seed, 0))
	for text != "" {
		n := 1 + random.IntN(min(len(text), 20))
		list, text = append(list, text[:n]), text[n:]
	}
	return list
}

func same(a, b *okerrors.Error) bool {
	keyA, secretA, _ := a.NewSession()
	keyB, secretB, _ := b.NewSession()
	return a.Code == b.Code && a.Message == b.Message && a.Field == b.Field && a.URL == b.URL &&
		bytes.Equal(a.Data, b.Data) && bytes.Equal(a.Custom, b.Custom) && keyA == keyB && secretA == secretB
}

// FuzzError prints errors of any content.
func FuzzError(f *testing.F) {
	f.Add(102, "PARAM_SESSION_EXPIRED : Session expired", "", "users.getInfo")
	f.Add(4242, "", "session_key", "")
	f.Add(-1, "X : access_token=CANARY", "a\nb", "\xff")
	f.Fuzz(func(t *testing.T, code int, message, field, method string) {
		e := &okerrors.Error{Code: okerrors.Code(code), Message: message, Field: field, Method: method}
		for _, text := range []string{e.Error(), e.Code.Error()} {
			if text == "" || strings.ContainsAny(text, "\n\r\x00\x1b") || len(text) > 1500 {
				t.Errorf("the text is empty, too long or of several lines: %q", text)
			}
		}
		if out, err := json.Marshal(e); err != nil || !json.Valid(out) {
			t.Errorf("json.Marshal = %s, %v", out, err)
		}
		if errors.Is(e, okerrors.ErrSession) != e.SessionRejected() {
			t.Error("errors.Is and SessionRejected differ")
		}
		if errors.Is(e, okerrors.ErrOutcomeUnknown) {
			t.Error("the outcome of no call is unknown")
		}
		if !errors.Is(e, e.Code) || errors.Is(e, okerrors.Code(code^1)) {
			t.Error("the code is not found")
		}
		io.WriteString(io.Discard, e.LogValue().String())
	})
}

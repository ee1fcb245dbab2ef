package okerrors_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
)

// TestOutcomeUnknown goes through every code and every kind of call. Only a
// code that does not reject a call leaves the outcome of a write unknown.
func TestOutcomeUnknown(t *testing.T) {
	calls := []struct {
		verb, url string
		option    okcall.Choice
		isWrite   bool
	}{
		{"GET", "https://api.ok.ru/fb.do?method=users.getInfo", okcall.Unset, false},
		{"POST", "https://api.ok.ru/api/friends/get", okcall.Unset, false},
		{"GET", "https://api.ok.ru/fb.do?method=users.getInfo", okcall.No, true},
		{"GET", "https://api.ok.ru/fb.do?method=users.setStatus", okcall.Unset, true},
		{"POST", "https://api.ok.ru/api/mediatopic/post", okcall.Unset, true},
		{"POST", "https://api.ok.ru/api/mediatopic/post", okcall.Yes, false},
		{"POST", "https://api.ok.ru/fb.do", okcall.Unset, true}, // a method that cannot be read
		{"GET", "https://api.ok.ru/graph/me/chats", okcall.Unset, false},
		{"POST", "https://api.ok.ru/graph/me/messages", okcall.Unset, true},
		{"POST", "https://proxy.example/api/mediatopic/post", okcall.Unset, true},
		{"POST", "https://api.ok.ru/oauth/token.do", okcall.Unset, false}, // not an API call
		{"POST", "https://up.example/uploadImage", okcall.Unset, false},
	}
	unknown := map[okerrors.Code]bool{1: true, 2: true, 31: true, 5000: true, 9999: true}
	for _, call := range calls {
		for _, row := range append(rows(t), row{code: 4242}, row{code: -1}) {
			ctx := okcall.With(context.Background(), func(o *okcall.Options) { o.Idempotent = call.option })
			resp := respond(fmt.Sprintf(`{"error_code":%d}`, int(row.code)))
			resp.Request, _ = http.NewRequestWithContext(ctx, call.verb, call.url, nil)
			e := mustError(t, resp)
			want := call.isWrite && unknown[row.code]
			for _, err := range []error{e, &url.Error{Op: "Post", Err: e}, fmt.Errorf("x: %w", e)} {
				if got := errors.Is(err, okerrors.ErrOutcomeUnknown); got != want {
					t.Errorf("%s %s (%v), code %d: ErrOutcomeUnknown is %v, want %v", call.verb, call.url, call.option, row.code, got, want)
				}
			}
			if row.code.MayHaveRun() != unknown[row.code] || errors.Is(row.code, okerrors.ErrOutcomeUnknown) {
				t.Errorf("%v: MayHaveRun() = %v", row.code, row.code.MayHaveRun())
			}
		}
	}
}

// TestOutcomeOfMethod sets the method later, as the Signer does where a form
// can be read only once.
func TestOutcomeOfMethod(t *testing.T) {
	for method, want := range map[string]bool{"users.getInfo": false, "users.setStatus": true} {
		resp := respond(`{"error_code":2}`)
		resp.Request, _ = http.NewRequest("POST", "https://api.ok.ru/fb.do", nil)
		e := mustError(t, resp)
		e.Method = method
		if got := errors.Is(e, okerrors.ErrOutcomeUnknown); got != want {
			t.Errorf("%s: ErrOutcomeUnknown is %v, want %v", method, got, want)
		}
	}
}

// TestNoOutcome has errors that are not the response to a call.
func TestNoOutcome(t *testing.T) {
	parsed, _ := okerrors.Parse([]byte(`{"error_code":2}`))
	parsed.Method = "users.setStatus"
	for name, e := range map[string]*okerrors.Error{
		"Parse": parsed, "without a request": mustError(t, respond(`{"error_code":2}`)),
		"made by a program": {Code: 2, Method: "users.setStatus"},
	} {
		if errors.Is(e, okerrors.ErrOutcomeUnknown) {
			t.Errorf("%s: matches ErrOutcomeUnknown", name)
		}
	}
}

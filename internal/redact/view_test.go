package redact_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/test/canary"
)

type grant struct{ ID, Key, Password string }

func (g grant) view() redact.View {
	return redact.Show("grant", slog.String("ID", g.ID), redact.Secret("Key", g.Key), redact.Secret("Password", g.Password),
		slog.Bool("Ready", g.Key != ""))
}
func (g grant) Format(f fmt.State, verb rune) { g.view().Format(f, verb) }
func (g grant) LogValue() slog.Value          { return g.view().LogValue() }
func (g grant) MarshalJSON() ([]byte, error)  { return g.view().MarshalJSON() }

// Three methods are enough for a type.
func TestView(t *testing.T) {
	g := grant{ID: "1", Key: "canary"}
	canary.Check(t, g, "canary")
	canary.Check(t, &g, "canary")
	const want = `grant{ID:"1" Key:"[redacted]" Password:"" Ready:"true"}`
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if got := fmt.Sprintf(verb, g); got != want {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if text, err := json.Marshal(g); err != nil || string(text) != `{"ID":"1","Key":"[redacted]","Password":"","Ready":"true"}` {
		t.Errorf("JSON is %s, %v", text, err)
	}
}

type timeout struct{ error }

func (timeout) Timeout() bool { return true }

// A cleaned error is a timeout if the original is.
func TestErrorKeepsTimeout(t *testing.T) {
	cause := errors.New("cause")
	for _, original := range []error{cause, timeout{cause}} {
		err := redact.NewError("clean", original)
		_, want := original.(timeout)
		if got := err.(interface{ Timeout() bool }).Timeout(); got != want || err.Error() != "clean" || !errors.Is(err, cause) && !want {
			t.Errorf("of a %T: Timeout is %t, and the error %v", original, got, err)
		}
	}
}

// The error of a panic says where it was and shows no value that may be secret.
func TestPanicError(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{errors.New("broken"), "the hook: panic: broken\ngoroutine "},
		{"text", "the hook: panic: text\ngoroutine "},
		{grant{ID: "1", Key: "canary"}, "the hook: panic with a value of type redact_test.grant\ngoroutine "},
	} {
		err := redact.NewPanicError("the hook", test.value)
		if !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("the error is %.80q, want %q at its beginning", err, test.want)
		}
		if cause, ok := test.value.(error); ok && !errors.Is(err, cause) {
			t.Errorf("the error is not %v", cause)
		}
	}
}

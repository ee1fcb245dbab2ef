package redact_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
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

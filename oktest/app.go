package oktest

import (
	"cmp"
	"fmt"
	"log/slog"

	"github.com/go-okru/okru/internal/redact"
)

// An App is the application that a [Server] knows. Any other is refused. An
// App prints without its secret.
type App struct {
	// ID is the application id, the client_id of OAuth. If empty, it is
	// "512000000001".
	ID string

	// Key is the public application_key of every call. If empty, it is
	// "CBAOKTESTPUBLICKEY".
	Key string

	// Secret is the application_secret_key, the client_secret of OAuth. If
	// empty, it is "OKTESTAPPLICATIONSECRETKEY".
	Secret string
}

func (a App) withDefaults() App {
	return App{
		ID:     cmp.Or(a.ID, "512000000001"),
		Key:    cmp.Or(a.Key, "CBAOKTESTPUBLICKEY"),
		Secret: cmp.Or(a.Secret, "OKTESTAPPLICATIONSECRETKEY"),
	}
}

func (a App) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("ID", a.ID),
		slog.String("Key", a.Key),
		redact.Secret("Secret", a.Secret),
	}
}

// String returns the fields, the secret redacted.
func (a App) String() string { return redact.String("oktest.App", a.attrs()) }

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (a App) Format(f fmt.State, _ rune) { redact.Format(f, a.String()) }

// LogValue implements [slog.LogValuer], the secret redacted.
func (a App) LogValue() slog.Value { return slog.GroupValue(a.attrs()...) }

// MarshalJSON returns the fields, the secret redacted.
func (a App) MarshalJSON() ([]byte, error) { return redact.JSON(a.attrs()) }

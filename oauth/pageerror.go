package oauth

import (
	"fmt"
	"log/slog"

	"github.com/go-okru/okru/internal/redact"
)

// A PageError says that a sign-in got to a page where a human must act: a
// captcha, a check by phone, a blocked profile, or any other page that this
// package does not know. It is [ErrSignIn].
type PageError struct {
	// URL is the page. It may belong to the user's session at OK, so show it
	// to nobody else; a PageError prints without it.
	URL string

	reason string
}

// Error says what is the matter, without URL.
func (e *PageError) Error() string { return "okru: oauth.Implicit: " + e.reason }

// Unwrap returns [ErrSignIn].
func (e *PageError) Unwrap() error { return ErrSignIn }

// Terminal tells that a repeat would end at the same page.
func (e *PageError) Terminal() bool { return true }

// Format implements [fmt.Formatter] with the text of Error for every verb.
func (e PageError) Format(f fmt.State, _ rune) { redact.Format(f, e.Error()) }

// LogValue implements [slog.LogValuer] with the text of Error.
func (e PageError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// MarshalJSON returns an object that tells whether there is a URL.
func (e PageError) MarshalJSON() ([]byte, error) {
	return redact.JSON([]slog.Attr{slog.String("error", e.Error()), redact.Secret("URL", e.URL)})
}

package oauth

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/go-okru/okru/internal/redact"
)

// A PageError says that a sign-in got to a page where a human must act: a
// captcha, a check by phone, a blocked profile, or any other page that this
// package does not know. It is [ErrSignIn].
type PageError struct {
	reason string
	page   func() string // into which package fmt does not look
}

func newPageError(page *url.URL, reason string) error {
	return &PageError{reason, page.String}
}

// Error says what is the matter, without the URL.
func (e *PageError) Error() string { return "okru: oauth.Implicit: " + e.reason }

// URL returns the page. It may belong to the user's session at OK, so show it
// to nobody else; a PageError prints without it.
func (e *PageError) URL() string {
	if e.page == nil {
		return ""
	}
	return e.page()
}

// Unwrap returns [ErrSignIn].
func (e *PageError) Unwrap() error { return ErrSignIn }

// Terminal tells that a repeat would end at the same page.
func (e *PageError) Terminal() bool { return true }

// Format implements [fmt.Formatter] with the text of Error for every verb.
func (e *PageError) Format(f fmt.State, _ rune) { redact.Format(f, e.Error()) }

// LogValue implements [slog.LogValuer] with the text of Error.
func (e *PageError) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// MarshalJSON returns the text of Error.
func (e *PageError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

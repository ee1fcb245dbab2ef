package oauth

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-okru/okru/internal/redact"
)

// A setback is why a Source does not renew. The zero setback is none.
type setback struct {
	cause error
	until time.Time // nobody is asked before
	final bool      // nor after, but the store
}

// err returns what callers get instead of a renewal, or nil if one may be
// tried.
func (b setback) err(hasStore bool) error {
	left := time.Until(b.until)
	if b.cause == nil || left <= 0 && (hasStore || !b.final) {
		return nil
	}
	return b.unavailable(left)
}

func (b setback) unavailable(left time.Duration) error {
	e := &unavailable{cause: b.cause}
	if !b.final {
		e.left = left
	} else if !errors.Is(b.cause, ErrSignIn) {
		e.more = ErrSignIn
	}
	return e
}

// unavailable is the error of a Source that has no session.
type unavailable struct {
	cause error
	more  error         // ErrSignIn, if cause does not say so itself; else nil
	left  time.Duration // until somebody is asked again; zero: not known
}

// Error says why, and for how long nobody is asked again.
func (e *unavailable) Error() string {
	text := "okru: sign-in failed: " + strings.TrimPrefix(causeText(e.cause), "okru: ")
	if e.more != nil {
		text += "; a human must sign in"
	}
	if e.left > 0 {
		text += fmt.Sprintf("; next attempt in %v", e.left.Round(time.Millisecond))
	}
	return text
}

// Unwrap returns the cause.
func (e *unavailable) Unwrap() []error {
	if e.more == nil {
		return []error{e.cause}
	}
	return []error{e.cause, e.more}
}

// Terminal tells that sending the API call again would not help.
func (e *unavailable) Terminal() bool { return true }

// Format implements fmt.Formatter with the text of Error for every verb.
func (e *unavailable) Format(s fmt.State, _ rune) { redact.Format(s, e.Error()) }

// causeText returns the text of an error that may come from a foreign grant or
// store: x/oauth2's can hold a whole page with all that was sent.
func causeText(err error) string {
	const most = 500
	text := redact.Text(err.Error())
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

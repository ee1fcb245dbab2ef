package oauth

// This file has what callers get while a Source does not renew.

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-okru/okru/internal/redact"
)

// A block is why a Source does not renew. The zero block is none. It keeps a
// failing endpoint from being called once per API call, and a wrong password
// from being tried until OK locks the profile.
type block struct {
	cause     error     // nil: there is no block
	until     time.Time // no request is sent before
	permanent bool      // no request is sent after it either, but the store is read
}

// err returns what callers receive instead of a renewal, or nil if a renewal may
// begin.
func (b block) err(hasStore bool) error {
	left := time.Until(b.until)
	if b.cause == nil || left <= 0 && (hasStore || !b.permanent) {
		return nil
	}
	return b.unavailable(left)
}

// unavailable returns the error for callers; left is the rest of the cool-down.
func (b block) unavailable(left time.Duration) error {
	e := &unavailableError{cause: b.cause}
	if !b.permanent {
		e.left = left
	} else if !errors.Is(b.cause, ErrSignIn) {
		e.class = ErrSignIn
	}
	return e
}

// An unavailableError is the error of a Source that has no session.
type unavailableError struct {
	cause error         // of the failure that began the block
	class error         // ErrSignIn, if cause does not match it; otherwise nil
	left  time.Duration // until the next attempt; zero: unknown
}

// Error returns the cause and the time until the next attempt. The text of the
// cause is bounded, except for the stack of a panic.
func (e *unavailableError) Error() string {
	text := redact.Text(e.cause.Error())
	if _, ok := errors.AsType[*panicError](e.cause); !ok {
		text = truncate(text, 500)
	}
	text = "okru: sign-in failed: " + strings.TrimPrefix(text, "okru: ")
	if e.class != nil {
		text += "; the user must sign in"
	}
	if e.left > 0 {
		text += fmt.Sprintf("; next attempt in %v", e.left.Round(time.Millisecond))
	}
	return text
}

// Unwrap returns the cause and the class.
func (e *unavailableError) Unwrap() []error {
	if e.class == nil {
		return []error{e.cause}
	}
	return []error{e.cause, e.class}
}

// Terminal returns true: repeating the API call does not help.
func (e *unavailableError) Terminal() bool { return true }

// Format implements [fmt.Formatter]: every verb prints the text of Error.
func (e *unavailableError) Format(s fmt.State, _ rune) { redact.Format(s, e.Error()) }

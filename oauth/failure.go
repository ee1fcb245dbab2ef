package oauth

import (
	"errors"
	"fmt"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/redact"
)

// Errors to be used with [errors.Is]. Where OK said why, the error is an
// [*oauth2.RetrieveError] or an [*okerrors.Error] as well, by [errors.As].
var (
	// ErrSignIn says that a human must sign in, since trying again by itself
	// is of no use: the refresh token or the code is spent, login or password
	// are wrong, OK wants to see a human, or the user said no. A [Source] that
	// fails with it asks nobody again until it is given a new session.
	ErrSignIn = errors.New("okru: a human must sign in")

	// ErrRefused says that the API refuses even sessions that were just
	// renewed because it refused one. Something else than the session is
	// wrong: the application key, say, or the clock of a server. A [Source]
	// renews no more until its cool-down has passed.
	ErrRefused = errors.New("okru: fresh sessions are refused too")

	// ErrCorrupt says that a store has content, but no session: a torn file,
	// or one that something else has written.
	ErrCorrupt = errors.New("okru: stored session is torn")

	// ErrState says that a redirect came back with another state than was
	// sent: it is not the answer to this request, and must not be used.
	ErrState = errors.New("okru: state differs from what was sent")

	// ErrCredentials says that login or password are wrong. It comes with
	// ErrSignIn.
	ErrCredentials = errors.New("okru: wrong login or password")

	// ErrDenied says that the user, or OK, did not consent. It comes with
	// ErrSignIn.
	ErrDenied = errors.New("okru: access denied")
)

// A failure is what went wrong with a grant or a store. Its text is its own,
// since the text of its causes may be too long, or not fit to print.
type failure struct {
	text string
	is   []error // for errors.Is and errors.As
}

// Error returns the text.
func (f *failure) Error() string { return f.text }

// Unwrap returns the causes.
func (f *failure) Unwrap() []error { return f.is }

// Terminal tells that sending the API call again would not help: a failure
// happens before it is sent, and its cool-down outlasts a retry.
func (f *failure) Terminal() bool { return true }

// Format implements fmt.Formatter with the text of Error for every verb, since
// some print the causes.
func (f *failure) Format(s fmt.State, _ rune) { redact.Format(s, f.text) }

// hopeless reports whether trying the same again is of no use after err.
func hopeless(err error) bool {
	if errors.Is(err, ErrSignIn) {
		return true
	}
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	return ok && hopelessCode(e.ErrorCode)
}

// hopelessCode reports whether an OAuth error code is about what a human did or
// can do, as opposed to one about the application or the server. OK says
// invalid_token of a refresh token that it does not know.
func hopelessCode(code string) bool {
	return code == "invalid_grant" || code == "invalid_token" || code == "access_denied"
}

// apiFailure returns a failure that the API reports by e. What e says is
// cleaned of secrets first: OK echoes what it was sent.
func apiFailure(e *okerrors.Error, secrets secrets, more ...error) *failure {
	said := *e
	said.Message, said.Field = secrets.clean(e.Message), secrets.clean(e.Field)
	return &failure{text: said.Error(), is: append(more, &said)}
}

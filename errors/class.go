package okerrors

import "errors"

// Classes of codes, to be used with [errors.Is]. Each known [Code] belongs to
// exactly one; a code this package does not know belongs to none. OK itself
// defines no classes: these say what a caller can do about a code.
var (
	// ErrSession is the class of codes that refuse a session, expired,
	// revoked or replaced. A new session helps. See also
	// [Error.SessionRefused].
	ErrSession = errors.New("okru: session refused")

	// ErrPermission is the class of codes that deny a right: a scope the user
	// did not grant, an object of someone else, a restriction by its owner.
	ErrPermission = errors.New("okru: permission denied")

	// ErrThrottled is the class of codes that ask for fewer calls, be it of
	// this method, user, address or object. Not all pass soon: the comment
	// of a code says when a repeat makes sense.
	ErrThrottled = errors.New("okru: throttled")

	// ErrTransient is the class of faults inside OK that may be gone at the
	// next call. Whether the failed call took effect is unknown.
	ErrTransient = errors.New("okru: transient fault")

	// ErrInvalid is the class of calls that are wrong in themselves: method,
	// parameters, signature or upload. The same call fails again.
	ErrInvalid = errors.New("okru: invalid call")

	// ErrNotFound is the class of calls about something that does not exist,
	// or no longer.
	ErrNotFound = errors.New("okru: not found")

	// ErrUserAction is the class of codes that only a human can resolve: sign
	// in, pass a check, accept an agreement, pay. [Error.URL] says where, if
	// the API did.
	ErrUserAction = errors.New("okru: user action required")

	// ErrRule is the class of calls that a rule of OK forbids in the present
	// state of things, though the call is well formed and permitted.
	ErrRule = errors.New("okru: refused by a rule")
)

// ErrOutcomeUnknown reports that a write failed which may have run: check
// before you repeat it. [errors.Is] finds it in the errors of calls that are
// not known to be safe to repeat. An error that does not match it proves that
// the call did not run.
var ErrOutcomeUnknown = errors.New("okru: the call may have run")

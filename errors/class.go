package okerrors

// This file has the type Code, and the classes that codes belong to. The codes are
// in codes.go, and the class of each in codes_table.go.

import (
	"errors"
	"strconv"
)

// Classes of codes, to be used with [errors.Is]. Each known [Code] belongs to
// exactly one; a code that this package does not know belongs to none. OK
// itself defines no classes: these say what a caller can do about a code.
var (
	// ErrSession is the class of codes that reject a session: it is expired,
	// revoked or replaced. A new session helps. See also
	// [Error.SessionRejected].
	ErrSession = errors.New("okru: session rejected")

	// ErrPermission is the class of codes that deny a right: a scope that the
	// user did not grant, an object of another user, a restriction by its
	// owner.
	ErrPermission = errors.New("okru: permission denied")

	// ErrThrottled is the class of codes that ask for fewer calls: of this
	// method, user, address or object. Not all pass soon: the comment of a
	// code says when a repeat makes sense.
	ErrThrottled = errors.New("okru: throttled")

	// ErrTransient is the class of faults inside OK that may be gone at the
	// next call. Whether the failed call took effect is unknown.
	ErrTransient = errors.New("okru: transient fault")

	// ErrInvalid is the class of calls that are wrong in themselves: method,
	// parameters, signature or upload. The same call fails again.
	ErrInvalid = errors.New("okru: invalid call")

	// ErrNotFound is the class of calls about something that does not exist,
	// or no longer exists.
	ErrNotFound = errors.New("okru: not found")

	// ErrUserAction is the class of codes that only the user can resolve: sign
	// in, pass a check, accept an agreement, pay. [Error.URL] is where, if the
	// API sent it.
	ErrUserAction = errors.New("okru: user action required")

	// ErrRule is the class of calls that a rule of OK forbids in the present
	// state of things, though the call is well formed and permitted.
	ErrRule = errors.New("okru: forbidden by a rule")
)

// ErrOutcomeUnknown reports that a write failed which may have run: check
// before you repeat it. A write is a call that is not known to be safe to
// repeat; of the Graph API, any call but a GET. [errors.Is] finds it in the errors
// of okru.Call and okru.Graph, of clients and of transport.Retry,
// transport.Signer and transport.Group, whether the API sent the error or not. If
// the error of a write does not match, the write did not run.
//
// There is one exception: of an error after http.Client.Timeout, net/http keeps
// only the text. It matches for okru.Call and okru.Graph, and may not match for
// client.Do.
var ErrOutcomeUnknown = errors.New("okru: the call may have run")

// A Code is the number of an API error. It is an error itself, the one that
// [*Error] wraps, so that [errors.Is] compares with it.
//
// The constants are OK's own names in camel case, with Go's capitals for ID,
// IP and API. Where OK publishes no description of a code, its comment says
// what the name says. OK may add codes: one without a constant here keeps its
// number. OK does not use 0. See https://apiok.ru/en/dev/errors.
type Code int

// Error returns OK's name of the code and the number, such as
// "PARAM_SESSION_EXPIRED (102)". A code without a constant in this package is
// "CODE (4242)".
func (c Code) Error() string {
	name := c.name()
	if name == "" {
		name = unnamed
	}
	return c.named(name)
}

// Is reports whether target is the class of c, such as [ErrSession]. A code
// without a constant in this package has no class.
func (c Code) Is(target error) bool {
	known, ok := codes[c]
	return ok && known.class == target
}

// MayHaveRun reports whether a call that failed with c may have run all the
// same: the API received it, and does not say that it rejected it. That is so
// for 1, 2, 31, 5000 and 9999. See [ErrOutcomeUnknown].
func (c Code) MayHaveRun() bool {
	switch c {
	case CodeUnknown, CodeService, CodeNetworkTimeout, CodeInvalidResponse, CodeSystem:
		return true
	}
	return false
}

// unnamed replaces the name of a code that neither this package nor the
// message knows.
const unnamed = "CODE"

// name returns OK's symbolic name of c, or "" if c is not known.
func (c Code) name() string { return codes[c].name }

// named returns name and the number, such as "PARAM_SESSION_EXPIRED (102)".
func (c Code) named(name string) string {
	return name + " (" + strconv.Itoa(int(c)) + ")"
}

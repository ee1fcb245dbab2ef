package okerrors

import "strconv"

// A Code is the number of an API error. It is an error itself, the one that
// [*Error] wraps, so that [errors.Is] compares with it.
//
// The constants are OK's own names in camel case, with Go's capitals for ID,
// IP and API. Where OK publishes no description of a code, its comment says
// what the name says. OK adds codes at will: one without a constant here keeps
// its number. OK does not use 0.
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
	k, ok := known[c]
	return ok && k.class == target
}

// name returns OK's symbolic name of c, or "" if c is not known.
func (c Code) name() string { return known[c].name }

func (c Code) named(name string) string {
	return name + " (" + strconv.Itoa(int(c)) + ")"
}

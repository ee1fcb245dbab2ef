package oktest

import (
	"cmp"
	"slices"
)

// A Method is what OK documents about a method of its REST API, for programs
// that show or check what a call needs. See https://apiok.ru/en/dev/methods.
type Method struct {
	// Name is the name of the method, such as "users.getInfo".
	Name string

	// Session is whether the method takes a session: "required", "optional",
	// "prohibited", "external" (required of an external application, optional
	// for one that runs inside OK), or "any" (not documented).
	Session string

	// Scopes are the permissions that the user must have granted to the
	// application, such as "VALUABLE_ACCESS". If nil, none.
	Scopes []string
}

// Methods returns the methods that OK documents, sorted by name. A Server
// rejects calls of any other method that has no handler. The result is a copy.
func Methods() []Method {
	list := make([]Method, 0, len(demands()))
	for name, d := range demands() {
		list = append(list, Method{Name: name, Session: string(d.session), Scopes: slices.Clone(d.scopes)})
	}
	slices.SortFunc(list, func(a, b Method) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

package okcall

// This file decides whether a call is safe to repeat, as far as its name, its verb
// and its context show it.

import (
	"net/http"
	"strings"
)

// ReadsOnly reports whether the API method only reads, by its name: whether the
// last part of method is get, is, has, search or find, alone or followed by an
// upper-case letter. getUploadUrl is the exception: it creates the object to
// upload to. The verb of the request means nothing, since OK accepts GET and
// POST for every method.
func ReadsOnly(method string) bool {
	name := method[strings.LastIndexByte(method, '.')+1:]
	if beginsWith(name, "get") { // most methods
		return name != "getUploadUrl"
	}
	return beginsWith(name, "is") || beginsWith(name, "has") || beginsWith(name, "search") || beginsWith(name, "find")
}

// beginsWith reports whether the first word of name, up to an upper-case letter, is
// word.
func beginsWith(name, word string) bool {
	rest, ok := strings.CutPrefix(name, word)
	return ok && (rest == "" || 'A' <= rest[0] && rest[0] <= 'Z')
}

// MayRepeat returns whether r may run twice, as far as that is known without
// its method: the choice in its context or, for a Graph call, whether it is a
// GET. It returns false if r is not an API call by its path, on any host.
func MayRepeat(r *http.Request) (c Choice, isCall bool) {
	if r == nil || r.URL == nil {
		return Unset, false
	}
	kind, o := kindOf(r.URL.Path), FromContext(r.Context())
	switch {
	case kind == NoCall:
		return Unset, false
	case o != nil && o.Idempotent != Unset:
		return o.Idempotent, true
	case kind == REST:
		return Unset, true
	case r.Method == http.MethodGet || r.Method == "":
		return Yes, true
	}
	return No, true
}

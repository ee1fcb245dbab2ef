package transport

import (
	"strings"

	"github.com/go-okru/okru/internal/okcall"
)

// safeToRepeat reports whether a call of the API method may run twice whose
// context said v. That counts; else the method's name does, since OK takes GET
// and POST for every method and the verb says nothing.
func safeToRepeat(v *okcall.Options, method string) bool {
	if v != nil && v.Idempotent != okcall.Unset {
		return v.Idempotent == okcall.Yes
	}
	return readsOnly(method)
}

// readsOnly reports whether the last part of method is get, is, has, search or
// find, alone or followed by an upper-case letter: these only read.
// getUploadUrl is none of them: it creates the object to upload to.
func readsOnly(method string) bool {
	name := method[strings.LastIndexByte(method, '.')+1:]
	end := 0
	for end < len(name) && (name[end] < 'A' || name[end] > 'Z') {
		end++
	}
	switch name[:end] {
	case "get":
		return name != "getUploadUrl"
	case "is", "has", "search", "find":
		return true
	}
	return false
}

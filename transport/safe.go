package transport

import (
	"strings"

	"github.com/go-okru/okru/internal/apicall"
)

// safeToRepeat tells whether a call of the API method may run twice whose
// context said v. That counts; else the method's name does, since OK takes GET
// and POST for every method and the verb says nothing.
func safeToRepeat(v *apicall.Values, method string) bool {
	if v != nil && v.Idempotent != apicall.Unsaid {
		return v.Idempotent == apicall.Yes
	}
	return readsOnly(method)
}

// readVerbs begin the names of the methods that only read.
var readVerbs = [...]string{"get", "is", "has", "search", "find"}

// readsOnly tells whether the last part of method is one of readVerbs,
// followed by an upper-case letter or nothing. getUploadUrl is none of them:
// it creates the object to upload to.
func readsOnly(method string) bool {
	name := method[strings.LastIndexByte(method, '.')+1:]
	if name == "getUploadUrl" {
		return false
	}
	for _, verb := range readVerbs {
		if rest, ok := strings.CutPrefix(name, verb); ok {
			return rest == "" || rest[0] >= 'A' && rest[0] <= 'Z'
		}
	}
	return false
}

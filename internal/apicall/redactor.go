package apicall

import "sync/atomic"

// A Redactor takes the secrets of one call out of text. Who sends the call
// puts it into the context; a Signer, which knows the secrets, sets it. The
// zero Redactor knows none. It is safe for concurrent use.
type Redactor struct {
	clean atomic.Pointer[func(string) string]
}

// Set makes Clean call clean.
func (r *Redactor) Set(clean func(string) string) { r.clean.Store(&clean) }

// Clean returns text without secrets.
func (r *Redactor) Clean(text string) string {
	if clean := r.clean.Load(); clean != nil {
		return (*clean)(text)
	}
	return text
}

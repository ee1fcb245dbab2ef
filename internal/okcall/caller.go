package okcall

import "sync/atomic"

// A Caller is an okru.Call that waits for its response. It marks its request
// as an API call: a Signer rejects a marked request to a host that it does not
// serve. The Signer, which knows the secrets of the call, sets how to redact
// them. The zero Caller redacts nothing. It is safe for concurrent use.
type Caller struct {
	redact atomic.Pointer[func(string) string]
}

// SetRedact makes Redact call redact.
func (c *Caller) SetRedact(redact func(string) string) { c.redact.Store(&redact) }

// Redact returns text without the secrets of the call.
func (c *Caller) Redact(text string) string {
	if redact := c.redact.Load(); redact != nil {
		return (*redact)(text)
	}
	return text
}

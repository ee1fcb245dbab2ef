package okcall

import "sync/atomic"

// A Caller is an okru.Call that waits for its response. It marks its request
// as an API call: a Signer rejects a marked request to a host that it does not
// serve. The Signer, which knows the secrets of the call, sets how to redact
// them. The layers report whether an attempt of a write may have run, since
// net/http may keep only the text of their error. The zero Caller redacts
// nothing. It is safe for concurrent use.
type Caller struct {
	redact     atomic.Pointer[func(string) string]
	mayHaveRun atomic.Bool
}

// SetMayHaveRun makes MayHaveRun return true.
func (c *Caller) SetMayHaveRun() { c.mayHaveRun.Store(true) }

// MayHaveRun reports whether an attempt of the call may have run, although it
// ended in an error or gave way to a repeat. It is false for a call that is
// safe to repeat.
func (c *Caller) MayHaveRun() bool { return c.mayHaveRun.Load() }

// SetRedact makes Redact call redact.
func (c *Caller) SetRedact(redact func(string) string) { c.redact.Store(&redact) }

// Redact returns text without the secrets of the call.
func (c *Caller) Redact(text string) string {
	if redact := c.redact.Load(); redact != nil {
		return (*redact)(text)
	}
	return text
}

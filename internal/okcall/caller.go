package okcall

// This file connects okru.Call with the layers below it. A Call knows its method
// and waits for the response; the Signer knows the secrets. They meet in the
// context.

import "sync"

// A Caller is an okru.Call or okru.Graph that waits for its response. It marks
// its request as an API call: a Signer or a Group rejects a marked request to a
// host that it does not serve. The layer that knows the secrets of the call and
// sees its attempts gives it a function that redacts them. It is safe for
// concurrent use.
type Caller struct {
	mu         sync.Mutex          // guards the fields below
	redact     func(string) string // nil: the call was not signed
	mayHaveRun bool                // once true, it stays true
}

// Sign reports to c that its call was signed, or has its group token, and how to
// redact its secrets.
func (c *Caller) Sign(redact func(string) string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.redact = redact
}

// redactor returns the function of the last Sign, or nil.
func (c *Caller) redactor() func(string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.redact
}

// IsSigned reports whether a Signer or a Group has sent the call.
func (c *Caller) IsSigned() bool { return c.redactor() != nil }

// Redact returns text without the secrets of the call. Without a Signer it
// returns text.
func (c *Caller) Redact(text string) string {
	if redact := c.redactor(); redact != nil {
		return redact(text)
	}
	return text
}

// SetMayHaveRun makes MayHaveRun return true. The layers call it, since net/http
// may keep only the text of their error.
func (c *Caller) SetMayHaveRun() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mayHaveRun = true
}

// MayHaveRun reports whether an attempt of the call may have run, although it
// ended in an error or gave way to a repeat. It is false for a call that is
// safe to repeat.
func (c *Caller) MayHaveRun() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mayHaveRun
}

// Package apicall knows what a request means as a call of the OK API: the
// method it names, and what its context says about this one call.
package apicall

import (
	"context"
	"sync/atomic"

	"golang.org/x/oauth2"
)

// Values is what a context says about one call. All of it stands under one
// context key, so that a layer finds everything by one look-up. It is shared
// by whoever holds the context and must not be modified.
type Values struct {
	Token      *oauth2.Token      // with HasToken: this call's session
	HasToken   bool               // a token was set, perhaps a nil one by mistake
	Source     oauth2.TokenSource // this call's session, renewable; nil: not set
	Circuit    int                // with HasCircuit: a transport.Circuit
	HasCircuit bool
	Idempotent Answer        // may the call be repeated?
	Attempts   *atomic.Int32 // counts what is sent; nil: nobody asked
	Redactor   *Redactor     // knows the secrets of the call; nil: nobody asked
}

// Answer is a yes, a no, or neither.
type Answer int8

// The answers.
const (
	Unsaid Answer = iota
	Yes
	No
)

type contextKey struct{}

// From returns what ctx says about its call, or nil if it says nothing.
func From(ctx context.Context) *Values {
	v, _ := ctx.Value(contextKey{}).(*Values)
	return v
}

// With returns a context that says what ctx says, changed by edit.
func With(ctx context.Context, edit func(*Values)) context.Context {
	v := new(Values)
	if old := From(ctx); old != nil {
		*v = *old
	}
	edit(v)
	return context.WithValue(ctx, contextKey{}, v)
}

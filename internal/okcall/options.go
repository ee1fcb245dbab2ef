package okcall

// This file has what the context of a call says about it.

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

// Options are what a context says about one call. All of them are one value of
// the context, so that a layer finds them by one lookup. They are shared by
// everything that has the context and must not be modified.
type Options struct {
	Token      *oauth2.Token      // with HasToken: the session of this call
	HasToken   bool               // a token was set; it may be nil by mistake
	Source     oauth2.TokenSource // the session of this call, renewable; nil: unset
	Circuit    int                // with HasCircuit: a transport.Circuit
	HasCircuit bool               // a circuit was set: the zero Circuit is one of them
	GroupToken *string            // of this call of the Graph API; nil: unset. A pointer, so that fmt does not print it
	Idempotent Choice             // may the call be repeated?

	Attempts *atomic.Int32 // counts the attempts; nil: unset

	// AttemptTimeout bounds the attempt: the lowest layer applies it to the
	// request that it sends. Zero means no bound.
	AttemptTimeout time.Duration

	Caller *Caller // the okru.Call that sends the request; nil: none

	Tracer  Tracer // reports what happens to the call; nil: none
	Attempt int    // with Tracer: the number of the attempt, from 1; 0: it is the first, or no Retry is above
}

// A Choice is yes, no or unset.
type Choice int8

// The choices.
const (
	Unset Choice = iota
	Yes
	No
)

// contextKey is the key of the Options in a context.
type contextKey struct{}

// A Context is a context with Options: context.WithValue and the Options in one
// piece of memory.
type Context struct {
	context.Context
	options Options // not exported: encoding/json must not print it
}

// With returns a context with the options of ctx, changed by edit.
func With(ctx context.Context, edit func(*Options)) context.Context {
	c := new(Context)
	edit(c.Init(ctx))
	return c
}

// Init makes c a child of ctx, with a copy of its options: other calls, and other
// goroutines, may share the old ones. It returns the copy.
func (c *Context) Init(ctx context.Context) *Options {
	c.Context = ctx
	if old := FromContext(ctx); old != nil {
		c.options = *old
	}
	return &c.options
}

// Format implements [fmt.Formatter]. The Options, which have a session, are not
// printed.
func (c *Context) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "%v.WithOptions", c.Context)
}

// Value implements [context.Context].
func (c *Context) Value(key any) any {
	if _, ok := key.(contextKey); ok {
		return &c.options
	}
	return c.Context.Value(key)
}

// FromContext returns the options in ctx, or nil if it has none.
func FromContext(ctx context.Context) *Options {
	o, _ := ctx.Value(contextKey{}).(*Options)
	return o
}

// IsCaller reports whether an okru.Call or okru.Graph sends the request. o may be
// nil.
func (o *Options) IsCaller() bool { return o != nil && o.Caller != nil }

// Timeout returns the AttemptTimeout. o may be nil.
func (o *Options) Timeout() time.Duration {
	if o == nil {
		return 0
	}
	return o.AttemptTimeout
}

// Package okcall defines what an API call is: which requests are calls, which
// method a call names, and what its context says about it.
package okcall

import (
	"context"
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
	HasCircuit bool
	GroupToken *string // of this call of the Graph API; nil: unset. A pointer, so that fmt does not print it
	Idempotent Choice  // may the call be repeated?

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

// FromContext returns the options in ctx, or nil if it has none.
func FromContext(ctx context.Context) *Options {
	o, _ := ctx.Value(contextKey{}).(*Options)
	return o
}

// With returns a context with the options of ctx, changed by edit.
func With(ctx context.Context, edit func(*Options)) context.Context {
	o := new(Options)
	if old := FromContext(ctx); old != nil {
		*o = *old
	}
	edit(o)
	return context.WithValue(ctx, contextKey{}, o)
}

// Timeout returns the AttemptTimeout. o may be nil.
func (o *Options) Timeout() time.Duration {
	if o == nil {
		return 0
	}
	return o.AttemptTimeout
}

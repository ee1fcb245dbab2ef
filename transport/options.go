package transport

// This file has the options of one call, which travel in its context: see
// okcall.Options. They let one client serve many users.

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// WithToken returns a context whose calls use the session of t instead of
// that of [Signer.TokenSource]: for servers that call on behalf of many users.
// The Signer cannot renew it: a rejected session is returned to the caller. A nil
// t makes calls fail; for calls without a session see [WithCircuit]. t must
// not be modified afterwards. Of WithToken and [WithTokenSource] the last one
// counts.
func WithToken(ctx context.Context, t *oauth2.Token) context.Context {
	return okcall.With(ctx, func(v *okcall.Options) { v.Token, v.HasToken, v.Source = t, true, nil })
}

// WithTokenSource returns a context whose calls use the session of ts instead
// of that of [Signer.TokenSource], and have ts renew it if it is rejected. A
// nil ts makes calls fail.
func WithTokenSource(ctx context.Context, ts oauth2.TokenSource) context.Context {
	if ts == nil || roundtrip.IsTypedNil(ts) {
		ts = nilSource{}
	}
	return okcall.With(ctx, func(v *okcall.Options) { v.Token, v.HasToken, v.Source = nil, false, ts })
}

// A nilSource stands for a nil source, so that no call gets the session of
// another user instead.
type nilSource struct{}

func (nilSource) Token() (*oauth2.Token, error) {
	return nil, reject("no session: WithTokenSource was given a nil token source; for a call without a session use WithCircuit(ctx, Sessionless)")
}

func (s nilSource) TokenContext(context.Context) (*oauth2.Token, error) { return s.Token() }

// WithCircuit returns a context whose calls use circuit c instead of
// [Signer.Circuit].
func WithCircuit(ctx context.Context, c Circuit) context.Context {
	return okcall.With(ctx, func(v *okcall.Options) { v.Circuit, v.HasCircuit = int(c), true })
}

// WithGroupToken returns a context whose Graph calls use token, that of a group's
// bot, instead of [Group.Token]: for programs that serve several groups. An
// empty token makes Graph calls fail.
func WithGroupToken(ctx context.Context, token string) context.Context {
	return okcall.With(ctx, func(v *okcall.Options) { v.GroupToken = &token })
}

// WithIdempotent returns a context that says whether its calls may safely run
// more than once. It overrides what [Retry] reads off a method's name.
func WithIdempotent(ctx context.Context, safe bool) context.Context {
	return okcall.With(ctx, func(v *okcall.Options) {
		v.Idempotent = okcall.No
		if safe {
			v.Idempotent = okcall.Yes
		}
	})
}

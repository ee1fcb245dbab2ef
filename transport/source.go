package transport

import (
	"context"
	"reflect"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/token"
)

// A source is where one call's session comes from.
type source struct {
	tokens oauth2.TokenSource // nil: there is none
	prompt bool               // tokens never makes anyone wait
	fixed  *oauth2.Token      // instead of tokens
	empty  bool               // the context has a session, and it is nil
}

// What a TokenSource may offer beyond its one method.
type (
	contextSource interface {
		TokenContext(context.Context) (*oauth2.Token, error)
	}
	invalidator interface{ Invalidate(*oauth2.Token) }
	replacer    interface{ Replace(old, new *oauth2.Token) }
)

// staticType is the type of a source of x/oauth2 that never waits.
var staticType = reflect.TypeOf(oauth2.StaticTokenSource(nil))

func isPrompt(ts oauth2.TokenSource) bool { return ts != nil && reflect.TypeOf(ts) == staticType }

// source returns the source of a call whose context said v.
func (s *signer) source(v *okcall.Options) source {
	switch {
	case v == nil:
	case v.HasToken:
		return source{fixed: v.Token, empty: v.Token == nil}
	case v.Source != nil:
		return source{tokens: v.Source, prompt: isPrompt(v.Source)}
	}
	return s.own
}

// none reports whether there is no session to be had.
func (src *source) none() bool { return src.tokens == nil && src.fixed == nil && !src.empty }

// token returns the session's token. It waits no longer than ctx.
func (src *source) token(ctx context.Context) (*oauth2.Token, error) {
	t, err := src.fixed, error(nil)
	if src.tokens != nil {
		t, err = src.ask(ctx)
	}
	switch {
	case err != nil:
		return nil, noSession(ctx, err)
	case t == nil && src.tokens != nil:
		return nil, refuse("no session: the token source returned neither a token nor an error")
	case t == nil:
		return nil, refuse("no session: WithToken was given a nil token; for a call without a session use WithCircuit(ctx, Sessionless)")
	case t.AccessToken == "":
		return nil, refuse("no session: the access token is empty")
	}
	return t, nil
}

func (src *source) ask(ctx context.Context) (*oauth2.Token, error) {
	if cs, ok := src.tokens.(contextSource); ok {
		return cs.TokenContext(ctx)
	}
	if src.prompt || ctx.Done() == nil {
		return src.tokens.Token()
	}
	return wait(ctx, src.tokens)
}

// wait asks ts, whose Token knows no context and may take as long as a
// renewal does. The renewal goes on without us: it serves other callers, too.
func wait(ctx context.Context, ts oauth2.TokenSource) (*oauth2.Token, error) {
	type outcome struct {
		token    *oauth2.Token
		err      error
		panicked any
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			o.panicked = recover()
			done <- o
		}()
		o.token, o.err = ts.Token()
	}()
	select {
	case o := <-done:
		if o.panicked != nil {
			panic(o.panicked) // where the caller's own recover sees it
		}
		return o.token, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// rejected reports a rejected session to the source: it passes on the keys of
// a new session, if the API sent them.
func (src *source) rejected(by *rejection) {
	t := by.keys.used()
	if r, ok := src.tokens.(replacer); ok {
		// Without a secret, a session that had one could not sign any more.
		if key, secret, has := by.err.NewSession(); has && (secret != "" || token.Secret(t) == "") {
			r.Replace(t, token.New(key, secret))
			return
		}
	}
	if i, ok := src.tokens.(invalidator); ok {
		i.Invalidate(t)
	}
}

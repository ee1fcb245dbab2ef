package transport

// This file has the session of a call: where it is from, how to wait for it, and
// whom to report its rejection. What a TokenSource can do beyond x/oauth2 is found
// by its methods.

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/internal/token"
)

// A source has the session of one call, or returns it.
type source struct {
	tokens oauth2.TokenSource // nil: none
	fixed  *oauth2.Token      // instead of tokens
	prompt bool               // Token of tokens returns at once
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

// staticType is the type of the source of x/oauth2 that never waits.
var staticType = reflect.TypeOf(oauth2.StaticTokenSource(nil))

func isPrompt(ts oauth2.TokenSource) bool { return ts != nil && reflect.TypeOf(ts) == staticType }

// source returns the source of a call with options v, which may be nil.
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

// none reports whether the call has no source.
func (src *source) none() bool { return src.tokens == nil && src.fixed == nil && !src.empty }

// token returns the session. It waits no longer than ctx.
func (src *source) token(ctx context.Context) (*oauth2.Token, error) {
	t, _, err := src.ask(ctx)
	return t, err
}

// replace reports a rejected session to the source and returns the session that
// the source has then, which may be the same.
func (src *source) replace(ctx context.Context, by *rejection) (*oauth2.Token, error) {
	src.rejected(by)
	t, joined, err := src.ask(ctx)
	// Another call has asked for the session before this one reported the
	// rejection. What it got is the rejected session: ask once more, now after the
	// report.
	if joined && err == nil && by.keys.isOf(t) { // the request may have begun before the report
		t, _, err = src.ask(ctx)
	}
	return t, err
}

// ask returns the session, and whether it is the result of a request that
// another call has begun.
func (src *source) ask(ctx context.Context) (t *oauth2.Token, joined bool, err error) {
	switch ts := src.tokens.(type) {
	case nil:
		t = src.fixed
	// It waits by itself, and no longer than ctx.
	case contextSource:
		t, err = ts.TokenContext(ctx)
	default:
		if src.prompt {
			t, err = ts.Token()
		} else {
			t, joined, err = requestToken(ctx, ts)
		}
	}
	switch {
	case err != nil:
		return nil, joined, noSession(ctx, err)
	case t == nil && src.tokens != nil:
		return nil, joined, reject("no session: the token source returned neither a token nor an error")
	case t == nil:
		return nil, joined, reject("no session: WithToken was given a nil token; for a call without a session use WithCircuit(ctx, Sessionless)")
	case t.AccessToken == "":
		return nil, joined, reject("no session: the access token is empty")
	}
	return t, joined, nil
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

// noSession returns the error of a call whose token source failed with err.
func noSession(ctx context.Context, err error) error {
	// Errors of this module begin with its name. They are made without secrets,
	// and say what to do.
	if !strings.HasPrefix(err.Error(), "okru: ") { // else it says enough, and no secret
		err = fmt.Errorf("okru: no session: %w", withoutSecrets(err))
	}
	if errors.Is(err, token.ErrSignIn) {
		err = &signInError{source: err}
	}
	return roundtrip.WithContext(ctx, err)
}

// withoutSecrets returns an error of a foreign token source, or one that stands
// for it if its text is not fit to be seen: that of x/oauth2 can be a whole
// page, with all that was sent.
func withoutSecrets(err error) error {
	text := redact.Text(token.TextWithoutResponses(err, redact.Page))
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return &retrieveError{redact.NewError(text, err), token.WithoutResponse(e, redact.Page)}
	}
	if text == err.Error() {
		return err
	}
	return redact.NewError(text, err)
}

// A retrieveError is an error of a token source that was an *oauth2.RetrieveError.
// By errors.As it is one without the response.
type retrieveError struct {
	err      error // without secrets
	retrieve *oauth2.RetrieveError
}

func (e *retrieveError) Error() string { return e.err.Error() }
func (e *retrieveError) Unwrap() error { return e.err }

// As sets target to the RetrieveError, if it is a pointer to one.
func (e *retrieveError) As(target any) bool {
	t, ok := target.(**oauth2.RetrieveError)
	if ok {
		*t = e.retrieve
	}
	return ok
}

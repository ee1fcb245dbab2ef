package oauth

// This file asks the grant for a session, and decides between a renewal and another
// sign-in.

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"
)

// fetch obtains a session from the grant. Its errors contain no secret.
func (r *renewal) fetch(ctx context.Context) (*oauth2.Token, error) {
	t, err := r.source.ask(ctx, r.base)
	if err == nil && (t == nil || t.AccessToken == "") {
		err = errNoToken
	}
	if err != nil {
		return nil, r.redact(err)
	}
	r.fetched = true
	return t, nil
}

var errNoToken = &failure{text: "okru: the grant returned neither a session nor an error"}

// ask asks the grant for a session: to renew base if the grant can do that, or
// else for a new one. A renewed session keeps the marks of base, because it
// belongs to the same chain.
func (s *Source) ask(ctx context.Context, base *session) (*oauth2.Token, error) {
	g, ok := s.grant.(Renewer)
	if !ok || base == nil {
		return s.signIn(ctx)
	}
	chain := marksIn(base.token)
	t, err := call(ctx, s, "renewing the session", func(ctx context.Context) (*oauth2.Token, error) {
		return mark(chain)(g.Renew(ctx, base.token))
	}, s.adoptLate)
	if err != nil && isPermanent(err) && base.fromStore && s.canSignIn(base.token) {
		return s.signIn(ctx) // the configured grant may be newer than the store
	}
	return t, err
}

// canSignIn reports whether the grant can obtain a session that does not derive
// from what old derives from.
func (s *Source) canSignIn(old *oauth2.Token) bool {
	switch g := s.grant.(type) {
	case Code:
		return g.Code != "" && !isFromCode(old, g)
	case Refresh:
		return g.RefreshToken != "" && old.RefreshToken != "" && g.RefreshToken != old.RefreshToken
	}
	return true
}

// hasCredentials reports whether the grant can sign in without a session. If it
// cannot, the store need not be locked, and a key for which there is no session
// leaves no lock file behind.
func (s *Source) hasCredentials() bool {
	switch g := s.grant.(type) {
	case nil:
		return false
	case Code:
		return g.Code != ""
	case Refresh:
		return g.RefreshToken != ""
	}
	return true
}

// signIn asks the grant for a session as if there had been none. The session
// begins a chain and gets the marks of the grant.
func (s *Source) signIn(ctx context.Context) (*oauth2.Token, error) {
	if s.grant == nil {
		return nil, errNoGrant
	}
	if g, ok := s.grant.(Code); ok {
		return s.exchange(ctx, g)
	}
	return call(ctx, s, "signing in", func(ctx context.Context) (*oauth2.Token, error) {
		return mark(s.marks)(s.grant.Token(ctx))
	}, s.adoptLate)
}

// exchange sends the code, once: OK rejects a code that it has seen, and may
// revoke the session that it was exchanged for (RFC 6749, section 4.1.2). If it
// is unknown whether OK received the code, it counts as sent.
func (s *Source) exchange(ctx context.Context, g Code) (*oauth2.Token, error) {
	if s.codeSent {
		return nil, errCodeSent
	}
	t, err := call(ctx, s, "exchanging the code", func(ctx context.Context) (*oauth2.Token, error) {
		t, sent, err := g.exchange(ctx)
		if !sent {
			err = &unsentError{err}
		}
		return mark(s.marks)(t, err)
	}, s.adoptLate)
	unsent, ok := errors.AsType[*unsentError](err)
	if ok {
		err = unsent.error
	}
	s.codeSent = !ok // also if the call panicked, or was abandoned
	return t, err
}

// An unsentError is the error of an exchange that did not send its code.
type unsentError struct{ error }

var (
	errNoGrant  = &failure{text: "okru: there is no session, and oauth.NewSource was given no grant", causes: []error{ErrSignIn}}
	errCodeSent = &failure{
		text:   "okru: oauth.Code: the code was sent before and is valid once; the user must sign in again",
		causes: []error{ErrSignIn},
	}
)

// mark returns a function that adds m to a session from a grant.
func mark(m marks) func(*oauth2.Token, error) (*oauth2.Token, error) {
	return func(t *oauth2.Token, err error) (*oauth2.Token, error) {
		if err != nil || t == nil {
			return t, err
		}
		return m.put(t), nil
	}
}

// adoptLate adopts a session that a grant returned after the timeout, unless
// there is a newer one: a refresh token may be in no other place.
func (s *Source) adoptLate(t *oauth2.Token) {
	if t == nil || t.AccessToken == "" {
		return
	}
	s.mu.Lock()
	isWanted := s.renewal == nil && s.blocked.cause != nil && !s.blocked.permanent
	if isWanted {
		h := s.newSession(t)
		if s.store != nil {
			h.saveAt.Store(time.Now().UnixNano())
		}
		s.adopt(h)
	}
	s.mu.Unlock()
	s.notify()
	if isWanted {
		if err := s.callOnToken(t); err != nil {
			_ = s.callOnError(err)
		}
	}
}

package oauth

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/oauth2"
)

// renew returns a session: one that another process has put into the store, or
// a new one; nil if it is not wanted any more.
func (f *flight) renew(ctx context.Context) (*oauth2.Token, error) {
	if f.source.store == nil {
		return f.mint(ctx)
	}
	if f.from == nil || f.standing != nil { // the lock is not needed to find a session, or none
		if t, err := f.look(ctx); t != nil || err != nil {
			return t, err
		}
		if f.standing != nil && f.base == f.from {
			f.quiet = true
			return nil, f.standing
		}
	}
	unlock, err := f.source.lock(ctx)
	if err != nil {
		return nil, err
	}
	f.unlock = unlock
	if t, err := f.look(ctx); t != nil || err != nil {
		return t, err
	}
	if f.isOverruled() { // while it waited for the store
		return nil, nil
	}
	t, err := f.mint(ctx)
	if err == nil && !f.isOverruled() {
		f.save(ctx, t)
	}
	return t, err
}

// look returns the session that another process has put into the store, nil if
// there is none. If it has expired, it is none, but what to renew.
func (f *flight) look(ctx context.Context) (*oauth2.Token, error) {
	s := f.source
	stored, err := s.store.Load(ctx)
	if errors.Is(err, ErrCorrupt) {
		f.corrupt(err)
		stored, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("okru: the session store cannot be read: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isNews(stored, f.base) {
		f.base = s.hold(stored)
		f.base.stored = true
	}
	s.seen = stored
	if f.base != f.from && f.base.usable() {
		return f.base.token, nil
	}
	return nil, nil
}

// corrupt notes that the store has torn content, which will be overwritten.
func (f *flight) corrupt(err error) {
	if f.unlock != nil {
		f.errs = append(f.errs, err)
	}
}

// mint gets a new session from OK.
func (f *flight) mint(ctx context.Context) (*oauth2.Token, error) {
	t, err := f.source.ask(ctx, f.base)
	if err == nil && (t == nil || t.AccessToken == "") {
		err = errNoToken
	}
	if err != nil {
		return nil, err
	}
	f.minted = true
	return t, nil
}

var errNoToken = &failure{text: "okru: the grant returned neither a session nor an error"}

// save saves t, with a timeout of its own: a session that took long to get is
// no less worth keeping.
func (f *flight) save(ctx context.Context, t *oauth2.Token) {
	ctx, cancel := f.source.bounded(ctx)
	defer cancel()
	_ = f.guard(func() {
		if err := f.source.save(ctx, t); err != nil {
			f.errs = append(f.errs, err)
		}
	})
}

// ask asks the grant for a session, by means of base if that helps.
func (s *Source) ask(ctx context.Context, base *held) (*oauth2.Token, error) {
	r, ok := s.grant.(Renewer)
	if !ok || base == nil {
		return s.signIn(ctx)
	}
	t, err := r.Renew(ctx, base.token)
	if err != nil && hopeless(err) && base.stored && s.canStartOver(base.token) {
		// What the store had is of no use any more. The grant may be newer.
		return s.signIn(ctx)
	}
	return t, err
}

// canStartOver reports whether the grant itself has something to offer that old
// did not come from.
func (s *Source) canStartOver(old *oauth2.Token) bool {
	switch g := s.grant.(type) {
	case Code:
		return g.Code != "" && !g.spentBy(old)
	case Refresh:
		return g.RefreshToken != "" && old.RefreshToken != "" && g.RefreshToken != old.RefreshToken
	}
	return true
}

// signIn asks the grant for a session as if there had been none.
func (s *Source) signIn(ctx context.Context) (*oauth2.Token, error) {
	switch g := s.grant.(type) {
	case nil:
		return nil, errNoGrant
	case Code:
		return s.exchange(ctx, g)
	}
	return s.grant.Token(ctx)
}

// exchange sends the code, once.
func (s *Source) exchange(ctx context.Context, g Code) (t *oauth2.Token, err error) {
	if s.spent {
		return nil, errSpent
	}
	s.spent = true // so far as anyone knows, should it not return
	t, s.spent, err = g.exchange(ctx)
	return t, err
}

var (
	errNoGrant = &failure{text: "okru: oauth.NewSource: the grant is nil", is: []error{ErrSignIn}}
	errSpent   = &failure{
		text: "okru: oauth.Code: the code was sent before, and works once; a human must sign in again",
		is:   []error{ErrSignIn},
	}
)

// lock locks the store.
func (s *Source) lock(ctx context.Context) (unlock func(), err error) {
	unlock, err = s.store.Lock(ctx)
	if err != nil {
		return nil, fmt.Errorf("okru: the session store cannot be locked: %w", err)
	}
	if unlock == nil {
		unlock = func() {}
	}
	return unlock, nil
}

// save puts t into the store, which is locked.
func (s *Source) save(ctx context.Context, t *oauth2.Token) error {
	own := *t
	if err := s.store.Save(ctx, &own); err != nil {
		return fmt.Errorf("okru: the session cannot be saved: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = &own
	return nil
}

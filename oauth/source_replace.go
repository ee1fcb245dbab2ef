package oauth

// This file changes the session of a Source from outside of a renewal: by Replace,
// when the API has issued new keys or the user has signed in. It also saves such a
// session, and repeats a save that has failed.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/token"
)

// Replace replaces old by fresh: the API issued new keys, or the user has
// signed in. It has no effect if old is not the current session; a nil old means
// the current one, whatever it is. If fresh has no refresh token, it keeps that
// of old, but not if old is nil: the user may be a different one. Earlier
// failures are forgotten.
//
// A renewal in progress continues, and its session replaces fresh. But if old is
// nil, the session of the renewal is discarded.
//
// With a store, fresh is saved in the background. Replace waits a moment for
// that, so that a program that ends at once usually does not lose the session.
// If the save fails, it is repeated as [Source] describes.
func (s *Source) Replace(old, fresh *oauth2.Token) {
	h := s.replace(old, fresh)
	if h == nil {
		return
	}
	s.notify()
	if err := s.callOnToken(h.token); err != nil {
		_ = s.callOnError(err)
	}
	if s.store == nil {
		return
	}
	// Replace is called by a request that goes on with the new keys. It must not
	// wait for a slow store, and a program that ends at once should still have
	// saved them.
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		s.saveSession(h)
	}()
	select {
	case <-saved:
	case <-time.After(replaceWait):
	}
}

// replaceWait is how long Replace may delay a call: long enough to write a file.
const replaceWait = 20 * time.Millisecond

// replace returns the new session, or nil if nothing changed.
func (s *Source) replace(old, fresh *oauth2.Token) *session {
	if fresh == nil || fresh.AccessToken == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dismissed || s.last != nil && old != nil && !token.Same(s.last.token, old) {
		return nil
	}
	if old == nil {
		s.inStore = false // the user signed in: an empty store does not mean that the user was signed out
		if s.renewal != nil {
			s.renewal.replaced = true
		}
	}
	h := s.newSession(s.inherit(old, fresh))
	h.fromUser = old == nil
	s.adopt(h)
	return h
}

// inherit returns fresh with what it has from the session that it replaces: the
// chain, and, if that is the session old, the refresh token. The caller holds
// s.mu.
func (s *Source) inherit(old, fresh *oauth2.Token) *oauth2.Token {
	if old == nil || s.last == nil {
		return s.marks.put(fresh)
	}
	fresh = marksIn(s.last.token).put(fresh)
	if fresh.RefreshToken == "" && s.last.token.RefreshToken != "" {
		own := *fresh
		own.RefreshToken = s.last.token.RefreshToken
		fresh = &own
	}
	return fresh
}

// saveInBackground saves h, unless that is in progress. The caller holds s.mu.
func (s *Source) saveInBackground(h *session) {
	if s.abandoned.Load() < maxAbandoned && h.saving.CompareAndSwap(false, true) {
		go s.saveSession(h)
	}
}

// saveAfterCoolDown makes h be saved by a use after the cool-down.
func (s *Source) saveAfterCoolDown(h *session) {
	h.saveAt.Store(time.Now().Add(s.coolDown).UnixNano())
}

// saveSession saves h unless it is no longer the newest session. If it cannot
// be saved, a later use tries again.
func (s *Source) saveSession(h *session) {
	err := s.saveIfNewest(h)
	if err == nil {
		h.saveAt.Store(0)
	} else if !errors.Is(err, errSignedOut) {
		s.saveAfterCoolDown(h)
	}
	h.saving.Store(false)
	s.notify()
	if err != nil {
		_ = s.callOnError(redactError(err, secretsIn(h.token)))
	}
}

// saveIfNewest saves h unless another session has replaced it, here or in the
// store. If the session that h replaced is no longer in the store, the user was
// signed out.
func (s *Source) saveIfNewest(h *session) error {
	ctx, cancel := s.withTimeout(context.Background())
	defer cancel()
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer s.unlockAndReport(ctx, unlock)
	if isWanted, err := s.checkBeforeSave(ctx, h); !isWanted {
		return err
	}
	return s.saveLocked(ctx, h.token)
}

// checkBeforeSave reports whether h should be saved into the store, which is
// locked.
func (s *Source) checkBeforeSave(ctx context.Context, h *session) (bool, error) {
	var stored *oauth2.Token
	var err error
	if !h.fromUser { // otherwise it overwrites what is stored
		stored, err = call(ctx, s, "reading the session store", s.store.Load, nil)
	}
	isCorrupt := errors.Is(err, ErrCorrupt)
	if err != nil && !isCorrupt {
		return false, fmt.Errorf("okru: the session store cannot be read: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.last != h:
		return false, nil
	case h.fromUser || isCorrupt:
		return true, nil
	case stored == nil && s.inStore:
		s.signOut(errSignedOut)
		return false, errSignedOut
	}
	isNews := stored != nil && !token.Same(stored, s.seen) && !isOlder(stored, h.token)
	return !isNews, nil // news: another process has renewed it
}

// lock locks the store. A lock that arrives after ctx has ended is released at
// once, so that it does not keep other processes out.
func (s *Source) lock(ctx context.Context) (unlock func(), err error) {
	release := func(unlock func()) {
		if unlock != nil {
			_ = protect(func() error { unlock(); return nil })
		}
	}
	unlock, err = call(ctx, s, "locking the session store", s.store.Lock, release)
	if err != nil {
		return nil, fmt.Errorf("okru: the session store cannot be locked: %w", err)
	}
	if unlock == nil {
		unlock = func() {}
	}
	return unlock, nil
}

// unlock unlocks the store.
func (s *Source) unlock(ctx context.Context, unlock func()) error {
	return callErr(ctx, s, "unlocking the session store", func(context.Context) error { unlock(); return nil })
}

// saveLocked saves t into the store, which is locked. The store gets a copy: it
// may keep what it is given.
func (s *Source) saveLocked(ctx context.Context, t *oauth2.Token) error {
	own := *t
	if err := callErr(ctx, s, "saving the session", func(ctx context.Context) error { return s.store.Save(ctx, &own) }); err != nil {
		return fmt.Errorf("okru: the session cannot be saved: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.candidate, s.inStore = &own, nil, true
	return nil
}

package oauth

// This file renews the session of a Source: the token refresh, and the
// single flight (singleflight) that callers share.

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
)

// A renewal is one token refresh, or one sign-in. It is a single flight: a Source
// has at most one renewal at a time, in a goroutine of its own, and all callers
// that need a session wait for it. Its steps are, with a store:
//
//  1. Lock the store and read it. If another process has saved a newer session,
//     that is the result.
//  2. Otherwise ask the grant for a session, and save it.
//  3. Make the result the session of the Source: settle.
//  4. Unlock the store, call the hooks, and wake the callers.
//
// Every call of a grant or a store goes through call, which bounds it and turns
// its panics into errors. No lock of the Source is held during such a call.
//
// Fields without a note belong to the goroutine of the renewal.
type renewal struct {
	source    *Source
	from      *session // the newest session when it began; nil: none
	base      *session // what is renewed: from, or a newer session from the store
	permanent error    // the cause of a permanent block, which only the store can end; nil: none

	unlock   func()  // unlocks the store; nil: not locked
	fetched  bool    // the session is from the grant, not from the store or Replace
	unsaved  bool    // the session could not be saved
	repeated bool    // the error was reported before
	errs     []error // for OnError, when the store is unlocked
	panicked error   // the first panic

	replaced bool // the user has signed in since it began; guarded by source.mu

	done  chan struct{} // closed at the end; then token and err are the result
	token *oauth2.Token
	err   error
}

// startRenewal starts a renewal, unless too many earlier calls of the grant or the
// store hang. The caller holds s.mu, and has checked that no renewal is in
// progress.
func (s *Source) startRenewal(ctx context.Context) error {
	if s.abandoned.Load() >= maxAbandoned {
		return errAbandoned
	}
	r := &renewal{source: s, from: s.last, base: s.last, done: make(chan struct{})}
	if s.blocked.permanent {
		r.permanent = s.blocked.cause
	}
	s.renewal = r
	// The values of the caller's context are kept, such as a trace. The options
	// of its API call do not apply to the requests of a renewal.
	ctx = okcall.With(ctx, func(o *okcall.Options) { *o = okcall.Options{} })
	go r.run(context.WithValue(ctx, renewalKey{}, s))
	return nil
}

// run renews. The result counts before the store is unlocked, so that a save by
// Replace, which waits for the lock, sees it. Callers receive it after the hooks
// have returned: a program that keeps sessions by OnToken has it by then.
func (r *renewal) run(ctx context.Context) {
	defer close(r.done)
	renewCtx, cancel := r.source.withTimeout(ctx)
	defer cancel()
	r.token, r.err = r.renew(renewCtx)
	if r.err != nil && !r.repeated {
		r.report(r.err)
	}
	// The order matters, see the comment of the type. First the result counts,
	// then the store is free for others, and then the program learns it.
	r.settle()
	r.source.notify()
	r.release(ctx)
	r.callHooks()
	if r.panicked != nil {
		r.token, r.err = nil, &unavailableError{cause: r.panicked}
	}
}

// renew returns a session: one that another process has saved, or a new one. It
// returns nil, nil if the user has signed in meanwhile.
//
// It reads the store before it locks it in two cases. A Source that has no
// session finds one without the cost of a lock, which most processes do when they
// start. And a Source that is blocked for good must not wait for a lock to learn
// that nothing has changed.
func (r *renewal) renew(ctx context.Context) (*oauth2.Token, error) {
	if r.source.store == nil {
		return r.fetch(ctx)
	}
	if r.from == nil || r.permanent != nil { // the store may have a session, and reading needs no lock
		if t, err := r.load(ctx); t != nil || err != nil {
			return t, err
		}
		if r.permanent != nil && r.base == r.from {
			r.repeated = true
			return nil, r.permanent
		}
	}
	if r.base == nil && !r.source.hasCredentials() {
		return r.fetch(ctx) // for its error
	}
	var err error
	if r.unlock, err = r.source.lock(ctx); err != nil {
		return nil, r.redact(err)
	}
	if t, err := r.load(ctx); t != nil || err != nil {
		return t, err
	}
	if r.isReplaced() {
		return nil, nil
	}
	t, err := r.fetch(ctx)
	if err != nil && isPermanent(err) && r.useCandidate() {
		if r.base.isUsable() {
			return r.base.token, nil
		}
		t, err = r.fetch(ctx)
	}
	if err == nil && !r.isReplaced() {
		r.save(ctx, t)
	}
	return t, err
}

// save saves t. The timeout begins anew: a session that took long to obtain is
// saved as well.
func (r *renewal) save(ctx context.Context, t *oauth2.Token) {
	ctx, cancel := r.source.withTimeout(ctx)
	defer cancel()
	if err := r.source.saveLocked(ctx, t); err != nil {
		r.unsaved = true
		r.report(redactError(err, secretsIn(t)))
	}
}

// settle makes the result the session of the Source, or blocks renewals for the
// cool-down. If Replace was called meanwhile, the session of the renewal wins,
// because its refresh token is the newest, unless the user has signed in.
func (r *renewal) settle() {
	s := r.source
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewal = nil
	r.fetched = r.fetched && r.err == nil && !r.replaced
	isReplaced := s.last != r.from // by Replace
	switch {
	case s.dismissed:
		r.token, r.err = nil, s.blocked.unavailable(0)
		return
	case r.err == nil && (r.fetched || !isReplaced):
		s.adopt(r.result())
	// The renewal has failed, and Replace has brought a session: that one counts.
	case isReplaced && s.last != nil:
	default:
		r.fail()
		return
	}
	r.token, r.err = s.last.token, nil
}

// result returns the session that r has obtained, with the times from which on it
// is renewed early, and saved again if the save failed. The caller holds
// source.mu.
func (r *renewal) result() *session {
	if !r.fetched {
		return r.base
	}
	h := r.source.newSession(r.token)
	h.replacesRejected = r.source.rejected
	if r.unsaved {
		r.source.saveAfterCoolDown(h)
	}
	if r.from != nil {
		h.delayEarly()
	}
	return h
}

// fail blocks renewals for the cool-down. If the store had a session that has
// expired, that is kept as what to renew next time. The caller holds source.mu.
func (r *renewal) fail() {
	s := r.source
	if errors.Is(r.err, errSignedOut) {
		s.signOut(r.err)
	} else {
		isNewBase := r.base != r.from
		if h := s.current.Load(); isNewBase && (h == nil || !h.isUsable()) {
			s.last, s.rejected = r.base, false // expired, but it is what to renew next time
			s.inStore = true
		}
		if r.permanent != nil && !isNewBase { // even if the store could not be read this time
			r.err = r.permanent
		}
		s.blocked = block{cause: r.err, until: time.Now().Add(s.coolDown), permanent: isPermanent(r.err)}
	}
	r.token, r.err = nil, s.blocked.unavailable(s.coolDown)
}

// isReplaced reports whether the user has signed in since r began.
func (r *renewal) isReplaced() bool {
	r.source.mu.Lock()
	defer r.source.mu.Unlock()
	return r.replaced
}

// release unlocks the store, if it is locked. The timeout begins anew, since the
// store must not stay locked because the renewal took long.
func (r *renewal) release(ctx context.Context) {
	if r.unlock == nil {
		return
	}
	ctx, cancel := r.source.withTimeout(ctx)
	defer cancel()
	if err := r.source.unlock(ctx, r.unlock); err != nil {
		r.report(err)
	}
}

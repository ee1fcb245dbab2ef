package oauth

// This file reads the store during a renewal, and decides whether the session in it
// replaces the one that is to be renewed: another process may have renewed it.

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/token"
)

// load returns the session in the store if it replaces base and is usable. If it
// has expired, it becomes the new base. Corrupt content counts as none, and is
// overwritten. After any other error there is no renewal: another process may
// hold the refresh token that the store has.
func (r *renewal) load(ctx context.Context) (*oauth2.Token, error) {
	s := r.source
	stored, err := call(ctx, s, "reading the session store", s.store.Load, nil)
	isCorrupt := errors.Is(err, ErrCorrupt)
	switch {
	case isCorrupt && r.unlock != nil:
		r.report(err) // it will be overwritten
	case err != nil && !isCorrupt:
		return nil, r.redact(fmt.Errorf("okru: the session store cannot be read: %w", err))
	}
	if isCorrupt {
		stored = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// An empty store means that the user was signed out, but only under the lock:
	// then no other process is replacing the session.
	if r.unlock != nil && stored == nil && !isCorrupt && r.wasInStore() {
		return nil, errSignedOut
	}
	if s.isReplacement(stored, r.base, r.permanent != nil) {
		r.base = s.newSession(stored)
		r.base.fromStore = true
	}
	if r.base != r.from && r.base.isUsable() {
		return r.base.token, nil
	}
	return nil, nil
}

// wasInStore reports whether the session that is renewed was in the store. The
// caller holds source.mu.
func (r *renewal) wasInStore() bool {
	return !r.replaced && (r.source.inStore || r.base != nil && r.base.fromStore)
}

var errSignedOut = &failure{
	text:   "okru: the session is no longer in the store: the user was signed out and must sign in again",
	causes: []error{ErrSignIn},
}

// isReplacement reports whether stored, the content of the store, is a session
// that replaces h. It must differ from h and from what was seen before. If h
// cannot be renewed, that suffices. Otherwise it must belong to the grant and
// not be older than h; if not, it is kept as candidate. The caller holds s.mu.
func (s *Source) isReplacement(stored *oauth2.Token, h *session, permanent bool) bool {
	isNew := stored != nil && stored.AccessToken != "" && !token.Same(stored, s.seen)
	if isNew || stored == nil {
		s.seen, s.candidate = stored, nil
	}
	if !isNew || h != nil && token.Same(stored, h.token) || !s.marks.matchesApplication(marksIn(stored)) {
		return false
	}
	if permanent || s.marks.matches(marksIn(stored)) && (h == nil || !isOlder(stored, h.token)) {
		return true
	}
	s.candidate = stored
	return false
}

// useCandidate makes the candidate the base, if the API has rejected the
// session. It reports whether there is one.
func (r *renewal) useCandidate() bool {
	s := r.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.candidate == nil || !s.rejected {
		return false
	}
	r.base = s.newSession(s.candidate)
	r.base.fromStore = true
	s.candidate = nil
	return true
}

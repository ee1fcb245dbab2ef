package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// A renewal obtains a session in a goroutine of its own.
type renewal struct {
	source    *Source
	from      *session // the newest session when it began; nil: none
	base      *session // what is renewed: from, or a newer session from the store
	permanent error    // the cause of a permanent block, which only the store can end; nil: none

	unlock   func() // unlocks the store; nil: not locked
	fetched  bool   // the session is from the grant, not from the store or Replace
	unsaved  bool   // the session could not be saved
	repeated bool   // the error was reported before
	errs     []error
	panicked error // the first panic

	replaced bool // the user has signed in since it began; guarded by source.mu

	done  chan struct{} // closed at the end; then token and err are the result
	token *oauth2.Token
	err   error
}

// startRenewal starts a renewal. The caller holds s.mu.
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

// run renews. The result counts before the store is unlocked, so that Replace
// sees it, and callers receive it after the hooks have returned.
func (r *renewal) run(ctx context.Context) {
	defer close(r.done)
	renewCtx, cancel := r.source.withTimeout(ctx)
	defer cancel()
	r.token, r.err = r.renew(renewCtx)
	if r.err != nil && !r.repeated {
		r.report(r.err)
	}
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

// load returns the session in the store if it replaces base and is usable. If it
// has expired, it becomes the new base.
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
	if s.last != nil { // otherwise it was there before the grant was configured
		s.candidate = stored
	}
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

// fetch obtains a session from the grant.
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
// else for a new one.
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

// signIn asks the grant for a session as if there had been none.
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

// exchange sends the code, once. If it is unknown whether OK received the code,
// it counts as sent.
func (s *Source) exchange(ctx context.Context, g Code) (*oauth2.Token, error) {
	if s.codeSent {
		return nil, errCodeSent
	}
	s.codeSent = true
	unsent := false
	t, err := call(ctx, s, "exchanging the code", func(ctx context.Context) (*oauth2.Token, error) {
		t, sent, err := g.exchange(ctx)
		if !sent {
			err = &unsentError{err}
		}
		return mark(s.marks)(t, err)
	}, s.adoptLate)
	if e, ok := errors.AsType[*unsentError](err); ok {
		unsent, err = true, e.error
	}
	s.codeSent = !unsent
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
	if isWanted && s.onToken != nil {
		own := *t
		if err := protect(func() error { s.onToken(&own); return nil }); err != nil {
			s.callOnError(err)
		}
	}
}

// settle makes the result the session of the Source, or blocks renewals.
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
	case isReplaced && s.last != nil:
	default:
		r.fail()
		return
	}
	r.token, r.err = s.last.token, nil
}

// result returns the session that r has obtained.
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

// fail blocks renewals for the cool-down. The caller holds source.mu.
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

// release unlocks the store.
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

// callHooks calls OnToken and OnError. No lock is held: hooks may use the
// Source.
func (r *renewal) callHooks() {
	s := r.source
	if r.fetched && s.onToken != nil {
		own := *r.token
		if err := protect(func() error { s.onToken(&own); return nil }); err != nil {
			r.report(err)
		}
	}
	for _, err := range r.errs {
		if panicked := s.callOnError(err); panicked != nil && r.panicked == nil {
			r.panicked = panicked
		}
	}
}

// report keeps err for OnError, and a panic for the callers.
func (r *renewal) report(err error) {
	_, isPanic := errors.AsType[*panicError](err)
	err = r.redact(err)
	r.errs = append(r.errs, err)
	if isPanic && r.panicked == nil {
		r.panicked = err
	}
}

// redact returns err without the secrets of the sessions that r deals with.
func (r *renewal) redact(err error) error {
	var secrets redact.Secrets
	for _, h := range [...]*session{r.from, r.base} {
		if h != nil {
			secrets = append(secrets, secretsIn(h.token)...)
		}
	}
	if r.token != nil {
		secrets = append(secrets, secretsIn(r.token)...)
	}
	return redactError(err, secrets)
}

// secretsIn returns the secrets of a session.
func secretsIn(t *oauth2.Token) redact.Secrets {
	return redact.Secrets{t.AccessToken, t.RefreshToken, token.Secret(t)}
}

// callOnError calls OnError. It returns a panic of it.
func (s *Source) callOnError(err error) error {
	if s.onError == nil {
		return nil
	}
	return protect(func() error { s.onError(err); return nil })
}

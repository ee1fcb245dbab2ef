package oauth

// This file keeps the Sources of many users. The number in memory is bounded, and
// a user has one Source as long as anything refers to it: two would renew the same
// session.

import (
	"container/list"
	"context"
	"math"
	"runtime"
	"sync"
	"weak"

	"golang.org/x/oauth2"
)

// SessionsOptions are the settings of [Sessions].
type SessionsOptions struct {
	// Max is how many Sources are kept in memory. Above it, those that were not
	// used for longest are evicted; their sessions stay in the store. Zero:
	// 10,000. Negative: no bound. Without Store, Max has no effect.
	Max int

	// Store returns the store of a user's session. If nil, sessions are in
	// memory only and never evicted: bound them with [Sessions.Dismiss].
	Store func(key string) Store

	// Grant returns the grant that renews a user's session. For web sign-in it
	// is a [Refresh] without a token, because sessions come by
	// [Sessions.Admit]. If nil, sessions are not renewed.
	Grant func(key string) Grant

	// Options are those of each Source. Options.Store is ignored.
	Options Options
}

// Sessions are the Sources of many users, one per key. The key is chosen by the
// program, for example the id of a browser's session cookie. All calls of a
// user share one [Source], and so its renewals and its limits.
//
// Pass the Source of a user to transport.WithTokenSource. Without a Limit.Key
// of its own, a keyed limiter uses a hash of the key, the same in all processes.
//
// Sessions use no goroutine of their own. They are safe for concurrent use by
// multiple goroutines. Use [NewSessions].
type Sessions struct {
	options SessionsOptions
	max     int // Sources with a strong reference

	mu      sync.Mutex
	entries map[string]*sessionsEntry // by key; also those that only a caller or a renewal keeps
	recent  list.List                 // the LRU list of entries with a strong reference, the most recently used first
}

// A sessionsEntry refers to the Source of a key. Only a Source with a session
// is referred to strongly, so that keys without one, such as invented cookies,
// cost no memory. The weak reference keeps a Source unique while anything
// refers to it: a caller, or a renewal in progress.
type sessionsEntry struct {
	key     string
	weak    weak.Pointer[Source] // finds the Source as long as anything refers to it
	strong  *Source              // nil: evicted, or without a session
	element *list.Element        // in recent, if strong is set
}

// defaultMaxSessions is about 20 MB of Sources.
const defaultMaxSessions = 10_000

// NewSessions returns an empty set of sessions. Those in the stores are loaded
// when they are used.
func NewSessions(o SessionsOptions) *Sessions {
	s := &Sessions{options: o, max: o.Max, entries: make(map[string]*sessionsEntry)}
	if s.max == 0 {
		s.max = defaultMaxSessions
	}
	if o.Store == nil || s.max < 0 {
		s.max = math.MaxInt
	}
	return s
}

// Source returns the Source of key. It is the same one for the same key as long
// as it is in memory or a caller refers to it, unless the user was dismissed. If
// there is no session for key, the error of its Token is [ErrSignIn].
func (s *Sessions) Source(key string) *Source {
	if src := s.lookup(key, nil); src != nil {
		return src
	}
	return s.lookup(key, s.newSource(key)) // without the lock: the functions of the program may use s
}

// newSource returns a Source for key.
func (s *Sessions) newSource(key string) *Source {
	o := s.options.Options
	o.Store = nil
	if s.options.Store != nil {
		o.Store = s.options.Store(key)
	}
	var g Grant
	if s.options.Grant != nil {
		g = s.options.Grant(key)
	}
	src := NewSource(g, o)
	src.sessions, src.key = s, key
	return src
}

// lookup returns the Source of key. If there is none, it adds and returns
// fresh, unless that is nil.
func (s *Sessions) lookup(key string, fresh *Source) *Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil {
		if src := e.weak.Value(); src != nil {
			s.keep(e, src)
			return src
		}
	}
	if fresh != nil {
		e := &sessionsEntry{key: key, weak: weak.Make(fresh)}
		s.entries[key] = e
		runtime.AddCleanup(fresh, s.remove, e)
	}
	return fresh
}

// remove removes the entry of a Source that was collected.
func (s *Sessions) remove(e *sessionsEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[e.key] == e {
		delete(s.entries, e.key)
	}
}

// changed updates the entry of src, which has a session now or has none any
// more. The caller must not hold src.mu.
func (s *Sessions) changed(src *Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[src.key]; e != nil && e.weak.Value() == src {
		s.keep(e, src)
	}
}

// keep keeps src in memory if it has a session, as the most recently used one,
// and evicts others if there are too many. The caller holds s.mu.
func (s *Sessions) keep(e *sessionsEntry, src *Source) {
	switch hasSession, _ := src.state(); {
	case !hasSession:
		s.release(e)
		return
	case e.strong == nil:
		e.strong, e.element = src, s.recent.PushFront(e)
	default:
		s.recent.MoveToFront(e.element)
	}
	// A few steps per use are enough, because each use adds at most one.
	for range 4 {
		if s.recent.Len() <= s.max {
			return
		}
		oldest := s.recent.Back().Value.(*sessionsEntry)
		if _, isBusy := oldest.strong.state(); isBusy {
			s.recent.MoveToFront(oldest.element)
		} else {
			s.release(oldest)
		}
	}
}

// release drops the strong reference of e. The caller holds s.mu.
func (s *Sessions) release(e *sessionsEntry) {
	if e.strong != nil {
		s.recent.Remove(e.element)
		e.strong, e.element = nil, nil
	}
}

// Admit adds a user who has signed in, with the session t: it is saved in the
// store before Admit returns. A session that the key has already is replaced,
// and the session of a renewal in progress is discarded. If Admit fails, nothing
// has changed, and the error is that of the store.
//
// Admit waits for the store's lock until ctx ends, and no longer than
// Options.Timeout.
func (s *Sessions) Admit(ctx context.Context, key string, t *oauth2.Token) (*Source, error) {
	if t == nil || t.AccessToken == "" {
		return nil, &failure{text: "okru: oauth.Sessions.Admit: the session has no access token"}
	}
	for {
		src := s.Source(key)
		isAdmitted, err := src.admit(ctx, marks{}.put(t)) // without marks it belongs to the grant of any process
		if err != nil {
			return nil, err
		}
		if isAdmitted { // otherwise it was dismissed meanwhile
			return src, nil
		}
	}
}

// Dismiss signs the user out: it deletes the session from the store, holding
// the store's lock, and forgets the Source. A renewal in progress does not
// restore the session, neither in this process nor in another. A Source that was
// returned before fails with [ErrSignIn]. Dismissing a key without a session
// returns nil.
//
// The store must be a [Deleter]: otherwise Dismiss fails before it changes
// anything. It waits for the store's lock until ctx ends, and no longer than
// Options.Timeout.
func (s *Sessions) Dismiss(ctx context.Context, key string) error {
	src := s.Source(key)
	if err := src.dismiss(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil && e.weak.Value() == src {
		s.release(e)
		delete(s.entries, key)
	}
	return nil
}

// state reports whether s has a session, and whether it must stay in memory
// because a renewal is in progress or the session is not saved.
func (s *Source) state() (hasSession, isBusy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	isUnsaved := s.last != nil && s.last.saveAt.Load() != 0 // a save in progress keeps it there
	return s.last != nil, s.renewal != nil || isUnsaved
}

// notify informs the Sessions that s belongs to, if any, that it has a session
// now, or has none any more. The caller must not hold s.mu.
func (s *Source) notify() {
	if s.sessions != nil {
		s.sessions.changed(s)
	}
}

// LimitKey returns the default key of this source for a keyed limiter, such as
// ratelimit.NewKeyed: a hash of its key in [Sessions]. It is "" for other
// sources.
func (s *Source) LimitKey() string {
	if s.sessions == nil {
		return ""
	}
	return hash("session", s.key)
}

// admit saves t and makes it the session. It reports false if s was dismissed.
func (s *Source) admit(ctx context.Context, t *oauth2.Token) (bool, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if s.store != nil {
		unlock, err := s.lock(ctx)
		if err != nil {
			return false, err
		}
		defer s.unlockAndReport(ctx, unlock)
		if s.isDismissed() { // only checked with the lock, which Dismiss holds
			return false, nil
		}
		if err := s.saveLocked(ctx, t); err != nil {
			return false, redactError(err, secretsIn(t))
		}
	}
	if !s.adoptFromUser(t) {
		return false, nil
	}
	s.notify()
	return true, nil
}

// adoptFromUser makes t the session. It reports false if s was dismissed.
func (s *Source) adoptFromUser(t *oauth2.Token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dismissed {
		return false
	}
	if s.renewal != nil {
		s.renewal.replaced = true
	}
	s.adopt(s.newSession(t))
	return true
}

// dismiss deletes the session from the store and from s, for good.
func (s *Source) dismiss(ctx context.Context) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if s.store != nil {
		deleter, ok := s.store.(Deleter)
		if !ok {
			return errNoDeleter
		}
		unlock, err := s.lock(ctx)
		if err != nil {
			return err
		}
		defer s.unlockAndReport(ctx, unlock)
		if err := callErr(ctx, s, "deleting the session", deleter.Delete); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.renewal != nil {
		s.renewal.replaced = true
	}
	s.dismissed = true
	s.signOut(errDismissed)
	return nil
}

var (
	errNoDeleter = &failure{text: "okru: oauth.Sessions.Dismiss: the store has no method Delete, see oauth.Deleter"}
	errDismissed = &failure{text: "okru: the user was signed out and must sign in again", causes: []error{ErrSignIn}}
)

// isDismissed reports whether the user was signed out by Sessions.Dismiss.
func (s *Source) isDismissed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dismissed
}

// bound returns a context that ends with ctx, and after the timeout.
func (s *Source) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.timeout)
}

// unlockAndReport unlocks the store. It does not end with ctx: the store must
// not stay locked.
func (s *Source) unlockAndReport(ctx context.Context, unlock func()) {
	ctx, cancel := s.withTimeout(ctx)
	defer cancel()
	if err := s.unlock(ctx, unlock); err != nil {
		_ = s.callOnError(err)
	}
}

package oauth

// This file has the Source: its settings, its state, and the way of a caller to a
// session. What a renewal does is in source_renew.go; the other files source_*.go
// have its steps.

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// Options are the settings of a [Source]. For each duration, zero means the
// default and a negative value means off.
type Options struct {
	// Store keeps the session when the process ends, and shares it with other
	// processes. If nil, the session is in memory only.
	Store Store

	// Early is how long before its expiry a session with a refresh token is
	// renewed, in the background. Default: 1 minute. Off: it is renewed after
	// it has expired, and callers wait.
	Early time.Duration

	// CoolDown is how long after a failure no further request is sent to OK or
	// to the store. Default: 5 seconds.
	CoolDown time.Duration

	// Timeout bounds one renewal, with all its requests and the wait for the
	// store's lock, and separately the save of its result. It also applies to a
	// grant or a store that ignores its context. Default: 30 seconds.
	// [Loopback], where the user types, needs some minutes.
	Timeout time.Duration

	// OnToken, if not nil, is called with each session from the grant or from
	// Replace, but not with those from the store. Callers who wait for the
	// session also wait for OnToken.
	OnToken func(*oauth2.Token)

	// OnError, if not nil, is called once for each error, including those that
	// no caller receives: a failed renewal, a session that cannot be saved, a
	// store with corrupt content, a panic.
	OnError func(error)
}

// A Source is an [oauth2.TokenSource] that obtains its session from a [Grant],
// caches it, and renews it. Use [NewSource]. A Source is safe for concurrent use
// by multiple goroutines.
//
// A session is renewed when
//
//   - the API has rejected it: see [Source.Invalidate];
//   - it has a refresh token and has expired, or expires soon: see
//     Options.Early.
//
// Without a refresh token the clock never causes a renewal: OK's long and
// eternal sessions remain valid after their stated expiry.
//
// Any number of callers share one renewal. It continues if a caller stops
// waiting, and no caller waits longer than its context. During an early
// renewal callers receive the old session, and if the renewal fails, until the
// session expires.
//
// A renewal calls Renew if the grant is a [Renewer] and there was a session, and
// Token otherwise. If OK rejects a refresh token from the store, Token is
// called once. A code is never sent twice, not even after a restart, as long as
// the store has its session.
//
// After a failure, callers receive its error for Options.CoolDown, and no
// request is sent. An error that is [ErrSignIn], or an [oauth2.RetrieveError]
// with code invalid_grant, persists until Replace or until the store has
// another session. If a session that replaced a rejected one is rejected within
// the cool-down, callers receive [ErrRefused] until it ends. All errors have a
// method Terminal() bool that returns true: repeating the API call does not
// help. No error contains a secret of the session.
//
// A panic of the grant, the store or a hook during a renewal is returned to the
// callers who wait for it, as an error with the stack, and reported to OnError.
// If the renewal had a session by then, later callers receive that.
//
// With a store, one process at a time renews: it locks the store, reads it, and
// adopts a session that another process has saved. Otherwise it renews and
// saves. If the store cannot be locked or read, nothing is renewed. A session
// that cannot be saved is used, and saved again at a later use, after the
// cool-down, until the save succeeds. If the session is no longer in the store,
// the user was signed out, and the error is ErrSignIn.
//
// A stored session has two marks, as hashes: its application, and the code,
// token or login with which its chain of renewals began. A Source whose grant
// has a different mark does not use the stored session: it obtains its own and
// overwrites it. A stored session without marks belongs to every grant. Once
// the API has rejected a session and it cannot be renewed, any other session of
// the application that appears in the store is used, whatever its timestamps.
type Source struct {
	grant    Grant         // nil: sessions are from the store or from Replace
	marks    marks         // of grant
	store    Store         // nil: none
	early    time.Duration // zero: no early renewal
	coolDown time.Duration // zero: none
	timeout  time.Duration // zero: none
	onToken  func(*oauth2.Token)
	onError  func(error)

	sessions *Sessions // that it belongs to; nil: none
	key      string    // in sessions

	// The state. With current, last, rejected and blocked, a Source is in one of
	// these states:
	//
	//	current  last  rejected  blocked
	//	nil      nil   false     none       unused: the first caller starts a renewal
	//	set      set   false     none       callers get current while it is usable
	//	nil      set   true      none       the next caller starts a renewal of last
	//	nil      any   any       set        a renewal has failed: callers get its error for the cool-down
	//	set      set   false     set        an early renewal has failed: callers get current until it expires
	//	nil      any   any       permanent  the user must sign in: only the store is read
	//
	// A renewal in progress is another dimension: renewal is set, and callers that
	// do not get current wait for it. Its end changes the state, see settle.
	//
	// current is the session for callers; nil: they must wait. It is written with
	// mu held, and read without.
	current   atomic.Pointer[session]
	abandoned atomic.Int32 // calls of grant and store that no caller awaits; see call

	mu        sync.Mutex
	last      *session      // the newest session, even if expired or rejected; nil: none
	rejected  bool          // the API rejected last
	inStore   bool          // last, or the session it replaced, was in the store
	seen      *oauth2.Token // content of the store when last read or written
	candidate *oauth2.Token // seen, if it is used when last cannot be renewed; otherwise nil
	renewal   *renewal      // the renewal in progress; nil: none
	blocked   block         // why no renewal begins
	dismissed bool          // the user was signed out by Sessions.Dismiss, for good

	codeSent bool // used by renewals only, of which there is one at a time
}

// NewSource returns a source of sessions from g. Nothing is requested before
// the first use: then the store is read and, if it has no session for g, g is
// called. A nil g can only use sessions from the store or from Replace.
func NewSource(g Grant, o Options) *Source {
	g = copyGrant(g)
	return &Source{
		grant:    g,
		marks:    marksOf(g),
		store:    o.Store,
		early:    durationOr(o.Early, time.Minute),
		coolDown: durationOr(o.CoolDown, 5*time.Second),
		timeout:  durationOr(o.Timeout, 30*time.Second),
		onToken:  o.OnToken,
		onError:  o.OnError,
	}
}

// copyGrant returns a copy of the grant that g points to, if it is one of this
// package.
func copyGrant(g Grant) Grant {
	switch p := g.(type) {
	case *Code:
		return *p
	case *Refresh:
		return *p
	case *Implicit:
		return *p
	case *Password:
		return *p
	case *Loopback:
		return *p
	}
	return g
}

// durationOr returns d, or byDefault if d is zero, or zero if d is negative.
func durationOr(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return max(d, 0)
}

// Token returns the session. It waits for a renewal as long as that takes; see
// TokenContext. The token is a copy, because x/oauth2 modifies the tokens of a
// source: a Source can be used under [oauth2.ReuseTokenSource].
func (s *Source) Token() (*oauth2.Token, error) { return copyOf(s.TokenContext(context.Background())) }

// TokenContext returns the session, and waits for it until ctx ends. While the
// session is valid it returns at once and does not allocate. The token is shared
// and must not be modified.
func (s *Source) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	if h := s.current.Load(); h != nil && h.isFresh() {
		return h.token, nil
	}
	return s.wait(ctx)
}

// renewalKey is the context key of the Source that a renewal belongs to. Grants
// get a context with it, so that wait detects a grant that waits for itself.
type renewalKey struct{}

// wait returns the session, or why there is none. It waits for the renewal in
// progress, if it must, until ctx ends. A grant that uses its own Source, by a
// client that signs with it, would wait for itself: that is an error.
func (s *Source) wait(ctx context.Context) (*oauth2.Token, error) {
	// The context of a renewal reached its own Source: a grant sends a request by
	// a client that is signed with the session it is to obtain.
	if ctx.Value(renewalKey{}) == s {
		return nil, errRecursion
	}
	t, r, err := s.join(ctx)
	if r == nil {
		return t, err
	}
	select {
	case <-r.done:
		return r.token, r.err
	case <-ctx.Done():
		return nil, contextFailure(ctx, "waiting for a session")
	}
}

var errRecursion = &failure{
	text: "okru: the grant needs the session that it is to obtain: give it an HTTPClient that does not use this source",
}

// join returns the session if it is usable, or the renewal to wait for, or why
// there is neither. It starts what is due: a renewal or a save.
func (s *Source) join(ctx context.Context) (*oauth2.Token, *renewal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.current.Load()
	usable := h != nil && h.isUsable()
	if usable && h.isSaveDue() && s.renewal == nil {
		s.saveInBackground(h)
	}
	switch {
	case usable && !h.isRenewalDue():
		return h.token, nil, nil
	case !usable && ctx.Err() != nil:
		return nil, nil, contextFailure(ctx, "waiting for a session")
	}
	// Nothing brings a dismissed user back, not even the store.
	if s.dismissed {
		return nil, nil, s.blocked.unavailable(0)
	}
	var err error
	if s.renewal == nil {
		if err = s.blocked.err(s.store != nil); err == nil {
			err = s.startRenewal(ctx)
		}
	}
	if usable {
		return h.token, nil, nil
	}
	return nil, s.renewal, err
}

// Invalidate reports that the API rejected t: the next caller gets a new
// session. It has no effect if t is not the current session, access token and
// session secret compared together.
func (s *Source) Invalidate(t *oauth2.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || s.rejected || !token.Same(s.last.token, t) {
		return
	}
	// The session is kept in last: its refresh token is what the next caller
	// renews with.
	s.rejected = true
	s.current.Store(nil)
	if end := s.last.obtained.Add(s.coolDown); s.last.replacesRejected && !s.blocked.permanent && time.Now().Before(end) {
		s.blocked = block{cause: ErrRefused, until: end}
	}
}

// adopt makes h the session that callers receive, and ends a block. The caller
// holds s.mu.
func (s *Source) adopt(h *session) {
	s.last, s.rejected, s.blocked, s.candidate = h, false, block{}, nil
	s.inStore = s.inStore || h.fromStore
	s.current.Store(h)
}

// signOut removes the session and makes err permanent. The caller holds s.mu.
func (s *Source) signOut(err error) {
	s.last, s.rejected, s.seen, s.candidate, s.inStore = nil, false, nil, nil, false
	s.current.Store(nil)
	s.blocked = block{cause: err, until: time.Now().Add(s.coolDown), permanent: true}
}

// view shows the settings without secrets.
func (s *Source) view() redact.View {
	return redact.Show("oauth.Source",
		slog.String("Grant", fmt.Sprintf("%T", s.grant)),
		slog.Bool("Store", s.store != nil),
		slog.Duration("Early", s.early),
		slog.Duration("CoolDown", s.coolDown),
		slog.Duration("Timeout", s.timeout),
	)
}

// Format implements [fmt.Formatter]: every verb prints the settings, and no
// secret.
func (s *Source) Format(f fmt.State, verb rune) { s.view().Format(f, verb) }

// LogValue implements [slog.LogValuer]. It contains no secret.
func (s *Source) LogValue() slog.Value { return s.view().LogValue() }

// MarshalJSON returns the settings as a JSON object. It contains no secret.
func (s *Source) MarshalJSON() ([]byte, error) { return s.view().MarshalJSON() }

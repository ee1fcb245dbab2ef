package oauth

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

// Options are how a [Source] keeps its session. In each duration, zero means
// the default and a negative value means off.
type Options struct {
	// Store keeps the session beyond the process and shares it with others. If
	// nil, the session lives in memory.
	Store Store

	// Early is how long before its expiry a session that can be renewed by the
	// clock is renewed, in the background. By default, 1 minute. Off: it is
	// renewed when it has expired, and callers wait for that.
	Early time.Duration

	// CoolDown is how long after a failure nobody is asked again: OK, or the
	// store. By default, 5 seconds.
	CoolDown time.Duration

	// Timeout bounds one renewal, with all its requests and the wait for the
	// store's lock, and then saving its result. By default, 30 seconds. Give
	// [Loopback], where a human types, some minutes.
	Timeout time.Duration

	// OnToken, if not nil, is called with each session that the grant or
	// Replace brings, not with those that come from the store. Callers who
	// wait for the session wait for OnToken too.
	OnToken func(*oauth2.Token)

	// OnError, if not nil, is called once with each thing that goes wrong,
	// whether callers hear of it or not: a renewal that fails, a session that
	// cannot be saved, a store with torn content.
	OnError func(error)
}

// A Source is an [oauth2.TokenSource] that gets its session by a [Grant],
// keeps it, and renews it. Make it by [NewSource]; it is safe for concurrent
// use by multiple goroutines.
//
// A session is renewed when
//
//   - the API has refused it: see [Source.Invalidate];
//   - it has a refresh token and has expired, or will soon: Options.Early.
//
// Without a refresh token the clock decides nothing: OK's long and eternal
// sessions outlive the expiry they state.
//
// However many callers need a renewal, one takes place. It goes on if a caller
// gives up, and no caller waits for it longer than his context. A session
// that is renewed early serves until the new one is there, and if the renewal
// fails, until it expires.
//
// To renew means the grant's Renew, if it is a [Renewer] and there was a
// session, else its Token. If OK knows nothing (more) of a refresh token that
// came from the store, Token is tried once. A code is never sent twice, even
// if the program starts again, so long as the store has its session.
//
// After a failure, callers get its error for Options.CoolDown without anybody
// being asked. An error that is [ErrSignIn], or an [oauth2.RetrieveError] with
// code invalid_grant, stays until Replace, or until the store has something
// new. If a session that replaces a refused one is refused too within the
// cool-down, callers get [ErrRefused] until that has passed. All errors have a
// method Terminal() bool that returns true: repeating the API call does not
// help.
//
// A panic of the grant, the store or a hook does not end the program from the
// goroutine of a renewal: it reaches the callers who wait for that, and OnError
// as an error. For later callers the renewal has failed, unless it has got a
// session.
//
// With a store, processes take turns: each locks it and looks whether another
// has renewed the session already, before it does so itself and saves the
// result. A store that cannot be locked or read means no renewal; a session
// that cannot be saved is used all the same.
type Source struct {
	grant    Grant
	store    Store
	early    time.Duration
	coolDown time.Duration
	timeout  time.Duration
	onToken  func(*oauth2.Token)
	onError  func(error)

	// current is what callers get without further ado; nil: they have to wait.
	current atomic.Pointer[held]

	mu      sync.Mutex
	last    *held         // the newest session, even if expired or refused; nil: none yet
	refused bool          // the API refused last
	seen    *oauth2.Token // what the store had when last read or written
	flight  *flight       // the renewal under way; nil: none
	setback setback       // why there will be no renewal for now

	spent bool // the code was sent; used by flights only, of which there is one at a time
}

// NewSource returns a source of sessions got by g. Nothing is asked before the
// first use: then the store, and if that has no session, g.
func NewSource(g Grant, o Options) *Source {
	return &Source{
		grant:    settled(g),
		store:    o.Store,
		early:    setting(o.Early, time.Minute),
		coolDown: setting(o.CoolDown, 5*time.Second),
		timeout:  setting(o.Timeout, 30*time.Second),
		onToken:  o.OnToken,
		onError:  o.OnError,
	}
}

// settled returns a copy of the grants that a Source treats specially, if g
// points to one.
func settled(g Grant) Grant {
	switch p := g.(type) {
	case *Code:
		return *p
	case *Refresh:
		return *p
	}
	return g
}

// setting returns d, the default for zero, or zero for off.
func setting(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return max(d, 0)
}

// Token returns the session. It waits for a renewal as long as that takes; see
// TokenContext. The token is the caller's own, as x/oauth2 writes into tokens
// it is handed: a Source can stand wherever an [oauth2.TokenSource] can, under
// [oauth2.ReuseTokenSource] for one.
func (s *Source) Token() (*oauth2.Token, error) { return ownCopy(s.TokenContext(context.Background())) }

// TokenContext returns the session, waiting for it until ctx ends. It returns
// at once and does not allocate while the session is good. The token is shared
// and must not be modified.
func (s *Source) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	if h := s.current.Load(); h != nil && h.fresh() {
		return h.token, nil
	}
	return s.await(ctx)
}

// Invalidate tells s that the API refused t: the next caller gets a new
// session. It does nothing if t is not the current session, access token and
// session secret taken together, since then the news is old.
func (s *Source) Invalidate(t *oauth2.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || s.refused || !token.Same(s.last.token, t) {
		return
	}
	s.refused = true
	s.current.Store(nil)
	if end := s.last.born.Add(s.coolDown); s.last.reborn && !s.setback.final && time.Now().Before(end) {
		s.setback = setback{cause: ErrRefused, until: end}
	}
}

// adopt makes h the session that callers get. The caller holds s.mu.
func (s *Source) adopt(h *held) {
	s.last, s.refused, s.setback = h, false, setback{}
	s.current.Store(h)
}

// bounded returns a context that ends after the timeout and not before.
func (s *Source) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if s.timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.timeout)
}

func (s *Source) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("Grant", fmt.Sprintf("%T", s.grant)),
		redact.Set("Store", s.store != nil),
		slog.Duration("Early", s.early),
		slog.Duration("CoolDown", s.coolDown),
		slog.Duration("Timeout", s.timeout),
	}
}

// String tells the settings, without secrets, as all that prints does.
func (s *Source) String() string { return redact.String("oauth.Source", s.attrs()) }

// Format implements [fmt.Formatter] with the text of String for every verb.
func (s *Source) Format(f fmt.State, _ rune) { redact.Format(f, s.String()) }

// LogValue implements [slog.LogValuer].
func (s *Source) LogValue() slog.Value { return slog.GroupValue(s.attrs()...) }

// MarshalJSON returns what String tells as a JSON object.
func (s *Source) MarshalJSON() ([]byte, error) { return redact.JSON(s.attrs()) }

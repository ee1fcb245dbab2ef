package oauth

// This file has the session of a Source: when it is renewed and saved, which of two
// is older, and to which application and user it belongs.

import (
	"crypto/sha256"
	"encoding/hex"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/token"
)

// A session is a token in a Source. Only saveAt and saving change after it is
// shared.
type session struct {
	token            *oauth2.Token // a copy; not modified
	obtained         time.Time     // when the Source got it
	early            time.Time     // from then on it is renewed in the background
	expiry           time.Time     // from then on it is not usable; zero: it never expires
	replacesRejected bool          // it was obtained because the API rejected the previous session
	fromStore        bool          // it was loaded from the store
	fromUser         bool          // the user has signed in: it overwrites what is stored

	saveAt atomic.Int64 // from then on it should be saved, in Unix nanoseconds; 0: it is saved
	saving atomic.Bool  // saveInBackground is at it
}

// newSession returns a session with a copy of t.
func (s *Source) newSession(t *oauth2.Token) *session {
	own := *t
	h := &session{token: &own, obtained: time.Now()}
	if s.canExpire(t) {
		h.expiry = t.Expiry.Round(0) // without the monotonic clock, which stops while a machine sleeps
		h.early = h.expiry.Add(-s.early)
	}
	return h
}

// canExpire reports whether the expiry of t, if it has one, has a meaning. It has
// none unless a renewal can succeed without the user.
func (s *Source) canExpire(t *oauth2.Token) bool {
	g, ok := s.grant.(Refresh)
	return t.RefreshToken != "" || ok && g.RefreshToken != ""
}

// isFresh reports whether h can be returned at once: it neither needs a renewal
// nor a save.
func (h *session) isFresh() bool {
	return (h.expiry.IsZero() || time.Now().Before(h.early)) && !h.isSaveDue()
}

// isRenewalDue reports whether h should be renewed, although it may be usable.
func (h *session) isRenewalDue() bool { return !h.expiry.IsZero() && !time.Now().Before(h.early) }

// isUsable reports whether h has not expired.
func (h *session) isUsable() bool { return h.expiry.IsZero() || time.Now().Before(h.expiry) }

// isSaveDue reports whether h was not saved and should be.
func (h *session) isSaveDue() bool {
	at := h.saveAt.Load()
	return at != 0 && time.Now().UnixNano() >= at
}

// delayEarly delays the early renewal of a session that is so short that it
// would be renewed at once: otherwise each use would start a renewal.
func (h *session) delayEarly() {
	if h.isRenewalDue() {
		h.early = h.obtained.Add(h.expiry.Sub(h.obtained) / 2)
	}
}

// isOlder reports whether a was issued before b, as far as they state it. The
// times are from the clocks of two processes, so they only decide between
// sessions that may both be valid: a rejection by the API counts more.
func isOlder(a, b *oauth2.Token) bool {
	switch {
	case a.Expiry.IsZero() || b.Expiry.IsZero():
		return false
	case a.ExpiresIn > 0 && b.ExpiresIn > 0:
		return issued(a).Before(issued(b))
	}
	return a.Expiry.Before(b.Expiry)
}

// issued returns when t was issued, for a token with an expiry and a lifetime.
func issued(t *oauth2.Token) time.Time {
	return t.Expiry.Add(-time.Duration(t.ExpiresIn) * time.Second)
}

// marks identify the application of a session, and the chain of renewals that
// it belongs to by what its first session was obtained with. They are saved
// with the session, as hashes. An empty mark matches every other.
type marks struct{ application, chain string }

// marksOf returns the marks of sessions that g obtains. Grants of other
// packages have none.
func marksOf(g Grant) marks {
	switch g := g.(type) {
	case Code:
		return newMarks(g.ClientID, "code", g.Code)
	case Refresh:
		return newMarks(g.ClientID, "refresh token", g.RefreshToken)
	case Implicit:
		return newMarks(g.ClientID, "implicit", g.ClientID+" "+g.Login)
	case Password:
		return newMarks(g.ApplicationKey, "password", g.ApplicationKey+" "+g.Login)
	case Loopback:
		return newMarks(g.ClientID, "loopback", g.ClientID)
	}
	return marks{}
}

// newMarks returns the marks of an application and of the origin of a chain. An
// empty origin, such as a missing refresh token, marks no chain.
func newMarks(application, kind, origin string) marks {
	m := marks{application: hash("application", application)}
	if origin != "" {
		m.chain = hash(kind, origin)
	}
	return m
}

// hash returns a hash of value that differs for each kind: the stored session
// must not reveal a code or a token, and a login is personal data.
func hash(kind, value string) string {
	sum := sha256.Sum256([]byte(kind + " " + value))
	return hex.EncodeToString(sum[:])
}

// marksIn returns the marks of a session.
func marksIn(t *oauth2.Token) (m marks) {
	m.application, _ = t.Extra(token.MarkApplication).(string)
	m.chain, _ = t.Extra(token.MarkChain).(string)
	return m
}

// matches reports whether no mark of m differs from that of other.
func (m marks) matches(other marks) bool {
	return m.matchesApplication(other) && (m.chain == "" || other.chain == "" || m.chain == other.chain)
}

// matchesApplication is matches for the application only.
func (m marks) matchesApplication(other marks) bool {
	return m.application == "" || other.application == "" || m.application == other.application
}

// put returns a copy of t with the marks m instead of its own.
func (m marks) put(t *oauth2.Token) *oauth2.Token {
	if marksIn(t) == m {
		return t
	}
	extras := token.Extras(t)
	if extras == nil {
		extras = make(map[string]any)
	}
	for name, value := range map[string]string{token.MarkApplication: m.application, token.MarkChain: m.chain} {
		if delete(extras, name); value != "" {
			extras[name] = value
		}
	}
	return t.WithExtra(extras)
}

// legacyCodeMark is the extra by which versions before v0.1 noted the code of a
// session: its SHA-256.
const legacyCodeMark = "code_sha256"

// isFromCode reports whether the chain of t began with the code of g. Such a
// code must not be sent again.
func isFromCode(t *oauth2.Token, g Code) bool {
	if marksIn(t).chain != "" {
		return marksIn(t).chain == marksOf(g).chain
	}
	sum := sha256.Sum256([]byte(g.Code))
	return t.Extra(legacyCodeMark) == any(hex.EncodeToString(sum[:]))
}

package oauth

import (
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/token"
)

// held is a session as a Source holds it. It is not modified once shared.
type held struct {
	token  *oauth2.Token
	born   time.Time // when the Source got it
	early  time.Time // from when on it is renewed in the background
	expiry time.Time // from when on it is of no use; zero: the clock decides nothing
	reborn bool      // it was made because the API refused the one before
	stored bool      // it came from the store
}

// hold returns t as s holds it, a copy: whoever handed it over keeps his.
func (s *Source) hold(t *oauth2.Token) *held {
	own := *t
	h := &held{token: &own, born: time.Now()}
	if s.clocked(t) {
		h.expiry = t.Expiry.Round(0) // a monotonic clock stands still while a machine sleeps
		h.early = h.expiry.Add(-s.early)
	}
	return h
}

// clocked reports whether the expiry of t means anything: only if a renewal
// before it can succeed without a human.
func (s *Source) clocked(t *oauth2.Token) bool {
	if t.Expiry.IsZero() {
		return false
	}
	g, ok := s.grant.(Refresh)
	return t.RefreshToken != "" || ok && g.RefreshToken != ""
}

// fresh reports whether h needs no renewal so far as the clock goes.
func (h *held) fresh() bool { return h.expiry.IsZero() || time.Now().Before(h.early) }

// usable reports whether h can still be used.
func (h *held) usable() bool { return h.expiry.IsZero() || time.Now().Before(h.expiry) }

// pace puts off the early renewal of a session so short that it would be due
// at once, lest each use starts another.
func (h *held) pace() {
	if !h.fresh() {
		h.early = h.born.Add(h.expiry.Sub(h.born) / 2)
	}
}

// passOrigin returns fresh, which takes the place of h without the grant, with
// the code that h came from, unless it came from one itself: no code must be
// exchanged twice.
func (h *held) passOrigin(fresh *oauth2.Token) *oauth2.Token {
	if origin := h.token.Extra(codeExtra); origin != nil && fresh.Extra(codeExtra) == nil {
		return withExtra(fresh, codeExtra, origin)
	}
	return fresh
}

// passRefreshToken returns fresh, a new session of the same user, with the
// refresh token of h, unless it has one itself.
func (h *held) passRefreshToken(fresh *oauth2.Token) *oauth2.Token {
	if fresh.RefreshToken != "" || h.token.RefreshToken == "" {
		return fresh
	}
	own := *fresh
	own.RefreshToken = h.token.RefreshToken
	return &own
}

// older reports whether a was handed out before b, so far as they say.
func older(a, b *oauth2.Token) bool {
	switch {
	case a.Expiry.IsZero() || b.Expiry.IsZero():
		return false
	case a.ExpiresIn > 0 && b.ExpiresIn > 0:
		return issued(a).Before(issued(b))
	}
	return a.Expiry.Before(b.Expiry)
}

// issued is when t was handed out, if it has both an expiry and a lifetime.
func issued(t *oauth2.Token) time.Time {
	return t.Expiry.Add(-time.Duration(t.ExpiresIn) * time.Second)
}

// isNews reports whether stored, which the store has, is a session that another
// process put there: neither what s saw there before nor h, and not older than
// h. The caller holds s.mu.
func (s *Source) isNews(stored *oauth2.Token, h *held) bool {
	if stored == nil || stored.AccessToken == "" || token.Same(stored, s.seen) {
		return false
	}
	return h == nil || !token.Same(stored, h.token) && !older(stored, h.token)
}

package oauth

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/token"
)

// Replace tells s that fresh takes the place of old: the API handed out new
// keys, or a human has signed in. It does nothing if old is not the current
// session; a nil old stands for whatever is current. A fresh session without
// refresh token keeps the one of old, but not that of whatever is current,
// which may be somebody else's. What s knows of failures is forgotten.
//
// A renewal under way goes on, and its session takes the place of fresh. Only
// if old is nil, fresh stays and the renewal's session is dropped: a human who
// signs in, who may be somebody else, has the last word.
//
// With a store, the session is saved in the background. Replace waits for
// that a moment, so that a program that ends right away does not lose it as a
// rule.
func (s *Source) Replace(old, fresh *oauth2.Token) {
	t := s.replace(old, fresh)
	if t == nil {
		return
	}
	if s.onToken != nil {
		own := *t
		s.onToken(&own)
	}
	if s.store == nil {
		return
	}
	saved := make(chan *caught, 1)
	go func() {
		defer close(saved)
		saved <- s.keep(t)
	}()
	select {
	case panicked := <-saved:
		panicked.again()
	case <-time.After(saveMoment):
	}
}

// saveMoment is how long Replace may hold up a call: long enough for a file.
const saveMoment = 20 * time.Millisecond

// replace returns the session that s has from now on, or nil if nothing
// changed.
func (s *Source) replace(old, fresh *oauth2.Token) *oauth2.Token {
	if fresh == nil || fresh.AccessToken == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil && old != nil && !token.Same(s.last.token, old) {
		return nil
	}
	if s.flight != nil && old == nil {
		s.flight.overruled = true
	}
	if s.last != nil {
		fresh = s.last.passOrigin(fresh)
		if old != nil {
			fresh = s.last.passRefreshToken(fresh)
		}
	}
	s.adopt(s.hold(fresh))
	return s.last.token
}

// keep saves t and reports what goes wrong. It returns a panic of the store or
// the hook.
func (s *Source) keep(t *oauth2.Token) *caught {
	var err error
	panicked := catch(func() { err = s.saveLast(t) })
	if panicked != nil {
		err = panicked.failure()
	}
	if err == nil || s.onError == nil {
		return panicked
	}
	return cmp.Or(panicked, catch(func() { s.onError(err) }))
}

// saveLast saves t, unless it is no longer the current session by then.
func (s *Source) saveLast(t *oauth2.Token) error {
	ctx, cancel := s.bounded(context.Background())
	defer cancel()
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !s.isLast(t) {
		return nil
	}
	return s.save(ctx, t)
}

func (s *Source) isLast(t *oauth2.Token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last.token == t
}

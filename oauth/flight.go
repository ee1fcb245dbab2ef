package oauth

import (
	"cmp"
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
)

// A flight is a renewal under way, in a goroutine of its own.
type flight struct {
	source   *Source
	from     *held // the newest session there was when it began; nil: none
	base     *held // what is renewed: from, or something newer that the store had
	standing error // with final setback: its cause, which only news from the store can end

	unlock func()  // of the store, once locked
	minted bool    // the session is new, not from the store or from Replace
	quiet  bool    // the error is no news
	errs   []error // for OnError

	overruled bool // a human has signed in since it began; guarded by source.mu

	done     chan struct{}
	token    *oauth2.Token // with err: the result, once done is closed
	err      error
	panicked *caught // instead of the result, for those who wait
}

type flightKey struct{}

// await returns the session once there is one, or the reason why there is
// none.
func (s *Source) await(ctx context.Context) (*oauth2.Token, error) {
	if ctx.Value(flightKey{}) == s {
		return nil, errInside
	}
	t, f, err := s.join(ctx)
	if f == nil {
		return t, err
	}
	select {
	case <-f.done:
		f.panicked.again()
		return f.token, f.err
	case <-ctx.Done():
		return nil, gaveUp(ctx)
	}
}

var errInside = &failure{
	text: "okru: the session is needed to get the session: give the grant an HTTPClient without the source",
}

func gaveUp(ctx context.Context) error {
	return &failure{text: "okru: waiting for a session: " + ctx.Err().Error(), is: []error{ctx.Err(), context.Cause(ctx)}}
}

// join returns the session if it is usable, the renewal to wait for, or the
// reason why there is none.
func (s *Source) join(ctx context.Context) (*oauth2.Token, *flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.current.Load()
	usable := h != nil && h.usable()
	switch {
	case usable && h.fresh():
		return h.token, nil, nil
	case !usable && ctx.Err() != nil:
		return nil, nil, gaveUp(ctx)
	}
	var err error
	if s.flight == nil {
		if err = s.setback.err(s.store != nil); err == nil {
			s.launch(ctx)
		}
	}
	if usable {
		return h.token, nil, nil
	}
	return nil, s.flight, err
}

// launch starts a renewal. The caller holds s.mu.
func (s *Source) launch(ctx context.Context) {
	f := &flight{source: s, from: s.last, base: s.last, done: make(chan struct{})}
	if s.setback.final {
		f.standing = s.setback.cause
	}
	s.flight = f
	// The caller's values stay, a trace for one. What they say about his call
	// to the API does not hold for the calls of a renewal.
	ctx = okcall.With(ctx, func(v *okcall.Options) { *v = okcall.Options{} })
	go f.fly(context.WithValue(ctx, flightKey{}, s))
}

var errGone = errors.New("okru: the grant ended its goroutine")

// fly renews. What follows happens even if a grant of the user's panics or ends
// the goroutine: first the result counts, then others get the store.
func (f *flight) fly(ctx context.Context) {
	f.err = errGone
	defer close(f.done)
	defer f.report()
	defer f.release()
	defer f.land()
	ctx, cancel := f.source.bounded(ctx)
	defer cancel()
	if err := f.guard(func() { f.token, f.err = f.renew(ctx) }); err != nil {
		f.err = err
	} else if f.err != nil && !f.quiet {
		f.errs = append(f.errs, f.err)
	}
}

// guard calls fn, which runs code of the user's. A panic of that ends fn only:
// those who wait for f get it, and OnError gets the error that is returned.
func (f *flight) guard(fn func()) error {
	c := catch(fn)
	if c == nil {
		return nil
	}
	f.panicked = cmp.Or(f.panicked, c)
	err := c.failure()
	f.errs = append(f.errs, err)
	return err
}

// land makes the result count.
func (f *flight) land() {
	s := f.source
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	f.minted = f.minted && !f.overruled
	replaced := s.last != f.from // by Replace, meanwhile
	switch {
	case f.err == nil && (f.minted || !replaced):
		s.adopt(f.result())
	case replaced:
	default:
		s.fail(f)
		return
	}
	f.token, f.err = s.last.token, nil
}

// result returns the session that f ends with.
func (f *flight) result() *held {
	if !f.minted {
		return f.base
	}
	h := f.source.hold(f.token)
	h.reborn = f.source.refused
	if f.from != nil {
		h.pace()
	}
	return h
}

// fail notes that f got no session. The caller holds s.mu.
func (s *Source) fail(f *flight) {
	news := f.base != f.from
	if h := s.current.Load(); news && (h == nil || !h.usable()) {
		s.last, s.refused = f.base, false // expired, but what to renew next time
	}
	if f.standing != nil && !news { // even if the store could not be read this time
		f.err = f.standing
	}
	s.setback = setback{cause: f.err, until: time.Now().Add(s.coolDown), final: hopeless(f.err)}
	f.err = s.setback.unavailable(s.coolDown)
}

// isOverruled reports whether what f gets will not count.
func (f *flight) isOverruled() bool {
	f.source.mu.Lock()
	defer f.source.mu.Unlock()
	return f.overruled
}

// release gives the store to others.
func (f *flight) release() {
	if f.unlock != nil {
		_ = f.guard(f.unlock)
	}
}

// report calls the hooks. No lock is held, so that they may use the Source.
func (f *flight) report() {
	if f.minted && f.err == nil && f.source.onToken != nil {
		own := *f.token
		_ = f.guard(func() { f.source.onToken(&own) })
	}
	for _, err := range f.errs {
		if f.source.onError != nil {
			_ = f.guard(func() { f.source.onError(err) })
		}
	}
}

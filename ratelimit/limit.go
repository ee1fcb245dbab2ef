package ratelimit

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A Limit is the layer that makes requests wait for a [Limiter]. It charges
// every request, whether it is an API call or not, and since it belongs inside
// of transport.Retry, every attempt: that is what the server counts.
//
// If the Limiter is a [Keyer], the limiter of the request's key is asked, and
// while the request is under way its key keeps its place. If the one asked is
// an [Observer], it is told how the request ended.
//
// Code 11, a spent quota, pauses the calls of that method by that key, if the
// limiter learns: from 1 second to 10 minutes, twice as long each time, with
// one call between two pauses. Only answers to calls, that is to requests for
// /fb.do and /api/GROUP/NAME, are looked into, on whatever host.
//
// A request that the limiter refuses is not sent: its body is closed, and the
// error is [ErrLimited], or that of the request's context if it has ended.
// Nothing changes on the wire.
//
// To keep to two limits, one of the application and one of each session, stack
// two Limits: a request then waits for both. The one of the application should
// be the inner one, so that calls which wait for their session hold nobody up.
type Limit struct {
	// Limiter is what requests wait for. If nil, there is no limit.
	Limiter Limiter

	// Key returns the key of a request for a Limiter that is a Keyer. If nil,
	// the key is a hash of the session that the request's context sets
	// (transport.WithToken, transport.WithTokenSource), or empty if it sets
	// none. It must neither change the request nor return a secret: keys are
	// shown in errors.
	Key func(*http.Request) string
}

// Wrap returns the layer over next; nil means [http.DefaultTransport]. It
// copies l. The layer is safe for concurrent use by multiple goroutines.
func (l Limit) Wrap(next http.RoundTripper) http.RoundTripper {
	return &limited{Base: roundtrip.On(next), limit: l, keys: new(sessionKeys)}
}

// Charge takes one more slot for a request that is under way, from the same
// limiter: for a layer below that sends it twice, as transport.Signer does with
// a renewed session. It fits Signer.BeforeRepeat. It fails as the layer does,
// but leaves r's body alone.
//
// It must be called after an answer that has nothing to do with limits. A
// limiter that learns hears of this answer now, and of the repeat what it would
// have heard of r.
func (l Limit) Charge(r *http.Request) error {
	if l.Limiter == nil {
		return nil
	}
	sent := time.Now()
	s, err := l.find(r, l.key(r, nil))
	if err != nil {
		return err
	}
	defer s.place.release()
	if a, ok := s.limiter.(interface{ answered() }); ok {
		a.answered() // it may hold everybody back until this answer
	}
	if err := s.limiter.Wait(r.Context()); err != nil {
		return refusal(r.Context(), err, s)
	}
	if o, ok := s.limiter.(Observer); ok {
		o.Observe(Outcome{Sent: sent})
	}
	return nil
}

// key returns the key of r, or "" for a limiter without keys.
func (l Limit) key(r *http.Request, keys *sessionKeys) string {
	if _, ok := l.Limiter.(Keyer); !ok {
		return ""
	}
	switch {
	case l.Key != nil:
		return l.Key(r)
	case keys != nil:
		return keys.key(r.Context())
	}
	return sessionKey(r.Context())
}

// A slot is what a request waits for.
type slot struct {
	limiter Limiter
	key     string
	place   *place // that the key keeps until released; may be nil
}

// find returns the slot of r, which has this key.
func (l Limit) find(r *http.Request, key string) (s slot, err error) {
	s = slot{limiter: l.Limiter, key: key}
	if k, ok := l.Limiter.(Keyer); ok {
		if s.limiter = k.For(key); s.limiter == nil {
			s.limiter = unlimited{}
		}
	}
	if p, ok := s.limiter.(*place); ok {
		if s.place, err = p.hold(r.Context()); err != nil {
			return s, refusal(r.Context(), err, s)
		}
		s.limiter = s.place.limiter
	}
	return s, nil
}

// limited is the layer of a Limit.
type limited struct {
	roundtrip.Base
	limit Limit
	keys  *sessionKeys
	spent quotas
}

// RoundTrip implements [http.RoundTripper].
func (t *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.limit.Limiter == nil {
		return t.send(r)
	}
	s, err := t.limit.find(r, t.limit.key(r, t.keys))
	if err != nil {
		roundtrip.CloseRequest(r)
		return nil, err
	}
	defer s.place.release()
	if err := t.wait(r, s); err != nil {
		roundtrip.CloseRequest(r)
		return nil, refusal(r.Context(), err, s)
	}
	learner, ok := s.limiter.(Observer)
	if !ok {
		return t.send(r)
	}
	sent := time.Now()
	resp, err := t.send(r)
	o, quota := outcome(r, sent, resp, err)
	learner.Observe(o)
	t.note(r, s.key, o, quota)
	return resp, err
}

// wait waits for the slot, and for the method's turn if its quota is spent.
func (t *limited) wait(r *http.Request, s slot) error {
	if !t.spent.pausing() {
		if err := s.limiter.Wait(r.Context()); err != nil || !t.spent.pausing() {
			return err
		}
		// A quota was spent while r waited in line. If it is another one, this
		// is the turn of r.
		if t.spent.mayGo(quotaOf(r, s.key)) {
			return nil
		}
		unused(s)
	}
	return t.waitTurn(r, s, quotaOf(r, s.key))
}

// waitTurn is wait while quotas are spent.
func (t *limited) waitTurn(r *http.Request, s slot, id quotaKey) error {
	for {
		alone, err := t.spent.wait(r.Context(), id)
		if err != nil {
			return err
		}
		if err := s.limiter.Wait(r.Context()); err != nil || alone || t.spent.mayGo(id) {
			return err
		}
		unused(s)
	}
}

// errUnused is the Outcome of a slot that no request used.
var errUnused = errors.New("okru: the quota of the method is spent")

// unused tells a limiter that learns what became of a slot: nothing.
func unused(s slot) {
	if o, ok := s.limiter.(Observer); ok {
		o.Observe(Outcome{Sent: time.Now(), Err: errUnused})
	}
}

// note learns what an answer says about the quota of the method, which is
// looked up only if there is something to learn.
func (t *limited) note(r *http.Request, key string, o Outcome, quota quotaState) {
	switch {
	case quota == quotaSpent:
		t.spent.refused(quotaOf(r, key), o.Sent, o.RetryAfter)
	case quota == quotaThere && t.spent.pausing():
		t.spent.answered(quotaOf(r, key))
	}
}

func (t *limited) send(r *http.Request) (*http.Response, error) {
	resp, err := t.Next.RoundTrip(r)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

// The limiter may hold keys, and the RoundTripper below secrets.
func (t *limited) String() string { return fmt.Sprintf("ratelimit.Limit(%T)", t.Next) }

// Format implements [fmt.Formatter].
func (t *limited) Format(f fmt.State, _ rune) { redact.Format(f, t.String()) }

package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/apicall"
	"github.com/go-okru/okru/internal/body"
	"github.com/go-okru/okru/internal/layer"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/retryafter"
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
// one call between two pauses.
//
// A request that the limiter refuses is not sent: its body is closed, and the
// error is [ErrLimited], or that of the request's context if it has ended.
// Nothing changes on the wire.
//
// To keep to two limits, one of the application and one of each session, stack
// two Limits: a request then waits for both.
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
	return &limited{Base: layer.On(next), limit: l, keys: new(sessionKeys)}
}

// Charge waits for one more request like r, without sending any: for a layer
// below that sends a request twice, as transport.Signer does after it renewed
// a session. It is meant for Signer.BeforeRepeat. How that request ends is
// told with the first one, so a limiter that learns counts it as answered.
func (l Limit) Charge(r *http.Request) error {
	if l.Limiter == nil {
		return nil
	}
	asked, held, err := l.ask(r, l.key(r, nil))
	if err != nil {
		return err
	}
	defer held.release()
	if o, ok := asked.(Observer); ok {
		o.Observe(Outcome{Sent: time.Now()})
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

// ask waits until r may be sent. It returns the limiter that was asked, and
// the place, if any, that its key keeps until r has ended.
func (l Limit) ask(r *http.Request, key string) (asked Limiter, held *place, err error) {
	asked = l.Limiter
	if k, ok := asked.(Keyer); ok {
		asked = k.For(key)
	}
	if p, ok := asked.(*place); ok {
		if held, err = p.hold(r.Context()); err != nil {
			return nil, nil, refusal(r.Context(), err, key)
		}
		asked = held.limiter
	}
	if err := asked.Wait(r.Context()); err != nil {
		held.release()
		return nil, nil, refusal(r.Context(), err, key)
	}
	return asked, held, nil
}

// refusal returns the error of a limiter as one of this package.
func refusal(ctx context.Context, err error, key string) error {
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("okru: waiting for the local rate limit: %w", ended)
	}
	if _, ok := errors.AsType[*LimitedError](err); ok {
		return named(err, key)
	}
	// A foreign limiter that has an error while the context goes on refuses.
	// That of x/time/rate says in words only that the deadline is why.
	return &LimitedError{Key: key, cause: err, late: strings.Contains(err.Error(), "deadline")}
}

// limited is the layer of a Limit.
type limited struct {
	layer.Base
	limit Limit
	keys  *sessionKeys
	spent quotas
}

// RoundTrip implements [http.RoundTripper].
func (t *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.limit.Limiter == nil {
		return t.Next.RoundTrip(r)
	}
	key := t.limit.key(r, t.keys)
	if err := t.waitForQuota(r, key); err != nil {
		body.CloseRequest(r)
		return nil, err
	}
	asked, held, err := t.limit.ask(r, key)
	if err != nil {
		body.CloseRequest(r)
		return nil, err
	}
	defer held.release()
	o, learns := asked.(Observer)
	if !learns {
		return t.send(r)
	}
	sent := time.Now()
	resp, err := t.send(r)
	o.Observe(outcome(sent, resp, err))
	if err == nil {
		t.noteQuota(r, key, sent, resp)
	}
	return resp, err
}

// waitForQuota and noteQuota look at the method only while a quota is spent.
func (t *limited) waitForQuota(r *http.Request, key string) error {
	if t.spent.count.Load() == 0 {
		return nil
	}
	if err := t.spent.wait(r.Context(), quotaKey{key, apicall.Method(r)}); err != nil {
		return refusal(r.Context(), err, key)
	}
	return nil
}

func (t *limited) noteQuota(r *http.Request, key string, sent time.Time, resp *http.Response) {
	e, failed := okerrors.FromResponse(resp)
	isSpent := failed && e.Code == okerrors.CodeLimitReached
	if isSpent || !failed && t.spent.count.Load() > 0 {
		t.spent.note(quotaKey{key, apicall.Method(r)}, sent, isSpent)
	}
}

func (t *limited) send(r *http.Request) (*http.Response, error) {
	resp, err := t.Next.RoundTrip(r)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

// outcome tells how a request ended, for an Observer.
func outcome(sent time.Time, resp *http.Response, err error) Outcome {
	if err != nil {
		return Outcome{Sent: sent, Err: err}
	}
	o := Outcome{Sent: sent, Throttled: isThrottled(resp)}
	if o.Throttled {
		o.RetryAfter, _ = retryafter.Parse(resp.Header, time.Now())
	}
	return o
}

// isThrottled tells whether the server refused for the number of calls. Other
// codes of the class okerrors.ErrThrottled concern one user, method or object.
func isThrottled(resp *http.Response) bool {
	switch e, failed := okerrors.FromResponse(resp); {
	case failed:
		return e.Code == okerrors.CodeFloodBlocked || e.Code == okerrors.CodeIPBlocked
	default:
		return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable
	}
}

// The limiter may hold keys, and the RoundTripper below secrets.
func (t *limited) String() string { return fmt.Sprintf("ratelimit.Limit(%T)", t.Next) }

// Format implements [fmt.Formatter].
func (t *limited) Format(f fmt.State, _ rune) { redact.Format(f, t.String()) }

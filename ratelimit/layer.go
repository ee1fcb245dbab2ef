package ratelimit

// This file has the layer. Its order is: find the limiter of the request, wait for
// it, send, and report to the limiter what the response shows about the limit.

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A Limit is the layer that makes requests wait for a [Limiter]. Every request
// takes a slot, API call or not. The layer belongs inside transport.Retry, so
// that every attempt takes one: the server counts attempts.
//
// If the Limiter is a [Keyer], requests wait for the limiter of their key, and
// the key is not evicted while the request is in flight. If that limiter is an
// [Observer], the layer reports to it how the request ended. Only responses to
// API calls count as signs of a limit, that is requests for /fb.do,
// /api/GROUP/NAME and /graph/ on the Hosts of the Signer or Group below, or on
// api.ok.ru if there is none. The bodies of other responses are not read.
//
// Code 11, a spent quota, pauses the calls of this method with this key, if the
// limiter is an Observer: for 1 second to 10 minutes, twice as long each time,
// with one call between two pauses.
//
// A request that the limiter rejects is not sent: its body is closed. The error
// is [ErrLimited], or that of the request's context if it has ended. Nothing
// changes on the wire.
//
// For two limits, one of the application and one of each session, stack two
// Limits: a request then waits for both. Put that of the application inside, so
// that calls that wait for their session take none of its slots.
type Limit struct {
	// Limiter is what requests wait for. If nil, there is no limit.
	Limiter Limiter

	// Key returns the key of a request for a Limiter that is a Keyer, such as
	// [ByMethod]. If nil, the key is the session that the request's context
	// sets by transport.WithToken or transport.WithTokenSource, or for a Graph
	// call the group that it sets by transport.WithGroupToken: a hash that
	// differs from process to process, or for a source of oauth.Sessions one
	// that does not. If the context sets none, the key is empty.
	//
	// Key must not change the request. Keys appear in errors, so they must not
	// contain secrets.
	Key func(*http.Request) string
}

// Wrap returns the layer over next; nil means [http.DefaultTransport]. It
// copies l. The layer is safe for concurrent use by multiple goroutines.
func (l Limit) Wrap(next http.RoundTripper) http.RoundTripper {
	l.Limiter = usable(l.Limiter)
	return &limitLayer{Base: roundtrip.On(next), limit: l}
}

// Charge takes one more slot for a request that is in flight, from the same
// limiter. It is for a layer below that sends the request twice, as
// transport.Signer does with a renewed session, and fits Signer.BeforeRepeat.
// It fails as the layer does, but does not close the body of r.
//
// It must be called after a response that has nothing to do with limits. An
// [Observer] gets the outcome of that response now, and the outcome of the
// repeat when the request ends.
func (l Limit) Charge(r *http.Request) error {
	l.Limiter = usable(l.Limiter)
	if l.Limiter == nil {
		return nil
	}
	sent := time.Now()
	s := l.slot(r)
	if s.entry != nil {
		// Waiting for room would be waiting for r itself, if its key has
		// changed with the session: r keeps the entry of its old key.
		s.use(s.entry.acquireNow())
		defer s.entry.release()
	}
	if a, ok := s.limiter.(interface{ responded() }); ok {
		a.responded() // r may be the probe that all others wait for
	}
	wait := okcall.BeginWait(r.Context())
	err := s.limiter.Wait(r.Context())
	if err == nil {
		s.observe(Outcome{Sent: sent})
	}
	wait.End(err)
	if err != nil {
		return waitError(r.Context(), err, s)
	}
	return nil
}

// A slot is what a request waits for.
type slot struct {
	limiter Limiter // that of the key, if the Limiter is a Keyer
	key     string  // empty: the Limiter has no keys, or the request has none
	entry   *entry  // of the key in a Keyed; nil: the limiter is in none
}

// slot returns the slot of r. Its entry, if any, is not acquired yet.
func (l Limit) slot(r *http.Request) slot {
	k, ok := l.Limiter.(Keyer)
	if !ok {
		return slot{limiter: l.Limiter}
	}
	s := slot{}
	if l.Key != nil {
		s.key = l.Key(r)
	} else {
		s.key = defaultKey(r)
	}
	switch limiter := k.For(s.key).(type) {
	case *entry:
		s.limiter, s.entry = limiter, limiter
	case nil:
		s.limiter = unlimited{}
	default:
		s.limiter = usable(limiter)
	}
	return s
}

// use makes e, which was acquired, the entry of s.
func (s *slot) use(e *entry) { s.entry, s.limiter = e, e.limiter }

// observe reports an outcome to the limiter, if it is an Observer.
func (s *slot) observe(o Outcome) {
	if l, ok := s.limiter.(Observer); ok {
		l.Observe(o)
	}
}

// report ends wait, which gave the caller a slot or failed with err. If a hook
// of the program panics, the limiter gets the outcome of the slot.
func (s *slot) report(wait okcall.Wait, err error) {
	reported := false
	defer func() {
		if !reported && err == nil {
			s.observe(Outcome{Sent: time.Now(), Err: errPanicked})
		}
	}()
	wait.End(err)
	reported = true
}

// limitLayer is the layer of a Limit.
type limitLayer struct {
	roundtrip.Base
	limit  Limit
	quotas quotas
}

// RoundTrip implements [http.RoundTripper].
func (t *limitLayer) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, _, err := t.RoundTripVerdict(r)
	return resp, err
}

// RoundTripVerdict implements [roundtrip.Verdicter].
func (t *limitLayer) RoundTripVerdict(r *http.Request) (*http.Response, roundtrip.Verdict, error) {
	if t.limit.Limiter == nil {
		return t.send(r)
	}
	unsent := r.Body
	defer func() { // also if a hook of the program panics
		if unsent != nil {
			unsent.Close()
		}
	}()
	s, wait := t.limit.slot(r), okcall.BeginWait(r.Context())
	// The key must not be evicted until the call has ended, since its outcome
	// belongs to the limiter of the key.
	if s.entry != nil {
		e, err := s.entry.acquire(r.Context())
		if err != nil {
			wait.End(err)
			return nil, roundtrip.Verdict{}, waitError(r.Context(), err, s)
		}
		defer e.release()
		s.use(e)
	}
	err := t.wait(r, s)
	if wait.Traced() {
		s.report(wait, err)
	}
	if err != nil {
		return nil, roundtrip.Verdict{}, waitError(r.Context(), err, s)
	}
	unsent = nil
	// A limiter that learns nothing need not know how the call ends.
	if _, ok := s.limiter.(Observer); !ok {
		return t.send(r)
	}
	return t.sendObserved(r, s)
}

// send sends r. The response has the request that the layer was given.
func (t *limitLayer) send(r *http.Request) (*http.Response, roundtrip.Verdict, error) {
	resp, verdict, err := t.Send(r)
	if resp != nil {
		resp.Request = r
	}
	return resp, verdict, err
}

var (
	// Why an Outcome has nothing to learn from.
	errPanicked = errors.New("okru: the call panicked")
	errNoCall   = errors.New("okru: the request was no call of the API")
	errQuota    = errors.New("okru: not sent, because the quota of the method is spent")
)

// sendObserved sends r and reports how it ended, also if a layer below panics.
// If anything panics after the response arrived, the Observer included, the
// response is closed, because the caller does not get it.
func (t *limitLayer) sendObserved(r *http.Request, s slot) (resp *http.Response, verdict roundtrip.Verdict, err error) {
	o := Outcome{Sent: time.Now(), Err: errPanicked}
	finished, observed := false, false
	defer func() {
		if resp != nil && !(finished && observed) {
			resp.Body.Close()
		}
	}()
	defer func() {
		s.observe(o)
		observed = true
	}()
	resp, verdict, err = t.send(r)
	var quota quotaState
	o, verdict, quota = t.outcome(r, o.Sent, resp, verdict, err)
	t.quotas.note(r, s.key, o, quota)
	finished = true
	return resp, verdict, err
}

// wait waits for the limiter and, if the quota of the method is spent, for the
// end of its pause.
func (t *limitLayer) wait(r *http.Request, s slot) error {
	for {
		probe, err := t.quotas.wait(r, s.key)
		if err != nil {
			return err
		}
		if err := s.limiter.Wait(r.Context()); err != nil || probe || t.quotas.allows(r, s.key) {
			return err
		}
		// The quota was spent while r waited for the limiter.
		s.observe(Outcome{Sent: time.Now(), Err: errQuota})
	}
}

// outcome returns how r ended, and the verdict about its response.
func (t *limitLayer) outcome(r *http.Request, sent time.Time, resp *http.Response, verdict roundtrip.Verdict, err error) (Outcome, roundtrip.Verdict, quotaState) {
	o := Outcome{Sent: sent}
	apiErr, isAPI := errors.AsType[*okerrors.Error](err)
	switch {
	case !t.Hosts.IsCall(r.URL):
		o.Err = errNoCall
		return o, verdict, quotaUnknown
	// The stack of an unusual program: the status is in the error.
	case isAPI: // okerrors.Decode is below
		resp = &http.Response{StatusCode: apiErr.Status}
	case err != nil:
		o.Err = err
		return o, verdict, quotaUnknown
	case verdict.Inspected:
		apiErr, _ = errors.AsType[*okerrors.Error](verdict.Err)
	default:
		verdict.Inspected = true
		if e, ok := okerrors.FromResponse(resp); ok {
			apiErr, verdict.Err = e, e
		}
	}
	quota := quotaLeft
	if o.Throttled = throttled(resp.StatusCode, apiErr); o.Throttled {
		quota = quotaUnknown
	} else if apiErr != nil && apiErr.Code == okerrors.CodeLimitReached {
		quota = quotaSpent
	}
	if quota != quotaLeft {
		retryAfter, _ := roundtrip.RetryAfter(resp.Header, time.Now())
		o.RetryAfter = min(retryAfter, maxRetryAfter)
	}
	return o, verdict, quota
}

// throttled reports whether a response rejects a call because of the number of
// all calls. Other codes of the class ErrThrottled are about one object or one
// method, whatever the status.
func throttled(status int, e *okerrors.Error) bool {
	if e != nil {
		switch e.Code {
		case okerrors.CodeFloodBlocked, okerrors.CodeIPBlocked:
			return true
		}
		if errors.Is(e, okerrors.ErrThrottled) {
			return false
		}
	}
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// Format implements [fmt.Formatter]. The limiter may have keys, and the
// RoundTripper below secrets: they are not printed.
func (t *limitLayer) Format(f fmt.State, _ rune) {
	redact.Format(f, fmt.Sprintf("ratelimit.Limit(%T)", t.Next))
}

var _ roundtrip.Verdicter = (*limitLayer)(nil)

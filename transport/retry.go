package transport

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-okru/okru/internal/lookahead"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// Retry repeats requests that failed, if that is safe. The zero value repeats
// what [Retryable] says, at most three times, with growing pauses.
//
// # What is repeated
//
// CheckRetry decides by the outcome of an attempt; without it If does, and
// without both Retryable. Whatever they say, a request is not repeated
//
//   - after the end of its context;
//   - after an error whose method Terminal() bool returns true, by which the
//     layers below say that they refused the request themselves;
//   - if it has a body but no GetBody, or GetBody fails;
//   - if the pause would last until the context's deadline or longer;
//   - if the server asks, by Retry-After, for a pause longer than MaxDelay;
//   - after Max repeats, or when the retry budget is spent.
//
// The caller then gets the last outcome: an answer with its body to read, or
// the error as the layer below returned it.
//
// # Pauses
//
// The pause before repeat number n, the first being 0, is drawn evenly from
// [0, min(MaxDelay, MinDelay·2^n)]: full jitter, see
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
// The server can ask for more:
//
//   - Retry-After (RFC 9110, section 10.2.3), in seconds or as a date, is
//     waited for; the jitter comes on top.
//   - API code 8, flood protection, means a pause from the upper half of
//     MaxDelay.
//
// # Budget
//
// Each layer has a retry budget, so that an outage does not multiply its own
// load. It starts with 200 repeats, which is also the most it holds; each
// repeat takes one, and five successes earn one. When it is spent, an answer
// is returned as it is, and an error of the transport inside one that is
// [ErrBudget] as well.
//
// # On the wire
//
// The first attempt is the caller's request, untouched. A repeat is a copy
// with a new body from GetBody. An answer that gives way to a repeat is read
// up to 64 KiB and closed, so that its connection can be used again.
//
// [http.Transport] repeats a GET without a body by itself if a connection that
// it had kept breaks. A [Signer] below makes it send calls that are not safe
// to repeat only once; without one, make writes by POST.
type Retry struct {
	// Max is how often a request is repeated after the first attempt. Zero
	// means 3, negative none.
	Max int

	// MinDelay bounds the first pause; each further bound is twice as long.
	// Zero means 100 ms. Negative means no pauses but those that the server
	// asks for.
	MinDelay time.Duration

	// MaxDelay bounds every pause, except for the jitter added to a
	// Retry-After and for what Backoff says. Zero means 10 s. Negative means no
	// pauses at all: an answer that asks for one is returned.
	MaxDelay time.Duration

	// If decides whether to repeat after an attempt. It is asked after every
	// attempt, successes included, from many goroutines at once. It may look
	// at the answer by okerrors.FromResponse but must not read or close its
	// body. If nil, Retryable decides.
	If func(Attempt) bool

	// OnRetry, if not nil, is called before the pause that precedes a repeat,
	// with the attempt that failed. The answer is closed afterwards. OnRetry
	// is called from many goroutines at once.
	OnRetry func(Attempt)

	// CheckRetry, if not nil, decides instead of If, by the rules of package
	// retryablehttp: an error of the transport comes as a *url.Error, and an
	// error that CheckRetry returns replaces the outcome, unless the request
	// is repeated. The answer is then closed; unlike there, CheckRetry need
	// not close the answer itself.
	CheckRetry retryablehttp.CheckRetry

	// Backoff, if not nil, says how long to pause, instead of full jitter and
	// the rule for code 8. It is given MinDelay and MaxDelay, the number of
	// the repeat, from 0, and the answer, if there is one. A Retry-After is
	// still waited for if it is longer.
	Backoff retryablehttp.Backoff
}

// Defaults of [Retry].
const (
	defaultMax      = 3
	defaultMinDelay = 100 * time.Millisecond
	defaultMaxDelay = 10 * time.Second
)

// Wrap returns the layer over next; nil means [http.DefaultTransport]. It
// copies r: later changes have no effect. The layer has a retry budget of its
// own, so a client should be wrapped once and shared. It is safe for
// concurrent use by multiple goroutines.
func (r Retry) Wrap(next http.RoundTripper) http.RoundTripper {
	r.Max = max(0, cmp.Or(r.Max, defaultMax))
	r.MinDelay = max(0, cmp.Or(r.MinDelay, defaultMinDelay))
	r.MaxDelay = max(0, cmp.Or(r.MaxDelay, defaultMaxDelay))
	return &retrier{Base: roundtrip.On(next), settings: r, budget: newBudget(), byDefault: r.If == nil && r.CheckRetry == nil}
}

// retrier is the layer of a Retry. In its settings, zero is zero.
type retrier struct {
	roundtrip.Base
	settings  Retry
	budget    *budget
	byDefault bool // Retryable decides
}

// RoundTrip implements [http.RoundTripper]. A request that succeeds costs
// nothing but a look at its answer.
func (t *retrier) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.send(r, r)
	if err == nil && t.byDefault && succeeded(resp) && t.budget.full() {
		return resp, nil // as nearly always: what follows would end the same
	}
	a := Attempt{N: 1, Request: r, Response: resp, Err: err}
	again, err := t.ask(a)
	if again {
		return t.repeat(a, err)
	}
	return t.conclude(a, err)
}

// succeeded reports whether resp answers a call that succeeded, as a Signer below
// has found.
func succeeded(resp *http.Response) bool {
	return resp != nil && resp.StatusCode < http.StatusTooManyRequests && lookahead.IsFine(resp)
}

// send sends r, the caller's request or a copy of it.
func (t *retrier) send(caller, r *http.Request) (*http.Response, error) {
	if v := okcall.FromContext(caller.Context()); v != nil && v.Attempts != nil {
		v.Attempts.Add(1)
	}
	resp, err := t.Next.RoundTrip(r)
	if err != nil {
		roundtrip.Discard(resp) // there should be none
		return nil, err
	}
	if resp != nil {
		resp.Request = caller
	}
	return resp, nil
}

// ask reports whether the policy wants another attempt, and the error, if any,
// that replaces the outcome when there is none.
func (t *retrier) ask(a Attempt) (again bool, err error) {
	switch s := &t.settings; {
	case a.Err != nil && isTerminal(a.Err):
		return false, nil
	case s.CheckRetry != nil:
		return t.checkRetry(a)
	case s.If != nil:
		return s.If(a), nil
	}
	return Retryable(a), nil
}

// conclude returns the outcome of the last attempt to the caller, or err.
func (t *retrier) conclude(a Attempt, err error) (*http.Response, error) {
	if err != nil {
		roundtrip.Discard(a.Response)
		return nil, err
	}
	if !t.budget.full() && isSuccess(a) {
		t.budget.earn()
	}
	return a.Response, a.Err
}

// The RoundTripper below may hold secrets and prints itself, if at all.
func (t *retrier) String() string { return fmt.Sprintf("transport.Retry(%T)", t.Next) }

// Format implements [fmt.Formatter].
func (t *retrier) Format(f fmt.State, _ rune) { redact.Format(f, t.String()) }

// MarshalJSON implements [encoding/json.Marshaler].
func (t *retrier) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

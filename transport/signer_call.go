package transport

import (
	"errors"
	"fmt"
	"net/http"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/internal/token"
)

// A call is an API call on its way through a Signer.
type call struct {
	request *http.Request
	options *okcall.Options // of its context: looked up once, since contexts are chains; may be nil
	source  source
	isForm  bool
	form    string // the text of the form
	renewed bool   // it is the repeat after a renewal
	trace   *tracer
}

// A reply is the response to one attempt of a call.
type reply struct {
	resp     *http.Response
	verdict  roundtrip.Verdict
	rejected *rejection // nil: the API did not reject the session
}

// A rejection is an API error that rejects the session of a call.
type rejection struct {
	keys *keys           // with which the call was signed
	err  *okerrors.Error // as sent: it may have the keys of a new session
}

// RoundTrip implements [http.RoundTripper].
func (s *signer) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, _, err := s.RoundTripVerdict(r)
	return resp, err
}

// RoundTripVerdict implements [roundtrip.Verdicter].
func (s *signer) RoundTripVerdict(r *http.Request) (*http.Response, roundtrip.Verdict, error) {
	options, isCall := okcall.FromContext(r.Context()), s.Hosts.IsCall(r.URL)
	err := s.check(r, options, isCall)
	if err != nil {
		roundtrip.CloseRequest(r)
		return nil, roundtrip.Verdict{}, terminal(err)
	}
	if !isCall {
		return s.Send(r)
	}
	c := call{request: r, options: options, isForm: okcall.IsForm(r)}
	c.source = s.source(c.options)
	c.trace = newTracer(options, 1)
	if c.isForm {
		if c.form, err = formOf(r); err != nil {
			return nil, roundtrip.Verdict{}, terminal(err)
		}
	}
	got, err := s.attempt(&c)
	if err == nil && got.rejected != nil {
		got, err = s.renew(&c, got)
	}
	c.trace.done(got.resp, got.verdict, err)
	return got.resp, got.verdict, err
}

// check returns an error if r must not be sent.
func (s *signer) check(r *http.Request, o *okcall.Options, isCall bool) error {
	switch {
	case s.fault != nil && (isCall || s.isLost):
		return s.fault
	case !isCall && o != nil && o.Caller != nil:
		return fmt.Errorf("okru: Call sent its request to %s, which is not one of Hosts (%v): either a RoundTripper above the Signer has no Unwrap method by which Call finds Hosts, see transport.Chain, or the call was redirected", r.URL.Host, s.Hosts)
	}
	if err := s.Hosts.Check(r.URL); err != nil || !isCall {
		return err
	}
	return s.Hosts.CheckRedirects(r)
}

// attempt signs c and sends it.
func (s *signer) attempt(c *call) (reply, error) {
	isSigned := false
	defer func() { // after an error or a panic of the source
		if !isSigned && !c.isForm { // formOf has closed the body of a form
			roundtrip.CloseRequest(c.request)
		}
	}()
	signed, err := s.sign(c)
	if err != nil {
		return reply{}, terminal(err)
	}
	isSigned = true
	return s.send(c, signed)
}

// sign returns the signed copy of the request of c. After an error the scratch
// is left to the garbage collector.
func (s *signer) sign(c *call) (*signedCall, error) {
	p := s.scratch.Get().(*params)
	if err := p.parse(c, s.settings.ApplicationKey); err != nil {
		return nil, err
	}
	k, err := s.keys(c)
	if err != nil {
		return nil, err
	}
	if err := p.checkSession(c, k); err != nil {
		return nil, err
	}
	signed := p.sign(c, k)
	s.release(p)
	if c.options != nil && c.options.Caller != nil {
		c.options.Caller.Sign(func(text string) string { return s.secrets(signed).Clean(text) })
	}
	return signed, nil
}

// send sends the signed copy of the request of c and inspects the response.
func (s *signer) send(c *call, signed *signedCall) (reply, error) {
	isWrite := func() bool { return !safeToRepeat(c.options, okcall.Method(&signed.request)) }
	sent := &signed.request
	if hasIdempotencyKey(sent.Header) && isWrite() {
		sent = once(sent)
	}
	c.trace.send(s.Hosts, c, signed)
	resp, _, _, err := sendAttempt(&s.Base, sent, c.options.Timeout(), isWrite)
	if err != nil {
		return reply{}, s.redactError(err, signed)
	}
	resp.Request = c.request
	s.redactHeader(resp, signed)
	got := reply{resp: resp, verdict: roundtrip.Verdict{Inspected: true}}
	e, failed := okerrors.FromResponse(resp)
	if !failed {
		return got, nil
	}
	if signed.keys.token != nil && e.SessionRejected() { // judged by what the API sent
		got.rejected = &rejection{signed.keys, e}
	}
	e = s.maskError(resp, e, signed)
	e.Method = okcall.Method(&signed.request) // the form of the caller's request may not be readable
	got.verdict.Err = e
	return got, nil
}

// renew repeats c, whose session was rejected in got. It returns got if there
// is no newer session, or if the request body cannot be read again. If the user
// must sign in, it returns an error that is also the rejection.
func (s *signer) renew(c *call, got reply) (reply, error) {
	r := c.request
	if c.source.fixed == nil {
		c.trace.rejected(got)
	}
	c.source.rejected(got.rejected)
	fresh, err := c.source.token(r.Context())
	c.trace.renewed(err)
	if err != nil && r.Context().Err() != nil {
		roundtrip.Discard(got.resp)
		return reply{}, terminal(err)
	}
	if errors.Is(err, token.ErrSignIn) { // the error is both, as the ones of later calls are ErrSignIn
		roundtrip.Discard(got.resp)
		return reply{}, terminal(&signInError{source: err, rejection: got.verdict.Err})
	}
	if err != nil || got.rejected.keys.isOf(fresh) {
		return got, nil
	}
	again, ok := repeatable(r, c.isForm)
	if !ok {
		return got, nil
	}
	roundtrip.Discard(got.resp)
	if s.settings.BeforeRepeat != nil {
		closingOnPanic(again.Body, func() { err = s.settings.BeforeRepeat(r) })
		if err != nil {
			roundtrip.CloseRequest(again)
			return reply{}, terminal(err)
		}
	}
	repeat := *c
	repeat.request, repeat.source, repeat.renewed = again, source{fixed: fresh}, true
	got, err = s.attempt(&repeat)
	if err != nil {
		return reply{}, err
	}
	got.resp.Request = r
	if got.rejected != nil {
		c.source.rejected(got.rejected)
	}
	return got, nil
}

// A signInError is the error of a call whose session the API rejected, and
// whose user must sign in.
type signInError struct {
	source    error // of the token source
	rejection error // of the API, an *okerrors.Error
}

// Error returns the text of the source, which says what to do, and the
// rejection.
func (e *signInError) Error() string { return e.source.Error() + " (" + e.rejection.Error() + ")" }

// Unwrap returns both errors.
func (e *signInError) Unwrap() []error { return []error{e.source, e.rejection} }

// Format implements [fmt.Formatter]: every verb prints the text of Error.
func (e *signInError) Format(f fmt.State, _ rune) { redact.Format(f, e.Error()) }

// repeatable returns r with a body that was not read yet.
func repeatable(r *http.Request, isForm bool) (*http.Request, bool) {
	if isForm || r.Body == nil || r.Body == http.NoBody {
		return r, true
	}
	if r.GetBody == nil {
		return nil, false
	}
	b, err := okcall.NewBody(r)
	if err != nil {
		return nil, false
	}
	again := *r
	again.Body = b
	return &again, true
}

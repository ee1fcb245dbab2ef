package transport

// This file takes a call through the Signer: check, sign, send, and renew once.
// Its order is the order of the steps.

import (
	"fmt"
	"net/http"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A call is an API call on its way through a Signer.
type call struct {
	request  *http.Request   // the caller's, or a copy of it with a new body for the repeat
	options  *okcall.Options // of its context: looked up once, since contexts are chains; may be nil
	source   source          // of its session
	isForm   bool            // its parameters are in a form
	form     string          // the text of the form
	renewed  bool            // it is the repeat after a renewal
	trace    *tracer         // nil: there is no Trace
	signed   signedCall      // set by sign
	rejected *rejection      // set by inspect if the API has rejected the session
}

// RoundTrip implements [http.RoundTripper].
func (s *signer) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, _, err := s.RoundTripVerdict(r)
	return resp, err
}

// RoundTripVerdict implements [roundtrip.Verdicter].
func (s *signer) RoundTripVerdict(r *http.Request) (*http.Response, roundtrip.Verdict, error) {
	// The options are looked up once for all that follows: a context is a chain,
	// and each lookup walks it.
	options, kind := okcall.FromContext(r.Context()), s.Hosts.KindOf(r.URL)
	isSigned, isCall := kind == okcall.REST, kind != okcall.NoCall
	err := s.check(r, isSigned, isCall, !isCall && options.IsCaller())
	if err != nil {
		roundtrip.CloseRequest(r)
		return nil, roundtrip.Verdict{}, terminal(err)
	}
	// Uploads, redirect targets and Graph calls pass as they are. They may go
	// through the Group, which is below.
	if !isSigned {
		return s.Send(r)
	}
	c := call{request: r, options: options, isForm: okcall.IsForm(r)}
	c.source = s.source(c.options)
	c.trace = newTracer(options, 1)
	// The form is read before the session is waited for: a form that cannot be
	// sent must not cost a renewal.
	if c.isForm {
		if c.form, err = formOf(r); err != nil {
			return nil, roundtrip.Verdict{}, terminal(err)
		}
	}
	resp, v, err := s.attempt(&c)
	if err == nil && c.rejected != nil {
		resp, v, err = s.renew(&c, resp, v)
	}
	c.trace.done(resp, v, err)
	return resp, v, err
}

// attempt signs c and sends it.
func (s *signer) attempt(c *call) (*http.Response, roundtrip.Verdict, error) {
	isSigned := false
	if body := c.request.Body; body != nil && !c.isForm { // formOf has closed the body of a form
		defer func() { // after an error or a panic of the source
			if !isSigned {
				body.Close()
			}
		}()
	}
	if err := s.sign(c); err != nil {
		return nil, roundtrip.Verdict{}, terminal(err)
	}
	// From here on the RoundTripper below closes the body, also if it panics.
	isSigned = true
	return s.send(c)
}

// sign makes the signed copy of the request of c. After an error the scratch is
// left to the garbage collector.
func (s *signer) sign(c *call) error {
	p := s.scratch.Get().(*params)
	if err := p.parse(c, s.settings.ApplicationKey); err != nil {
		return err
	}
	k, err := s.keys(c)
	if err != nil {
		return err
	}
	// This needs the keys: whether a session in the parameters is the right one is
	// known only now.
	if p.list.Names()&param.IsSession != 0 && !c.renewed { // the repeat has a newer session
		if err := p.checkSession(k); err != nil {
			return err
		}
	}
	p.sign(c, k)
	if p.size() <= maxPooled {
		s.scratch.Put(p)
	}
	if c.options.IsCaller() {
		signed := c.signed // so that only calls with a Caller allocate it
		c.options.Caller.Sign(func(text string) string { return s.secrets(signed).Clean(text) })
	}
	return nil
}

// send sends the signed copy of the request of c and inspects the response.
func (s *signer) send(c *call) (*http.Response, roundtrip.Verdict, error) {
	// In this order: what sends the request twice below us is switched off, hooks
	// of the caller are kept from secrets, and then the response is made safe to
	// show before any layer above can see it.
	signed := &c.signed
	isWrite := func() bool { return !safeToRepeat(c.options, okcall.Method(&signed.request)) }
	sent := &signed.request
	if c.isForm && isReplayed(sent) && isWrite() { // sign has done so for other calls
		sent = once(sent)
	}
	if trace := traceToHide(sent.Context()); trace != nil {
		known := c.signed // c must not escape: that would cost each call an allocation
		sent = hideFromTrace(trace, sent, c.request, func(h http.Header) { s.redactHeader(h, &known) })
	}
	c.trace.send(s.Hosts, c)
	resp, _, _, err := sendAttempt(&s.calls, sent, c.options.Timeout(), isWrite)
	if err != nil {
		return nil, roundtrip.Verdict{}, roundtrip.WithContext(sent.Context(), s.redactError(err, *signed))
	}
	return resp, s.inspect(c, resp), nil
}

// inspect makes resp, the response to the signed copy of c, safe to show, and
// returns the verdict about it.
func (s *signer) inspect(c *call, resp *http.Response) roundtrip.Verdict {
	signed := &c.signed
	// http.Client resolves a Location against the URL of resp.Request, and a
	// program may print it: so it must be the caller's, and not the signed copy.
	resp.Request = c.request
	// The memory of this Body is in the signedCopy, see there. One pass over the
	// header finds secrets and the headers of an error.
	signed.body.Wrap(resp)
	s.redactStatus(resp, signed)
	if hasCode := s.redactHeader(resp.Header, signed); !hasCode {
		signed.body.SetNoCode()
	}
	e, failed := okerrors.FromResponse(resp)
	if !failed {
		return roundtrip.Verdict{Inspected: true}
	}
	if signed.keys.token != nil && e.SessionRejected() { // judged by what the API sent
		c.rejected = &rejection{signed.keys, e}
	}
	e = maskError(resp, e, s.secrets(*signed))
	e.Method = okcall.Method(&signed.request) // the form of the caller's request may not be readable
	return roundtrip.Verdict{Inspected: true, Err: e}
}

// A rejectedError is the error of a call that was not sent. It is final: another
// attempt would end in the same way.
type rejectedError struct{ err error }

// reject returns a rejectedError with this text.
func reject(format string, args ...any) error {
	return &rejectedError{fmt.Errorf("okru: "+format, args...)}
}

// terminal returns err as an error that is final.
func terminal(err error) error {
	if roundtrip.IsTerminal(err) {
		return err
	}
	return &rejectedError{err}
}

func (e *rejectedError) Error() string { return e.err.Error() }
func (e *rejectedError) Unwrap() error { return e.err }

// Terminal returns true: [Retry] makes no other attempt.
func (e *rejectedError) Terminal() bool { return true }

// Timeout reports whether the cause is a timeout; [net/url.Error] calls it.
func (e *rejectedError) Timeout() bool { return roundtrip.IsTimeout(e.err) }

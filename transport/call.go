package transport

import (
	"errors"
	"net/http"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/lookahead"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A call is an API call on its way through a Signer.
type call struct {
	request *http.Request
	said    *okcall.Options // by its context: looked up once, since contexts are chains; may be nil
	source  source
	isForm  bool
	form    string // if so
}

// call sends one API call, and once more if its session was refused.
func (s *signer) call(r *http.Request) (*http.Response, error) {
	c := call{request: r, said: okcall.FromContext(r.Context()), isForm: okcall.IsForm(r)}
	c.source = s.source(c.said)
	if c.isForm {
		text, err := formOf(r)
		if err != nil {
			return nil, terminal(err)
		}
		c.form = text
	}
	resp, used, err := s.attempt(&c)
	if used == nil || err != nil {
		return resp, err
	}
	return s.renew(&c, resp, used)
}

// attempt signs c and sends it. It returns the keys it used if the API refused
// their session.
func (s *signer) attempt(c *call) (*http.Response, *keys, error) {
	signed, k, err := s.sign(c)
	if err != nil {
		if !c.isForm { // else formOf has closed it
			roundtrip.CloseRequest(c.request)
		}
		return nil, nil, terminal(err)
	}
	return s.send(c.request, signed, k)
}

// sign returns the signed copy of c and what it was signed with. The scratch of
// a call that is refused is left to the garbage collector.
func (s *signer) sign(c *call) (*signedCopy, *keys, error) {
	p := s.scratch.Get().(*params)
	if err := p.parse(c, s.settings.ApplicationKey); err != nil {
		return nil, nil, err
	}
	k, err := s.keys(c)
	if err != nil {
		return nil, nil, err
	}
	signed := p.sign(c, k)
	s.release(p)
	return signed, k, nil
}

// send sends the copy of r that was signed with k.
func (s *signer) send(r *http.Request, sent *signedCopy, k *keys) (*http.Response, *keys, error) {
	signed := &sent.request
	resp, err := s.Next.RoundTrip(signed)
	if err == nil && resp == nil {
		err = errNeither
	}
	if err != nil {
		roundtrip.Discard(resp) // there should be none
		return nil, nil, s.scrubbed(err, signed, k)
	}
	s.scrubHeaders(resp, signed, k)
	sent.answer.Over(resp)
	resp.Request = signed // its form can be read: an error tells the method
	e, failed := okerrors.FromResponse(resp)
	resp.Request = r
	if !okcall.IsCall(r.URL) {
		lookahead.Mark(resp) // Hosts says that it is one
	}
	if !failed {
		return resp, nil, nil
	}
	refused := k.token != nil && e.SessionRefused() // judged by what the API said
	s.scrubError(e, signed, k)
	if !refused {
		return resp, nil, nil
	}
	return resp, k, nil
}

var errNeither = errors.New("okru: the RoundTripper below the Signer returned neither an answer nor an error")

// renew repeats a call whose session was refused. It returns the refusal if
// there is no newer session, or the body cannot be had again.
func (s *signer) renew(c *call, resp *http.Response, used *keys) (*http.Response, error) {
	r := c.request
	c.source.refused(used.used(), resp)
	fresh, err := c.source.token(r.Context())
	if ctxErr := r.Context().Err(); err != nil && ctxErr != nil {
		roundtrip.Discard(resp)
		return nil, terminal(err)
	}
	if err != nil || used.isOf(fresh) {
		return resp, nil
	}
	again, ok := repeatable(r, c.isForm)
	if !ok {
		return resp, nil
	}
	roundtrip.Discard(resp)
	if s.settings.BeforeRepeat != nil {
		if err := s.settings.BeforeRepeat(r); err != nil {
			roundtrip.CloseRequest(again)
			return nil, terminal(err)
		}
	}
	repeat := call{request: again, said: c.said, source: source{fixed: fresh}, isForm: c.isForm, form: c.form}
	resp, used, err = s.attempt(&repeat)
	if resp != nil {
		resp.Request = r
	}
	if used != nil {
		c.source.refused(used.used(), resp)
	}
	return resp, err
}

// repeatable returns r with a body that was not read yet.
func repeatable(r *http.Request, isForm bool) (*http.Request, bool) {
	if isForm || r.Body == nil || r.Body == http.NoBody {
		return r, true
	}
	if r.GetBody == nil {
		return nil, false
	}
	b, err := r.GetBody()
	if err != nil {
		return nil, false
	}
	again := *r
	again.Body = b
	return &again, true
}

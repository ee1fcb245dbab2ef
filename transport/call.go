package transport

import (
	"errors"
	"net/http"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/apicall"
	"github.com/go-okru/okru/internal/body"
)

// call sends one API call, and once more if its session was refused.
func (s *signer) call(r *http.Request) (*http.Response, error) {
	isForm := apicall.IsForm(r)
	var form string
	if isForm {
		text, err := formOf(r)
		if err != nil {
			return nil, terminal(err)
		}
		form = text
	}
	src := s.source(r)
	resp, used, err := s.attempt(r, src, form, isForm)
	if used == nil || err != nil {
		return resp, err
	}
	return s.renew(r, src, form, isForm, resp, used)
}

// attempt signs r and sends it. It returns the keys it used if the API refused
// their session.
func (s *signer) attempt(r *http.Request, src source, form string, isForm bool) (*http.Response, *keys, error) {
	p := getParams()
	defer p.release()
	err := p.parse(r, form, isForm, s.app)
	var k *keys
	if err == nil {
		k, err = s.keys(r, src)
	}
	if err != nil {
		if !isForm { // else readForm has closed it
			body.CloseRequest(r)
		}
		return nil, nil, terminal(err)
	}
	return s.send(r, p.sign(r, isForm, k), k)
}

// send sends the signed copy of r.
func (s *signer) send(r, signed *http.Request, k *keys) (*http.Response, *keys, error) {
	resp, err := s.Next.RoundTrip(signed)
	if err == nil && resp == nil {
		err = errNeither
	}
	if err != nil {
		body.Discard(resp) // there should be none
		return nil, nil, s.scrubbed(err, signed, k)
	}
	s.scrubHeaders(resp, signed, k)
	resp.Request = signed // its form can be read: an error tells the method
	e, failed := okerrors.FromResponse(resp)
	resp.Request = r
	if !apicall.IsCall(r.URL) {
		apicall.Mark(resp) // Hosts says that it is one
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
func (s *signer) renew(r *http.Request, src source, form string, isForm bool, resp *http.Response, used *keys) (*http.Response, error) {
	src.refused(used.used(), resp)
	fresh, err := src.token(r.Context())
	if ctxErr := r.Context().Err(); err != nil && ctxErr != nil {
		body.Discard(resp)
		return nil, terminal(err)
	}
	if err != nil || used.isOf(fresh) {
		return resp, nil
	}
	again, ok := repeatable(r, isForm)
	if !ok {
		return resp, nil
	}
	body.Discard(resp)
	if s.settings.BeforeRepeat != nil {
		if err := s.settings.BeforeRepeat(r); err != nil {
			body.CloseRequest(again)
			return nil, terminal(err)
		}
	}
	resp, used, err = s.attempt(again, source{fixed: fresh}, form, isForm)
	if resp != nil {
		resp.Request = r
	}
	if used != nil {
		src.refused(used.used(), resp)
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

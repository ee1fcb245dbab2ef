package okerrors

// This file has the layer that makes an API error in a response the error of the
// request.

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// Decode returns a RoundTripper that sends requests through next and returns
// an API error in the response as the error of the request: an [*Error], which
// [http.Client] wraps in an [*net/url.Error] as it does with every error. The
// body of that response is closed. Other responses pass through, their bodies
// as [FromResponse] leaves them.
//
// Decode inspects only responses to API calls: requests for /fb.do,
// /api/GROUP/NAME and /graph/ on one of the Hosts of the transport.Signer or
// transport.Group below. Without one below, the only host is api.ok.ru. Uploads,
// redirect targets and other services behind the same client are left alone; use
// FromResponse for those that respond like the API.
//
// If next is nil, [http.DefaultTransport] is used. Requests are not changed.
// Decode belongs above layers that inspect responses, such as a retry: they
// would see an error instead of a response. The result is safe for concurrent
// use by multiple goroutines if next is.
func Decode(next http.RoundTripper) http.RoundTripper {
	return &decoder{roundtrip.On(next)}
}

// A decoder is the layer that Decode returns.
type decoder struct{ roundtrip.Base }

// RoundTrip implements [http.RoundTripper].
func (d *decoder) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, _, err := d.RoundTripVerdict(r)
	return resp, err
}

// RoundTripVerdict implements [roundtrip.Verdicter].
func (d *decoder) RoundTripVerdict(r *http.Request) (*http.Response, roundtrip.Verdict, error) {
	resp, v, err := d.Send(r)
	if err != nil {
		return nil, v, err
	}
	resp.Request = r
	if !v.Inspected && d.Hosts.IsCall(r.URL) {
		v.Inspected = true
		if e, ok := FromResponse(resp); ok {
			v.Err = e
		}
	}
	if v.Err == nil {
		return resp, v, nil
	}
	roundtrip.Discard(resp)
	if v.MayHaveRun && !errors.Is(v.Err, ErrOutcomeUnknown) {
		return nil, v, &earlierError{v.Err}
	}
	return nil, v, v.Err
}

// An earlierError is an API error of a write of which an earlier attempt may
// have run.
type earlierError struct{ error }

func (e *earlierError) Unwrap() error        { return e.error }
func (e *earlierError) Is(target error) bool { return target == ErrOutcomeUnknown }

// Format implements [fmt.Formatter]. The RoundTripper below may have secrets,
// and is not printed.
func (d *decoder) Format(f fmt.State, _ rune) {
	redact.Format(f, fmt.Sprintf("okerrors.Decode(%T)", d.Next))
}

// MarshalJSON implements [encoding/json.Marshaler], like Format.
func (d *decoder) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprint(d)) }

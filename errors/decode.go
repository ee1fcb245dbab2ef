package okerrors

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/go-okru/okru/internal/lookahead"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// Decode returns a RoundTripper that sends requests through next and returns
// an API error in the answer as the error of the request: an [*Error], which
// [http.Client] wraps in an [*net/url.Error] as it does with every error. The
// answer's body is then closed. Other answers pass through, their bodies as
// [FromResponse] leaves them.
//
// Decode looks only at answers to API calls, that is to what a
// transport.Signer below has signed, to requests for /fb.do, and for
// /api/GROUP/NAME on a host of ok.ru, and at all that a loopback host answers,
// where a fake or a proxy of the API may be. Uploads, redirect targets and
// other services behind the same client are none of its business; use
// FromResponse for those that answer like the API.
//
// If next is nil, [http.DefaultTransport] is used. Requests are not changed.
// Decode belongs outside of layers that look at answers, such as a retry: they
// would see an error instead of an answer. The result is safe for concurrent
// use by multiple goroutines if next is.
func Decode(next http.RoundTripper) http.RoundTripper {
	return &decoder{roundtrip.On(next)}
}

type decoder struct{ roundtrip.Base }

// RoundTrip implements [http.RoundTripper].
func (d *decoder) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.Next.RoundTrip(r)
	if err != nil || resp == nil {
		roundtrip.Discard(resp)
		return nil, err
	}
	resp.Request = r
	if lookahead.IsFine(resp) {
		return resp, nil // as nearly always
	}
	if !isCall(r) && !lookahead.IsMarked(resp) {
		return resp, nil
	}
	if e, ok := FromResponse(resp); ok {
		roundtrip.Discard(resp)
		return nil, e
	}
	return resp, nil
}

func isCall(r *http.Request) bool {
	if r.URL == nil {
		return false
	}
	return okcall.IsCall(r.URL) || okcall.IsLoopback(r.URL.Hostname())
}

// The RoundTripper below may hold secrets and prints itself, if at all.
func (d *decoder) String() string { return fmt.Sprintf("okerrors.Decode(%T)", d.Next) }

// Format implements [fmt.Formatter].
func (d *decoder) Format(f fmt.State, _ rune) { redact.Format(f, d.String()) }

// MarshalJSON implements [encoding/json.Marshaler].
func (d *decoder) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

package roundtrip_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

type send func(*http.Request) (*http.Response, error)

func (f send) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A signer is a RoundTripper that knows the hosts, and returns a verdict.
type signer struct {
	send
	hosts *okcall.Hosts
}

func (s signer) APIHosts() *okcall.Hosts { return s.hosts }

func (s signer) RoundTripVerdict(r *http.Request) (*http.Response, roundtrip.Verdict, error) {
	resp, err := s.send(r)
	return resp, roundtrip.Verdict{Inspected: true}, err
}

// A layer sends through what is below it, and returns either a response or an
// error. A response that comes with an error is closed.
func TestBaseSends(t *testing.T) {
	nothing := send(func(*http.Request) (*http.Response, error) { return nil, nil })
	lost := newBody(1, false)
	for name, test := range map[string]struct {
		next      http.RoundTripper
		inspected bool
		want      string
	}{
		"plain":               {nothing, false, "okru: the RoundTripper below returned neither a response nor an error"},
		"an error":            {send(func(*http.Request) (*http.Response, error) { return nil, errors.ErrUnsupported }), false, errors.ErrUnsupported.Error()},
		"a response":          {send(func(*http.Request) (*http.Response, error) { return new(http.Response), nil }), false, ""},
		"both":                {send(func(*http.Request) (*http.Response, error) { return &http.Response{Body: lost}, errors.ErrUnsupported }), false, errors.ErrUnsupported.Error()},
		"a Verdicter's error": {signer{send: func(*http.Request) (*http.Response, error) { return nil, errors.ErrUnsupported }}, true, errors.ErrUnsupported.Error()},
	} {
		b := roundtrip.On(test.next)
		resp, v, err := b.Send(new(http.Request))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != test.want || (resp == nil) != (err != nil) || v.Inspected != test.inspected {
			t.Errorf("%s: %v, %+v, %v; want the error %q", name, resp, v, err, test.want)
		}
	}
	if lost.closed != 1 {
		t.Errorf("a response that came with an error was closed %d times", lost.closed)
	}
}

// A layer knows the hosts of the Signer below it, at whatever depth.
func TestBaseKnowsTheHosts(t *testing.T) {
	hosts, err := okcall.ParseHosts([]string{"gateway.example"})
	if err != nil {
		t.Fatal(err)
	}
	type layer struct {
		roundtrip.Base
		http.RoundTripper
	}
	below := signer{hosts: hosts}
	for name, test := range map[string]struct {
		next http.RoundTripper
		want *okcall.Hosts
	}{
		"nothing":    {nil, okcall.Default},
		"no Signer":  {send(nil), okcall.Default},
		"a Signer":   {below, hosts},
		"two layers": {layer{Base: roundtrip.On(layer{Base: roundtrip.On(below)})}, hosts},
	} {
		if got := roundtrip.On(test.next).Hosts; got != test.want {
			t.Errorf("%s: the hosts are %v, want %v", name, got, test.want)
		}
	}
	if roundtrip.On(nil).Next != http.DefaultTransport || !roundtrip.On(nil).IsOverTransport() || roundtrip.On(below).IsOverTransport() {
		t.Error("a nil RoundTripper is not http.DefaultTransport")
	}
	if !roundtrip.On(layer{Base: roundtrip.On(nil)}).IsOverTransport() {
		t.Error("a layer hides the http.Transport below it")
	}
}

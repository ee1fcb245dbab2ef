package okru

// This file stacks the layers. NewTransport is the only place that knows all of
// them and their order; NewClient and Wrap put the stack into an http.Client. The
// package comment has the reasons for the order.

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// NewTransport returns the stack of layers that cfg describes, over cfg.Base.
// It sends nothing yet. The error joins all faults of cfg. The RoundTripper is
// safe for concurrent use by multiple goroutines.
func NewTransport(cfg Config) (http.RoundTripper, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	var layers []transport.Middleware
	if cfg.Logger != nil {
		layers = append(layers, func(next http.RoundTripper) http.RoundTripper { return &logger{roundtrip.On(next), cfg.Logger} })
	}
	if !cfg.PassErrors {
		// Above the retry: it would see errors where it judges responses.
		layers = append(layers, okerrors.Decode)
	}
	layers = append(layers, cfg.Retry.Wrap)
	signer := cfg.signer()
	if cfg.Limiter != nil {
		limit := ratelimit.Limit{Limiter: cfg.Limiter, Key: cfg.LimitKey}
		layers = append(layers, limit.Wrap)
		// The limiter is above the Signer and does not see the repeat after a
		// renewal, so the Signer asks it.
		signer.BeforeRepeat = limit.Charge
	}
	attempts, err := cfg.wrapLayers(signer.Wrap(cfg.group().Wrap(cfg.Base)))
	if err != nil {
		return nil, err
	}
	return transport.Chain(attempts, layers...), nil
}

// wrapLayers returns the Layers over signer.
func (cfg Config) wrapLayers(signer http.RoundTripper) (http.RoundTripper, error) {
	rt := signer
	for i, layer := range slices.Backward(cfg.Layers) {
		var made http.RoundTripper
		rt = transport.Chain(rt, func(next http.RoundTripper) http.RoundTripper {
			made = layer(next)
			return made
		})
		if made == nil || roundtrip.IsTypedNil(made) {
			return nil, fmt.Errorf("okru: Layers[%d] returned a nil RoundTripper", i)
		}
		// The Hosts of the stack are one value. A layer whose Unwrap leads to
		// another one, or to none, is above another Signer.
		if roundtrip.HostsBelow(rt) != roundtrip.HostsBelow(signer) {
			return nil, fmt.Errorf("okru: Layers[%d] leads past the stack's transport.Signer: by its Unwrap to another RoundTripper, or to another Signer; it must wrap the RoundTripper that it is given", i)
		}
	}
	return rt, nil
}

// NewClient returns a client whose transport is NewTransport(cfg). It has no
// timeout: give requests a context with a deadline, which costs less than
// http.Client.Timeout does.
//
// The form of a call may have a password, and a redirect with status 307 or 308
// sends the form again. The client therefore does not follow a redirect of a
// call to a host that is not one of Config.Hosts, or to plain http. It returns
// the response that redirects, without an error; [Call] returns it as an
// *[AnswerError]. Other redirects are followed, up to ten requests in all.
func NewClient(cfg Config) (*http.Client, error) {
	rt, err := NewTransport(cfg)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: rt, CheckRedirect: redirectPolicy(roundtrip.HostsBelow(rt))}, nil
}

// redirectPolicy returns the http.Client.CheckRedirect of a client that calls
// hosts.
func redirectPolicy(hosts *okcall.Hosts) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		switch {
		case hosts.Leaves(r, via):
			return http.ErrUseLastResponse
		case len(via) >= 10:
			return errors.New("okru: stopped after 10 redirects")
		}
		return nil
	}
}

// Wrap returns a copy of c whose transport is NewTransport(cfg) over that of
// c. Cookie jar, timeout and redirect policy are kept, and c stays as it is.
// The base of the stack is c.Transport, or cfg.Base if c has none; to set both
// is a fault.
//
// The policy of c, http.Client.CheckRedirect, decides about all redirects. If
// it is nil, net/http follows them, also one that sends the form of a call to
// another host. The Signer adds no session and no signature to that request. It
// returns an error instead of sending it if [Call] sent the call, but a form
// that the program sent by itself arrives there with its password.
func Wrap(c *http.Client, cfg Config) (*http.Client, error) {
	if c == nil {
		return nil, errors.Join(errors.New("okru: Wrap: the client is nil; use NewClient"), cfg.check())
	}
	if c.Transport != nil {
		if cfg.Base != nil {
			return nil, errors.Join(errors.New("okru: Wrap: the client has a Transport, and Config a Base; set one of them"), cfg.check())
		}
		cfg.Base = c.Transport
	}
	rt, err := NewTransport(cfg)
	if err != nil {
		return nil, err
	}
	wrapped := *c
	wrapped.Transport = rt
	return &wrapped, nil
}

package subject

import (
	"net/http"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// Names of subjects that are compared with others.
const (
	Stack        = "okru, whole stack"
	StackLimited = "okru, whole stack, with `ratelimit.Bucket`"
)

const stackJob = Authorizes | Signs | Retries | FindsErrors

func ours() []Subject {
	return []Subject{
		{Name: "`okerrors.Decode`", Ours: true, Job: FindsErrors, New: layers(func(t Target) http.RoundTripper {
			return okerrors.Decode(t.Base)
		})},
		{Name: "`transport.Retry`", Ours: true, Job: Retries, New: layers(func(t Target) http.RoundTripper {
			return transport.Retry{}.Wrap(t.Base)
		})},
		{Name: "`ratelimit.Limit`, `Bucket`", Ours: true, Job: Limits, New: layers(func(t Target) http.RoundTripper {
			return ratelimit.Limit{Limiter: newBucket(t)}.Wrap(t.Base)
		})},
		{Name: "`ratelimit.Limit`, `Keyed`", Ours: true, Job: Limits, New: newKeyed},
		{Name: "`ratelimit.Limit`, `Adaptive`", Ours: true, Job: Limits, New: layers(func(t Target) http.RoundTripper {
			return ratelimit.Limit{Limiter: ratelimit.NewAdaptive(t.Rate, t.Rate)}.Wrap(t.Base)
		})},
		{Name: "`transport.Signer`", Ours: true, Telling: true, Job: Authorizes | Signs, New: layers(func(t Target) http.RoundTripper {
			return newSigner(t).Wrap(t.Base)
		})},
		{Name: Stack, Ours: true, Telling: true, Job: stackJob, New: stack(nil)},
		{Name: StackLimited, Ours: true, Telling: true, Job: stackJob | Limits, New: stack(newBucket)},
	}
}

func newBucket(t Target) ratelimit.Limiter { return ratelimit.NewBucket(t.Rate, 1) }

// newKeyed makes calls of one session out of many: each has a limit of its own.
func newKeyed(t Target) (Call, error) {
	r, err := http.NewRequest(http.MethodGet, t.URL, nil)
	if err != nil {
		return nil, err
	}
	limit := ratelimit.Limit{Limiter: ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return newBucket(t) })}
	r = r.WithContext(transport.WithToken(r.Context(), t.Token))
	return Through(&http.Client{Transport: limit.Wrap(t.Base)}, r), nil
}

func newSigner(t Target) transport.Signer {
	return transport.Signer{
		ApplicationKey:    t.Key,
		ApplicationSecret: t.Secret,
		TokenSource:       oauth.Static(t.Token.AccessToken, ""),
		Hosts:             []string{t.Host},
	}
}

// Signer returns only the layer that signs.
func Signer(t Target) http.RoundTripper { return newSigner(t).Wrap(t.Base) }

// NewStack returns a client with our whole stack; limiter may be nil.
func NewStack(t Target, limiter ratelimit.Limiter) (*http.Client, error) {
	return okru.NewClient(okru.Config{
		ApplicationKey:    t.Key,
		ApplicationSecret: t.Secret,
		TokenSource:       oauth.Static(t.Token.AccessToken, ""),
		Hosts:             []string{t.Host},
		Limiter:           limiter,
		Base:              t.Base,
	})
}

func stack(newLimiter func(Target) ratelimit.Limiter) func(Target) (Call, error) {
	return func(t Target) (Call, error) {
		var limiter ratelimit.Limiter
		if newLimiter != nil {
			limiter = newLimiter(t)
		}
		client, err := NewStack(t, limiter)
		if err != nil {
			return nil, err
		}
		r, err := http.NewRequest(http.MethodGet, t.URL, nil)
		if err != nil {
			return nil, err
		}
		return Through(client, r), nil
	}
}

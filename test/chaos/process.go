package chaos

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// A process is a client with all that a program has of its own: connections,
// retry budget, limiter, and a source of sessions for each person. What
// processes share is the files in which sessions are kept.
type process struct {
	name    string // of its limiter
	client  *http.Client
	network *http.Transport
	sources []oauth2.TokenSource // by person
}

// limiters returns a limiter of each kind, for a process each, by name. There
// is an Adaptive per session, since the server has limits per user: one for all
// users would pause all when one of them is throttled.
func limiters() map[string]ratelimit.Limiter {
	strict := ratelimit.NewBucket(400, 50)
	strict.MaxWait, strict.MaxQueue = 2*time.Second, 500
	return map[string]ratelimit.Limiter{
		"Keyed":    ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewBucket(50, 20) }),
		"Adaptive": ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewAdaptive(2, 0) }),
		"Bucket":   strict,
	}
}

// newProcess returns a process that reaches the server by network, which is
// its own.
func (s *soak) newProcess(network *http.Transport, name string, limiter ratelimit.Limiter) (*process, error) {
	p := &process{name: name, network: network}
	base := around(s.plan.below, &wire{next: elsewhere{network}, tally: &s.tally, witness: &s.witness})
	for _, person := range s.people {
		p.sources = append(p.sources, person.source(s.service.App(), &http.Client{Transport: base}, s.plan.dir, oauth.Options{
			Early:    time.Second,
			CoolDown: 200 * time.Millisecond,
			Timeout:  3 * time.Second,
			OnToken:  func(*oauth2.Token) { s.tally.renewals.Add(1) },
			OnError: func(err error) {
				s.tally.renewalErrors.Add(1)
				s.witness.readError("OnError", err)
			},
		}))
	}
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    s.service.App().Key,
		ApplicationSecret: s.service.App().Secret,
		TokenSource:       p.sources[0],
		Limiter:           limiter,
		Base:              base,
		Retry: transport.Retry{
			MinDelay: 20 * time.Millisecond,
			MaxDelay: 1500 * time.Millisecond,
			OnRetry:  s.onRetry,
		},
	})
	if err != nil {
		return nil, err
	}
	client.Transport = around(s.plan.above, client.Transport)
	p.client = client
	return p, nil
}

// around returns rt inside of the layer, if there is one.
func around(layer transport.Middleware, rt http.RoundTripper) http.RoundTripper {
	if layer == nil {
		return rt
	}
	return layer(rt)
}

// signIn gets the first session of each person.
func (p *process) signIn(ctx context.Context) error {
	for i, ts := range p.sources {
		if err := signIn(ctx, ts); err != nil {
			return fmt.Errorf("person %d: %w", i, err)
		}
	}
	return nil
}

// onRetry sees what calls that succeed in the end went through.
func (s *soak) onRetry(a transport.Attempt) {
	if a.Err != nil {
		s.witness.readError("OnRetry", a.Err)
		return
	}
	s.witness.read("OnRetry", fmt.Sprintf("%+v %+v", a.Response.Header, a.Response.Request.URL))
}

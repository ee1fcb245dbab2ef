package oauth

// This file reports what a Source does to the program, by Options.OnToken and
// Options.OnError, without a secret in an error.

import (
	"errors"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// callHooks calls OnToken and OnError. No lock is held: hooks may use the
// Source.
func (r *renewal) callHooks() {
	s := r.source
	if r.fetched {
		if err := s.callOnToken(r.token); err != nil {
			r.report(err)
		}
	}
	for _, err := range r.errs {
		if panicked := s.callOnError(err); panicked != nil && r.panicked == nil {
			r.panicked = panicked
		}
	}
}

// report keeps err for OnError, and the first panic for the callers as well. The
// hooks are called later, when the store is unlocked: see callHooks.
func (r *renewal) report(err error) {
	_, isPanic := errors.AsType[*panicError](err)
	err = r.redact(err)
	r.errs = append(r.errs, err)
	if isPanic && r.panicked == nil {
		r.panicked = err
	}
}

// redact returns err without the secrets of the sessions that r deals with.
func (r *renewal) redact(err error) error {
	var secrets redact.Secrets
	for _, h := range [...]*session{r.from, r.base} {
		if h != nil {
			secrets = append(secrets, secretsIn(h.token)...)
		}
	}
	if r.token != nil {
		secrets = append(secrets, secretsIn(r.token)...)
	}
	return redactError(err, secrets)
}

// secretsIn returns the secrets of a session.
func secretsIn(t *oauth2.Token) redact.Secrets {
	return redact.Secrets{t.AccessToken, t.RefreshToken, token.Secret(t)}
}

// callOnToken calls OnToken with a copy of t, which the program may modify. It
// returns a panic of it. The caller must not hold s.mu: the hook may use s.
func (s *Source) callOnToken(t *oauth2.Token) error {
	if s.onToken == nil {
		return nil
	}
	own := *t
	return protect(func() error { s.onToken(&own); return nil })
}

// callOnError calls OnError. It returns a panic of it. The caller must not hold
// s.mu: the hook may use s.
func (s *Source) callOnError(err error) error {
	if s.onError == nil {
		return nil
	}
	return protect(func() error { s.onError(err); return nil })
}

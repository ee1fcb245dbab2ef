package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// The texts of the errors of a Source: what it was at, why that failed, and what
// comes next.
func TestErrorTextsOfASource(t *testing.T) {
	old := token("old", "R", 0)
	// rejected returns the error of a Source whose session old was rejected.
	rejected := func(g oauth.Grant, o oauth.Options) error {
		s := oauth.NewSource(g, o)
		s.Replace(nil, old)
		s.Invalidate(old)
		_, err := s.Token()
		return err
	}
	at := func(method string, release chan struct{}, content *oauth2.Token) *deaf {
		return &deaf{memory: newMemory(content), at: method, end: release}
	}
	// heard returns the first error that OnError hears of.
	heard := func(g oauth.Grant, store oauth.Store) error {
		var h hooks
		o := h.options(store)
		o.Timeout = time.Second
		_, _ = oauth.NewSource(g, o).Token()
		return h.errs[0]
	}
	for name, test := range map[string]struct {
		fail func(ctx context.Context, release chan struct{}) error
		want string
	}{
		"signing in": {func(_ context.Context, release chan struct{}) error {
			_, err := oauth.NewSource(&stubborn{hang: release}, oauth.Options{Timeout: time.Second}).Token()
			return err
		}, "okru: sign-in failed: signing in: context deadline exceeded; next attempt in 5s"},
		"renewing": {func(_ context.Context, release chan struct{}) error {
			g := renewFunc(func(context.Context) (*oauth2.Token, error) { <-release; return nil, errNetwork })
			return rejected(g, oauth.Options{Timeout: time.Second})
		}, "okru: sign-in failed: renewing the session: context deadline exceeded; next attempt in 5s"},
		"exchanging": {func(_ context.Context, release chan struct{}) error {
			g := (&endpoint{}).code()
			g.HTTPClient.Transport = transport.Func(func(*http.Request) (*http.Response, error) { <-release; return nil, errNetwork })
			_, err := oauth.NewSource(g, oauth.Options{Timeout: time.Second}).Token()
			return err
		}, "okru: sign-in failed: exchanging the code: context deadline exceeded; next attempt in 5s"},
		"reading": {func(_ context.Context, release chan struct{}) error {
			_, err := oauth.NewSource(numbered(0), oauth.Options{Store: at("Load", release, nil), Timeout: time.Second}).Token()
			return err
		}, "okru: sign-in failed: the session store cannot be read: okru: reading the session store: context deadline exceeded; next attempt in 5s"},
		"locking": {func(_ context.Context, release chan struct{}) error {
			_, err := oauth.NewSource(numbered(0), oauth.Options{Store: at("Lock", release, nil), Timeout: time.Second}).Token()
			return err
		}, "okru: sign-in failed: the session store cannot be locked: okru: locking the session store: context deadline exceeded; next attempt in 5s"},
		"saving": {func(_ context.Context, release chan struct{}) error {
			return heard(numbered(0), at("Save", release, nil))
		}, "okru: the session cannot be saved: okru: saving the session: context deadline exceeded"},
		"unlocking": {func(_ context.Context, release chan struct{}) error {
			return heard(numbered(0), at("unlock", release, nil))
		}, "okru: unlocking the session store: context deadline exceeded"},
		"deleting": {func(_ context.Context, release chan struct{}) error {
			s := oauth.NewSessions(oauth.SessionsOptions{Store: func(string) oauth.Store { return at("Delete", release, old) }, Options: oauth.Options{Timeout: time.Second}})
			return s.Dismiss(context.Background(), "anna")
		}, "okru: deleting the session: context deadline exceeded"},
		"reading before a save": {func(_ context.Context, release chan struct{}) error {
			var h hooks
			o := h.options(at("Load", release, nil))
			o.Timeout = time.Second
			s := oauth.NewSource(nil, o)
			s.Replace(nil, old)
			s.Replace(old, token("new", "", 0))
			time.Sleep(2 * time.Second)
			synctest.Wait()
			return h.errs[0]
		}, "okru: the session store cannot be read: okru: reading the session store: context deadline exceeded"},

		"a caller who has gone": {func(ctx context.Context, _ chan struct{}) error {
			_, err := oauth.NewSource(numbered(0), oauth.Options{}).TokenContext(ctx)
			return err
		}, "okru: waiting for a session: context canceled"},
		"a caller who goes": {func(_ context.Context, release chan struct{}) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, err := oauth.NewSource(&stubborn{hang: release}, oauth.Options{}).TokenContext(ctx)
			return err
		}, "okru: waiting for a session: context deadline exceeded"},

		"recursion": {func(context.Context, chan struct{}) error {
			var s *oauth.Source
			s = oauth.NewSource(grantFunc(func(ctx context.Context) (*oauth2.Token, error) { return s.TokenContext(ctx) }), oauth.Options{})
			_, err := s.Token()
			return err
		}, "okru: sign-in failed: the grant needs the session that it is to obtain: give it an HTTPClient that does not use this source; next attempt in 5s"},
		"abandoned calls": {func(_ context.Context, release chan struct{}) error {
			s := oauth.NewSource(&stubborn{hang: release}, oauth.Options{Timeout: time.Second, CoolDown: -1})
			_, _ = s.Token()
			_, _ = s.Token()
			_, err := s.Token()
			return err
		}, "okru: earlier calls of the grant or the store ignore that their context has ended, and have not returned"},
		"Goexit": {func(context.Context, chan struct{}) error {
			g := grantFunc(func(context.Context) (*oauth2.Token, error) { runtime.Goexit(); return nil, nil })
			_, err := oauth.NewSource(g, oauth.Options{}).Token()
			return err
		}, "okru: sign-in failed: the grant or the store ended its goroutine; next attempt in 5s"},
		"a code twice": {func(context.Context, chan struct{}) error {
			s := oauth.NewSource((&endpoint{status: 502}).code(), oauth.Options{CoolDown: -1})
			_, _ = s.Token()
			_, err := s.Token()
			return err
		}, "okru: sign-in failed: oauth.Code: the code was sent before and is valid once; the user must sign in again"},
		"signed out elsewhere": {func(context.Context, chan struct{}) error {
			m := newMemory(old)
			s := oauth.NewSource(numbered(0), oauth.Options{Store: m})
			_, _ = s.Token()
			m.put(nil)
			s.Invalidate(old)
			_, err := s.Token()
			return err
		}, "okru: sign-in failed: the session is no longer in the store: the user was signed out and must sign in again"},
		"dismissed": {func(context.Context, chan struct{}) error {
			s := oauth.NewSessions(oauth.SessionsOptions{})
			src := s.Source("anna")
			_ = s.Dismiss(context.Background(), "anna")
			_, err := src.Token()
			return err
		}, "okru: sign-in failed: the user was signed out and must sign in again"},
		"refused": {func(context.Context, chan struct{}) error {
			s := oauth.NewSource(unclocked(), oauth.Options{})
			for range 2 {
				got, err := s.Token()
				if err != nil {
					return err
				}
				s.Invalidate(got)
			}
			_, err := s.Token()
			return err
		}, "okru: sign-in failed: new sessions are rejected as well; next attempt in 5s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				release := make(chan struct{})
				if err := test.fail(ctx, release); err == nil || err.Error() != test.want {
					t.Errorf("the error is %v, want %s", err, test.want)
				}
				close(release)
			})
		})
	}
}

// A renewFunc is a grant that is called to renew.
type renewFunc func(context.Context) (*oauth2.Token, error)

func (f renewFunc) Token(context.Context) (*oauth2.Token, error) {
	return nil, errors.New("a renewal would do")
}

func (f renewFunc) Renew(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) { return f(ctx) }

package chaos

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// A person is a user on whose behalf calls are made.
type person struct {
	*oktest.User
	password string
	way      way
	token    *oauth2.Token // as handed out at first
	code     string
}

// A way is how the session of a person is had.
type way int

const (
	byRefresh  way = iota // a refresh token, kept in a file that the clients share
	byMemory              // a refresh token for each client, kept in memory
	byCode                // a code, kept in a file
	byPassword            // login and password
	byHand                // an eternal session with a secret of its own, and nothing to renew it by
	ways       = iota
)

func (w way) String() string {
	return [ways]string{"refresh token in a file", "refresh token in memory", "code", "password", "hand"}[w]
}

// newPerson returns the nth person.
func newPerson(s *service, n int) *person {
	p := &person{password: fmt.Sprintf("correct horse %d/+&=", n), way: way(n % ways)}
	p.User = s.NewUser(fmt.Sprintf("user%d", n), p.password)
	p.token = p.Token()
	if p.way == byHand {
		p.token = p.EternalToken()
	}
	p.code = p.AuthCode(redirectURL)
	for _, secret := range []string{p.password, p.code, p.token.AccessToken, oauth.SessionSecret(p.token), p.token.RefreshToken} {
		if secret != "" {
			s.witness.secrets.add(secret)
		}
	}
	return p
}

// redirectURL is where a browser would bring codes to.
const redirectURL = "https://example.com/signed-in"

// source returns a source of the person's sessions, for one client.
func (p *person) source(app oktest.App, c *http.Client, dir string, o oauth.Options) oauth2.TokenSource {
	refresh := oauth.Refresh{ClientID: app.ID, ClientSecret: app.Secret, RefreshToken: p.token.RefreshToken, HTTPClient: c}
	switch p.way {
	case byHand:
		return oauth.Static(p.token.AccessToken, oauth.SessionSecret(p.token))
	case byPassword:
		return oauth.NewSource(oauth.Password{
			ApplicationKey: app.Key, ApplicationSecret: app.Secret,
			Login: p.Login(), Password: p.password, HTTPClient: c,
		}, o)
	case byCode:
		o.Store = oauth.FileStore(filepath.Join(dir, p.Login()+".json"))
		return oauth.NewSource(oauth.Code{
			ClientID: app.ID, ClientSecret: app.Secret,
			RedirectURL: redirectURL, Code: p.code, HTTPClient: c,
		}, o)
	case byMemory: // with a token that other clients replace, it would lose the session
		refresh.RefreshToken = p.Token().RefreshToken
	case byRefresh:
		o.Store = oauth.FileStore(filepath.Join(dir, p.Login()+".json"))
	}
	return oauth.NewSource(refresh, o)
}

// signIn gets a first session. A code works once, so this is for good weather.
func signIn(ctx context.Context, ts oauth2.TokenSource) error {
	if s, ok := ts.(*oauth.Source); ok {
		_, err := s.TokenContext(ctx)
		return err
	}
	_, err := ts.Token()
	return err
}

package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// The users of a web site. A session is renewed by its own refresh token, and
// ends when the user signs out.
func ExampleSessions() {
	ok := oktest.NewServer(oktest.App{})
	defer ok.Close()
	dir, err := os.MkdirTemp("", "okru")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	sessions := oauth.NewSessions(oauth.SessionsOptions{
		Store: func(key string) oauth.Store { return oauth.FileStore(filepath.Join(dir, key+".json")) },
		Grant: func(string) oauth.Grant {
			return oauth.Refresh{ClientID: ok.App().ID, ClientSecret: ok.App().Secret, HTTPClient: &http.Client{Transport: ok.Transport()}}
		},
	})
	// The user has signed in; the key is that of the browser's cookie.
	source, err := sessions.Admit(ctx, "cookie-1", ok.NewUser("anna", "her password").Token())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same source for each request:", sessions.Source("cookie-1") == source)

	if err := sessions.Dismiss(ctx, "cookie-1"); err != nil { // signed out
		log.Fatal(err)
	}
	_, err = sessions.Source("cookie-1").TokenContext(ctx)
	fmt.Println("must sign in:", errors.Is(err, oauth.ErrSignIn))
	// Output:
	// the same source for each request: true
	// must sign in: true
}

// A bot that was given a refresh token.
func ExampleRefresh() {
	ok := oktest.NewServer(oktest.App{})
	defer ok.Close()
	refreshToken := ok.NewUser("bot", "password").Token().RefreshToken
	source := oauth.NewSource(oauth.Refresh{
		ClientID:     ok.App().ID,
		ClientSecret: ok.App().Secret,
		RefreshToken: refreshToken,
		HTTPClient:   &http.Client{Transport: ok.Transport()},
	}, oauth.Options{})
	for range 3 { // one exchange, however often the session is used
		if _, err := source.Token(); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("exchanges:", len(ok.Exchanges()))
	// Output: exchanges: 1
}

// A program for the user's own machine. Here a function takes the place of the
// browser, and of the user who agrees in it.
func ExampleLoopback() {
	ok := oktest.NewServer(oktest.App{})
	defer ok.Close()
	anna := ok.NewUser("anna", "her password")
	agree := func(page string) error {
		u, err := url.Parse(page)
		if err != nil {
			return err
		}
		redirect, state := u.Query().Get("redirect_uri"), u.Query().Get("state")
		resp, err := http.Get(redirect + "?state=" + url.QueryEscape(state) + "&code=" + anna.AuthCode(redirect))
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	session, err := oauth.Loopback{
		ClientID:     ok.App().ID,
		ClientSecret: ok.App().Secret,
		RedirectURL:  unused() + "/signed-in", // the registered one, such as http://localhost:8910/signed-in
		Open:         agree,                   // leave it out: the browser of the system
		HTTPClient:   &http.Client{Transport: ok.Transport()},
	}.Token(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("renewable:", session.RefreshToken != "")
	// Output: renewable: true
}

// unused returns an address at which no program listens.
func unused() string {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// variable is a Store that keeps a session as long as the process runs.
type variable struct {
	locked  chan struct{} // has an element while the lock is held
	mu      sync.Mutex
	session *oauth2.Token
}

func (v *variable) Load(context.Context) (*oauth2.Token, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.session, nil
}

func (v *variable) Save(_ context.Context, t *oauth2.Token) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.session = t
	return nil
}

func (v *variable) Delete(ctx context.Context) error { return v.Save(ctx, nil) }

func (v *variable) Lock(ctx context.Context) (func(), error) {
	select {
	case v.locked <- struct{}{}:
		return func() { <-v.locked }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A store of one's own, which can delete its session. Package storetest checks
// stores.
func ExampleStore() {
	var store oauth.Store = &variable{locked: make(chan struct{}, 1)}
	_, canDelete := store.(oauth.Deleter)
	source := oauth.NewSource(nil, oauth.Options{Store: store})
	source.Replace(nil, &oauth2.Token{AccessToken: "from elsewhere"})
	stored, err := store.Load(context.Background())
	fmt.Println(canDelete, stored.AccessToken, err)
	// Output: true from elsewhere <nil>
}

// company is a grant that gets sessions from a service of the company.
type company struct{ issued int }

func (c *company) Token(context.Context) (*oauth2.Token, error) {
	c.issued++
	return &oauth2.Token{AccessToken: fmt.Sprint("session ", c.issued)}, nil
}

func (c *company) Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	fmt.Println("instead of", old.AccessToken)
	return c.Token(ctx)
}

// A grant of one's own. A Source caches its sessions and has them renewed.
func ExampleGrant() {
	var grant oauth.Grant = &company{}
	_, renews := grant.(oauth.Renewer)
	source := oauth.NewSource(grant, oauth.Options{})
	first, err := source.Token()
	if err != nil {
		log.Fatal(err)
	}
	source.Invalidate(first) // as a Signer does when the API rejects the session
	second, err := source.Token()
	fmt.Println(renews, second.AccessToken, err)
	// Output:
	// instead of session 1
	// true session 2 <nil>
}

// A session as text, for a store of one's own.
func ExampleMarshalToken() {
	session := (&oauth2.Token{AccessToken: "SK"}).WithExtra(map[string]any{"session_secret_key": "SSK"})
	text, err := oauth.MarshalToken(session)
	if err != nil {
		log.Fatal(err)
	}
	again, err := oauth.UnmarshalToken(text)
	fmt.Println(again.AccessToken, oauth.SessionSecret(again), err)
	_, err = oauth.UnmarshalToken(text[:10])
	fmt.Println(errors.Is(err, oauth.ErrCorrupt))
	// Output:
	// SK SSK <nil>
	// true
}

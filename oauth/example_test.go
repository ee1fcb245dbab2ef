package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// A web server's user has come back from OK with a code. From then on the
// session renews itself, and outlives the server in a file.
func Example() {
	ok := oktest.NewServer(oktest.App{}) // or the real one: leave Base and HTTPClient out
	defer ok.Close()
	anna := ok.NewUser("anna", "her password")
	dir, _ := os.MkdirTemp("", "okru")
	defer os.RemoveAll(dir)

	source := oauth.NewSource(oauth.Code{
		ClientID:     ok.App().ID,
		ClientSecret: ok.App().Secret,
		RedirectURL:  "https://example.org/signed-in",
		Code:         anna.AuthCode("https://example.org/signed-in"),
		HTTPClient:   &http.Client{Transport: ok.Transport()},
	}, oauth.Options{Store: oauth.FileStore(filepath.Join(dir, "anna.json"))})

	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    ok.App().Key,
		ApplicationSecret: ok.App().Secret,
		TokenSource:       source,
		Base:              ok.Transport(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		id, err := okru.Call[string](context.Background(), client, "users.getLoggedInUser", nil)
		fmt.Println("it is Anna:", id == anna.ID(), err)

		session, _ := source.Token()
		ok.Revoke(session.AccessToken) // the next call finds out and renews it
	}
	// Output:
	// it is Anna: true <nil>
	// it is Anna: true <nil>
}

// The handler of the redirect URL. The state was put into a cookie when the
// user was sent to AuthURL.
func ExampleParseRedirect() {
	redirect := func(r *http.Request, state string) {
		code, _, err := oauth.ParseRedirect(r.URL.String(), state)
		switch {
		case errors.Is(err, oauth.ErrState):
			fmt.Println("not our sign-in")
		case errors.Is(err, oauth.ErrDenied):
			fmt.Println("the user said no")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println("exchange", code)
		}
	}
	for _, query := range []string{"code=C1&state=S1", "error=access_denied&state=S1", "code=C2&state=forged"} {
		redirect(&http.Request{URL: &url.URL{Path: "/signed-in", RawQuery: query}}, "S1")
	}
	// Output:
	// exchange C1
	// the user said no
	// not our sign-in
}

func ExampleCode_AuthURL() {
	g := oauth.Code{ClientID: "512000000001", RedirectURL: "https://example.org/signed-in"}
	fmt.Println(g.AuthURL("STATE", oauth.ScopeValuableAccess, oauth.ScopePhotoContent))
	// Output: https://connect.ok.ru/oauth/authorize?client_id=512000000001&redirect_uri=https%3A%2F%2Fexample.org%2Fsigned-in&response_type=code&scope=VALUABLE_ACCESS%3BPHOTO_CONTENT&state=STATE
}

// Implicit goes through OK's pages. What only the user can do, it leaves to
// one.
func ExampleImplicit() {
	ok := oktest.NewServer(oktest.App{})
	defer ok.Close()
	anna := ok.NewUser("anna", "her password")
	g := oauth.Implicit{
		ClientID:   ok.App().ID,
		Login:      "anna",
		Password:   "her password",
		Scopes:     []string{oauth.ScopeValuableAccess},
		HTTPClient: &http.Client{Transport: ok.Transport()},
	}
	session, err := g.Token(context.Background())
	fmt.Println(oauth.SessionSecret(session) != "", err)

	anna.Require(oktest.Captcha)
	_, err = g.Token(context.Background())
	fmt.Println(err)
	if page, ok := errors.AsType[*oauth.PageError](err); ok {
		fmt.Println("see", page.URL())
	}
	fmt.Println(g)
	// Output:
	// true <nil>
	// okru: oauth.Implicit: the user must act at a page of OK (st.cmd=OAuth2Captcha)
	// see https://connect.ok.ru/dk?st.cmd=OAuth2Captcha&st.layout=w
	// oauth.Implicit{ClientID:"512000000001" Login:"anna" Password:"[redacted]" Scopes:"[VALUABLE_ACCESS]" RedirectURL:"" State:"" HTTPClient:"true"}
}

// A Source does not try a wrong password again and again.
func ExampleSource() {
	ok := oktest.NewServer(oktest.App{})
	defer ok.Close()
	ok.NewUser("anna", "her password")
	source := oauth.NewSource(oauth.Password{
		ApplicationKey: ok.App().Key,
		Login:          "anna",
		Password:       "a guess",
		HTTPClient:     &http.Client{Transport: ok.Transport()},
	}, oauth.Options{})
	for range 3 {
		_, err := source.Token()
		fmt.Println(errors.Is(err, oauth.ErrSignIn), errors.Is(err, oauth.ErrCredentials))
	}
	fmt.Println("attempts:", len(ok.Calls()))
	// Output:
	// true true
	// true true
	// true true
	// attempts: 1
}

// Launch parameters, or an eternal token from the settings of the application.
func ExampleStatic() {
	params := url.Values{"session_key": {"SK"}, "session_secret_key": {"SSK"}} // of the request for the app's page
	source := oauth.Static(params.Get("session_key"), params.Get("session_secret_key"))
	session, err := source.Token()
	fmt.Println(session.AccessToken, oauth.SessionSecret(session), err)
	fmt.Println(source)
	// Output:
	// SK SSK <nil>
	// oauth.Static{AccessToken:"[redacted]" SessionSecret:"[redacted]"}
}

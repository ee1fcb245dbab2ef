package main

import (
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// A service is OK, the real one or a fake.
type service struct {
	api   okru.Config
	grant oauth.Code // without what differs between two sign-ins
	pages string     // where browsers find the login pages
	hint  string     // for the user of the program
	close func()
}

const connect = "https://connect.ok.ru"

// newService returns the service that the environment names.
func newService(forceFake bool) service {
	id := os.Getenv("OKRU_APPLICATION_ID")
	if id == "" || forceFake {
		return newFake(oktest.NewServer(oktest.App{}))
	}
	secret := os.Getenv("OKRU_APPLICATION_SECRET")
	return service{
		api:   okru.Config{ApplicationKey: os.Getenv("OKRU_APPLICATION_KEY"), ApplicationSecret: secret},
		grant: oauth.Code{ClientID: id, ClientSecret: secret},
		pages: connect,
		hint:  "The redirect URI must be registered with application " + id + ".",
		close: func() {},
	}
}

// Of the user who can sign in at the fake.
const (
	fakeLogin    = "anna@example.org"
	fakePassword = "her password"
)

func newFake(fake *oktest.Server) service {
	fake.NewUser(fakeLogin, fakePassword)
	app := fake.App()
	return service{
		api: okru.Config{ApplicationKey: app.Key, ApplicationSecret: app.Secret, Base: fake.Transport()},
		grant: oauth.Code{
			ClientID:     app.ID,
			ClientSecret: app.Secret,
			HTTPClient:   &http.Client{Transport: fake.Transport(), Timeout: 30 * time.Second},
		},
		pages: fake.URL(),
		hint: "OK is a fake inside this program; set OKRU_APPLICATION_ID for the real one.\n" +
			"login:        " + fakeLogin + "\npassword:     " + fakePassword,
		close: fake.Close,
	}
}

// authURL returns where a browser begins to sign in.
func (ok service) authURL(grant oauth.Code, state string) string {
	return ok.pages + strings.TrimPrefix(grant.AuthURL(state, oauth.ScopeValuableAccess), connect)
}

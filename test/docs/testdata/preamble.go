package snippet

import (
	"context"
	"net/http"
	"net/url"
	"os"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// The names that snippets may use without declaring them.
var (
	ctx = context.Background()

	// The application, and a fake of OK that knows it. http.DefaultTransport
	// leads to the fake, so a client without a base reaches it.
	clientID          = "512000000001"
	applicationKey    = "CBA…"
	applicationSecret = "…"
	fake              *oktest.Server

	// A user of the fake, and a session of hers with all scopes.
	anna          *oktest.User
	session       *oauth2.Token
	accessToken   string
	sessionSecret string
	refreshToken  string

	// A configuration with her session, and a client of it.
	cfg    okru.Config
	client *http.Client

	params       url.Values
	dir          string                    // a new, empty directory
	redisAddress = os.Getenv("DOCS_REDIS") // of a new, empty Redis
	err          error
)

// begin gives the names their values and returns what ends that.
func begin() (end func()) {
	fake = oktest.NewServer(oktest.App{ID: clientID, Key: applicationKey, Secret: applicationSecret})
	network := http.DefaultTransport
	http.DefaultTransport = okIsFake{network}

	anna = fake.NewUser("anna", "her password")
	session = anna.Token(oauth.ScopeValuableAccess, oauth.ScopePhotoContent, oauth.ScopeGroupContent, oauth.ScopeVideoContent, oauth.ScopeSetStatus)
	accessToken, sessionSecret, refreshToken = session.AccessToken, oauth.SessionSecret(session), session.RefreshToken

	cfg = okru.Config{ApplicationKey: applicationKey, ApplicationSecret: applicationSecret, TokenSource: oauth.Static(accessToken, "")}
	if client, err = okru.NewClient(cfg); err != nil {
		panic(err)
	}
	if dir, err = os.MkdirTemp("", "docs-"); err != nil {
		panic(err)
	}
	return func() {
		_ = os.RemoveAll(dir)
		http.DefaultTransport = network
		fake.Close()
	}
}

// okIsFake is the network, in which OK is the fake and only this machine can be
// reached otherwise.
type okIsFake struct{ network http.RoundTripper }

func (o okIsFake) RoundTrip(r *http.Request) (*http.Response, error) {
	if host := r.URL.Hostname(); host == "127.0.0.1" || host == "localhost" {
		return o.network.RoundTrip(r)
	}
	return fake.Transport().RoundTrip(r)
}

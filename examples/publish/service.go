package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// A service is a group of OK, or of the fake, and a client that may post there.
type service struct {
	client *http.Client
	group  string
}

// credentials are what a program needs to act for a user.
type credentials struct {
	applicationID, applicationKey, applicationSecret string
	refreshToken                                     string // empty: a session is in the state folder
}

// newService returns OK, with the credentials of the environment.
func newService(o options) (service, error) {
	if o.posts == "" || o.group == "" {
		return service{}, errors.New("set -posts and -group")
	}
	c := credentials{
		applicationID:     os.Getenv("OKRU_APPLICATION_ID"),
		applicationKey:    os.Getenv("OKRU_APPLICATION_KEY"),
		applicationSecret: os.Getenv("OKRU_APPLICATION_SECRET"),
		refreshToken:      os.Getenv("OKRU_REFRESH_TOKEN"),
	}
	if c.applicationID == "" || c.applicationSecret == "" {
		return service{}, errors.New("set OKRU_APPLICATION_ID and OKRU_APPLICATION_SECRET too")
	}
	return connect(c, o.group, o.state, nil, transport.Retry{AttemptTimeout: callTimeout})
}

// callTimeout bounds a call, and uploadTimeout an upload. A post that takes
// longer has an unknown outcome.
const (
	callTimeout   = 30 * time.Second
	uploadTimeout = 15 * time.Minute
)

// connect returns a service whose session is in a file of the folder state. base
// is nil, or leads to a fake.
func connect(c credentials, group, state string, base http.RoundTripper, retry transport.Retry) (service, error) {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return service{}, err
	}
	grant := oauth.Refresh{ClientID: c.applicationID, ClientSecret: c.applicationSecret, RefreshToken: c.refreshToken}
	if base != nil {
		grant.HTTPClient = &http.Client{Transport: base}
	}
	source := oauth.NewSource(grant, oauth.Options{Store: oauth.FileStore(filepath.Join(state, "session.json"))})
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: c.applicationKey, ApplicationSecret: c.applicationSecret, TokenSource: source, Retry: retry, Base: base,
	})
	return service{client, group}, err
}

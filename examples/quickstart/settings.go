package main

import (
	"os"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// group is one of the fake's groups; any public one of the real service does.
const group = "54000000000002"

// settings returns the configuration for the service that the environment
// names, what to call it, and how to let go of it.
func settings() (cfg okru.Config, where string, stop func()) {
	if key := os.Getenv("OKRU_APPLICATION_KEY"); key != "" {
		return okru.Config{
			ApplicationKey:    key,
			ApplicationSecret: os.Getenv("OKRU_APPLICATION_SECRET"),
			TokenSource:       oauth.Static(os.Getenv("OKRU_ACCESS_TOKEN"), os.Getenv("OKRU_SESSION_SECRET_KEY")),
		}, "the real api.ok.ru", func() {}
	}
	app := oktest.App{ID: "512000000001", Key: "CBAQUICKSTARTKEY", Secret: "quickstart application secret"}
	fake := oktest.NewServer(app)
	token := fake.NewUser("alice", "password").Token()
	return okru.Config{
		ApplicationKey:    app.Key,
		ApplicationSecret: app.Secret,
		TokenSource:       oauth.Static(token.AccessToken, oauth.SessionSecret(token)),
		Base:              fake.Transport(),
	}, "a fake of api.ok.ru inside this program; set OKRU_APPLICATION_KEY for the real one", fake.Close
}

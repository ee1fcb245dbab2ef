package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// group is one of the fake's groups; any public one of the real service does.
const group = "54000000000002"

// settings returns the configuration for the service that the environment
// names, what to call it, and how to let go of it.
func settings() (cfg okru.Config, where string, stop func(), err error) {
	if os.Getenv("OKRU_APPLICATION_KEY") != "" {
		cfg, err = realService()
		return cfg, "the real api.ok.ru", func() {}, err
	}
	app := oktest.App{ID: "512000000001", Key: "CBAQUICKSTARTKEY", Secret: "quickstart application secret"}
	fake := oktest.NewServer(app)
	token := fake.NewUser("alice", "password").Token()
	return okru.Config{
		ApplicationKey:    app.Key,
		ApplicationSecret: app.Secret,
		TokenSource:       oauth.Static(token.AccessToken, oauth.SessionSecret(token)),
		Base:              fake.Transport(),
	}, "a fake of api.ok.ru inside this program; set OKRU_APPLICATION_KEY for the real one", fake.Close, nil
}

// realService returns the configuration that the environment has, or an
// error that names what is missing.
func realService() (okru.Config, error) {
	cfg := okru.Config{
		ApplicationKey:    os.Getenv("OKRU_APPLICATION_KEY"),
		ApplicationSecret: os.Getenv("OKRU_APPLICATION_SECRET"),
	}
	accessToken, sessionSecret := os.Getenv("OKRU_ACCESS_TOKEN"), os.Getenv("OKRU_SESSION_SECRET_KEY")
	cfg.TokenSource = oauth.Static(accessToken, sessionSecret)
	var missing []string
	if accessToken == "" {
		missing = append(missing, "OKRU_ACCESS_TOKEN")
	}
	if cfg.ApplicationSecret == "" && sessionSecret == "" {
		missing = append(missing, "OKRU_APPLICATION_SECRET or OKRU_SESSION_SECRET_KEY")
	}
	if missing != nil {
		return cfg, fmt.Errorf("to call the real api.ok.ru, set %s too", strings.Join(missing, ", and "))
	}
	return cfg, nil
}

package main

import (
	"os"
	"strconv"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// A service is OK, or a fake of it.
type service struct {
	name   string
	config okru.Config
	ids    []string // of its users, if it makes them up
	stop   func()
}

// newService returns the service that the environment names.
func newService() service {
	key := os.Getenv("OKRU_APPLICATION_KEY")
	if key == "" {
		return newFake()
	}
	return service{
		name: "the real api.ok.ru",
		config: okru.Config{
			ApplicationKey:    key,
			ApplicationSecret: os.Getenv("OKRU_APPLICATION_SECRET"),
			TokenSource:       oauth.Static(os.Getenv("OKRU_ACCESS_TOKEN"), os.Getenv("OKRU_SESSION_SECRET_KEY")),
		},
		stop: func() {},
	}
}

func newFake() service {
	app := oktest.App{ID: "512000000002", Key: "CBABULKKEY", Secret: "bulk application secret"}
	fake := oktest.NewServer(app)
	setWeather(fake)
	token := fake.NewUser("alice", "password").Token()
	return service{
		name: "a fake of api.ok.ru inside this program; set OKRU_APPLICATION_KEY for the real one",
		config: okru.Config{
			ApplicationKey:    app.Key,
			ApplicationSecret: app.Secret,
			TokenSource:       oauth.Static(token.AccessToken, oauth.SessionSecret(token)),
			Base:              fake.Transport(),
		},
		ids:  residents(10_000),
		stop: fake.Close,
	}
}

// residents returns the ids of the first n users that every fake knows.
func residents(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(570_000_000_001 + i)
	}
	return ids
}

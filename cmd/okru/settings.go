package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// settings is what the environment says.
type settings struct {
	applicationID, applicationKey, applicationSecret string
	accessToken, sessionSecret, groupToken           string
	api                                              *url.URL // nil: api.ok.ru
}

// settings reads the environment.
func (a *app) settings() (settings, error) {
	s := settings{
		applicationID:     a.getenv("OKRU_APPLICATION_ID"),
		applicationKey:    a.getenv("OKRU_APPLICATION_KEY"),
		applicationSecret: a.getenv("OKRU_APPLICATION_SECRET"),
		accessToken:       a.getenv("OKRU_ACCESS_TOKEN"),
		sessionSecret:     a.getenv("OKRU_SESSION_SECRET_KEY"),
		groupToken:        a.getenv("OKRU_GROUP_TOKEN"),
	}
	if text := a.getenv("OKRU_API_URL"); text != "" {
		api, err := parseAPI(text)
		if err != nil {
			return s, usage("OKRU_API_URL: %w", err)
		}
		s.api = api
	}
	return s, nil
}

// parseAPI returns the base of the service: https, or http on this machine.
func parseAPI(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("it is not a URL") // err would quote it
	case u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("write it as https://HOST or http://127.0.0.1:PORT, without anything else")
	case u.Scheme == "http" && isLoopback(u.Hostname()), u.Scheme == "https" && !isLoopback(u.Hostname()):
		return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
	}
	return nil, fmt.Errorf("%s of %s: use https, which keeps secrets from others, or http for this machine", u.Scheme, u.Hostname())
}

// isLoopback reports whether host is this machine.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// endpoint returns the base of the service.
func (s settings) endpoint() string {
	if s.api == nil {
		return "https://api.ok.ru"
	}
	return s.api.String()
}

// host returns the host of the service, with its port.
func (s settings) host() string {
	if s.api == nil {
		return "api.ok.ru"
	}
	return s.api.Host
}

// attemptTimeout is how long one attempt of a call may take until its response
// begins. Without it, a service that hangs would hang the command.
const attemptTimeout = 30 * time.Second

// config returns how to call the API with a session, which may be nil.
func (s settings) config(a *app, session oauth2.TokenSource) (okru.Config, error) {
	if s.applicationKey == "" {
		return okru.Config{}, usage("set OKRU_APPLICATION_KEY, the public key of your application; okru fake prints one to try with")
	}
	cfg := okru.Config{
		ApplicationKey:    s.applicationKey,
		ApplicationSecret: s.applicationSecret,
		TokenSource:       session,
		GroupToken:        s.groupToken,
		Retry:             transport.Retry{AttemptTimeout: attemptTimeout},
		Base:              a.base,
	}
	if s.api != nil {
		cfg.Hosts = []string{s.api.Host}
	}
	return cfg, nil
}

// client returns a client that calls the API with a session.
func (s settings) client(a *app, session oauth2.TokenSource) (*http.Client, error) {
	cfg, err := s.config(a, session)
	if err != nil {
		return nil, err
	}
	client, err := okru.NewClient(cfg)
	if err != nil {
		return nil, usage("%w", err)
	}
	return client, nil
}

// session returns the session of the environment or, if it has none, the one
// that okru login has stored, and nil if there is none.
func (s settings) session(a *app) (oauth2.TokenSource, error) {
	if s.accessToken != "" {
		return oauth.Static(s.accessToken, s.sessionSecret), nil
	}
	return s.storedSession(a)
}

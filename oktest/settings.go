package oktest

import (
	"net/http"
	"slices"
	"time"
)

// What OK documents, or was seen to do.
const (
	defaultAccessLifetime  = 30 * time.Minute
	defaultRefreshLifetime = 30 * 24 * time.Hour
	defaultCodeLifetime    = 2 * time.Minute

	// A session with the scope LONG_ACCESS_TOKEN lives this long, and calls
	// prolong it, at most once a day.
	longLifetime     = 30 * 24 * time.Hour
	prolongLongAfter = 24 * time.Hour
)

// Settings is what a [Server] does where the real service was seen to differ
// or can be configured. The zero value is what a newly registered external
// application meets. See [Server.Configure].
type Settings struct {
	// AccessLifetime is how long a new session lasts, from then on code 102.
	// If 0, 30 minutes; if negative, no limit.
	AccessLifetime time.Duration

	// RefreshLifetime is how long a new refresh token lasts. If 0, 30 days;
	// if negative, no limit.
	RefreshLifetime time.Duration

	// CodeLifetime is how long a new authorization code lasts. If 0, 2
	// minutes; if negative, until it is used.
	CodeLifetime time.Duration

	// ExpiresIn is how responses of the token endpoint state the lifetime.
	ExpiresIn ExpiresIn

	// RotateRefresh makes every refresh hand out a new refresh token and end
	// the old one. OK was not seen to do so.
	RotateRefresh bool

	// RefreshGrace is how long, with RotateRefresh, a refresh token works after
	// its first refresh. If 0, not at all. Until then each refresh hands out a
	// new one.
	RefreshGrace time.Duration

	// OAuthErrorStatus is the HTTP status of the errors of the token
	// endpoint. If 0, 400; some were seen to come with 200.
	OAuthErrorStatus int

	// Scopes are those the application may ask for; others that OK knows are
	// silently left out of what is granted, and unknown ones rejected. If nil,
	// it may ask for all but LONG_ACCESS_TOKEN, which OK's support grants.
	Scopes []string

	// RedirectURIs are the registered ones, to which a redirect_uri must be
	// equal, but for what follows a question mark. If empty, every absolute
	// URI without a fragment will do.
	RedirectURIs []string

	// AllowUnsigned accepts calls without a session and without a signature.
	// By default they get code 104, except those of auth.login,
	// auth.anonymLogin and sdk.init.
	AllowUnsigned bool

	// Native states that the application runs inside OK. It may then make some
	// calls without a session for which an external application needs one.
	Native bool

	// APIServer is the api_server in a response of auth.login, which a client
	// must not trust. If empty, it is where the call was sent, such as
	// "https://api.ok.ru/".
	APIServer string

	// WebhookDelay is the time between a delivery to the webhook of a [Bot] that
	// failed and the next one. If 0, 5 seconds, which is assumed; if negative,
	// none.
	WebhookDelay time.Duration

	// WebhookClient delivers the events of webhooks. If nil, each delivery has a
	// connection of its own. Redirects are not followed.
	WebhookClient *http.Client
}

// ExpiresIn is a form of the field expires_in.
type ExpiresIn int

// The forms of expires_in that clients of OK have met.
const (
	ExpiresString ExpiresIn = iota // a string, "1800"
	ExpiresNumber                  // a number, 1800
	ExpiresAbsent                  // no such field
)

// Configure replaces the settings, at any time. What was handed out before
// keeps its lifetime.
func (s *Server) Configure(settings Settings) {
	settings.Scopes = slices.Clone(settings.Scopes)
	settings.RedirectURIs = slices.Clone(settings.RedirectURIs)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings = settings
}

// config returns the settings.
func (s *Server) config() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// ends returns when something that lives for life ends: the zero time is
// never. It lives for usual if life is 0.
func ends(life, usual time.Duration) time.Time {
	switch {
	case life < 0:
		return time.Time{}
	case life == 0:
		life = usual
	}
	return time.Now().Add(life)
}

// ended reports whether the time that ends returned has come.
func ended(at time.Time) bool { return !at.IsZero() && !time.Now().Before(at) }

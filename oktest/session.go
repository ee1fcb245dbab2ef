package oktest

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

// Scope names that mean something to the fake itself.
const (
	scopeValuable = "VALUABLE_ACCESS"
	scopeLong     = "LONG_ACCESS_TOKEN"
	scopeEmail    = "GET_EMAIL"
)

// session is what an access token stands for. What may change is guarded by
// Server.mu.
type session struct {
	token   string
	secret  string // its own, for the client circuit; may be empty
	user    *User  // nil: of the application, as sdk.init makes
	trusted bool   // made with a password: no scope was asked for, all are there

	expires   time.Time // zero: never
	long      bool
	prolonged time.Time
	revoked   bool
	successor *session
}

func newAccessToken() string  { return "-s-" + rand.Text() + "." + rand.Text()[:12] }
func newRefreshToken() string { return rand.Text() + rand.Text() }
func newSecret() string       { return md5Hex(rand.Text()) }

// addSession makes s know a new session, whose lifetime follows from the
// settings. The caller has locked s.mu.
func (s *Server) addSession(user *User, secret string, long bool) *session {
	now := time.Now()
	session := &session{token: newAccessToken(), secret: secret, user: user, long: long, prolonged: now}
	session.expires = ends(s.settings.AccessLifetime, defaultAccessLifetime)
	if long {
		session.expires = now.Add(longLifetime)
	}
	s.sessions[session.token] = session
	return session
}

func (s *Server) sessionOf(token string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[token]
}

func (x *session) userID() string {
	if x.user == nil {
		return ""
	}
	return x.user.id
}

// lifetime returns what is left of x, for expires_in; 0 if it never expires.
func (x *session) lifetime() time.Duration {
	if x.expires.IsZero() {
		return 0
	}
	return time.Until(x.expires).Round(time.Second)
}

// checkSession returns why x is rejected; nil is an unknown session.
func (s *Server) checkSession(x *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case x == nil || x.revoked:
		return usualFailure(okerrors.CodeParamSessionKey)
	case x.successor != nil:
		return replacedError{usualFailure(okerrors.CodeParamSessionKeyChanged), x.successor}
	case ended(x.expires):
		return usualFailure(okerrors.CodeParamSessionExpired)
	}
	return nil
}

// granted reports whether the user of x granted scope.
func (s *Server) granted(x *session, scope string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return x.trusted || x.user != nil && slices.Contains(x.user.granted, scope)
}

// prolong extends a long session by a call, at most once a day.
func (s *Server) prolong(x *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x != nil && x.long && time.Since(x.prolonged) >= prolongLongAfter {
		x.prolong()
	}
}

func (x *session) prolong() {
	x.prolonged = time.Now()
	x.expires = x.prolonged.Add(longLifetime)
}

// Expire ends the session of an access token, as its lifetime would: calls
// with it get code 102 from now on. A refresh token still works.
func (s *Server) Expire(accessToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.sessions[accessToken]; x != nil {
		x.expires = time.Now()
	}
}

// Revoke ends the session of an access token, as OK may at any time: calls
// with it get code 103 from now on. A refresh token still works; see
// [User.Revoke] for all that a user has.
func (s *Server) Revoke(accessToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.sessions[accessToken]; x != nil {
		x.revoked = true
	}
}

// Replace replaces the session of an access token by a new one: calls with the
// old token get code 107 from now on, with the keys of the new session in the
// response. It returns the new access token, or "" if s does not know the old
// one.
func (s *Server) Replace(accessToken string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.sessions[accessToken]
	if old == nil {
		return ""
	}
	old.successor = s.addSession(old.user, newSecret(), old.long)
	old.successor.trusted = old.trusted
	return old.successor.token
}

// grant is what an authorization code or a refresh token stands for.
type grant struct {
	user     *User
	long     bool
	redirect string    // of a code: the redirect_uri it was made for
	expires  time.Time // zero: never
	replaced bool      // a refresh token for which a new one was handed out
	revoked  bool      // a refresh token that was taken back
}

func (s *Server) addCode(user *User, redirect string, long bool) string {
	code := rand.Text()
	s.codes[code] = &grant{user: user, long: long, redirect: redirect, expires: ends(s.settings.CodeLifetime, defaultCodeLifetime)}
	return code
}

func (s *Server) addRefresh(user *User, long bool) string {
	token := newRefreshToken()
	s.refresh[token] = &grant{user: user, long: long, expires: ends(s.settings.RefreshLifetime, defaultRefreshLifetime)}
	return token
}

// hasLong reports whether scopes make a session long.
func hasLong(scopes []string) bool { return slices.Contains(scopes, scopeLong) }

// splitScopes returns the scopes in a list joined by semicolons.
func splitScopes(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ";"), func(scope string) bool { return scope == "" })
}

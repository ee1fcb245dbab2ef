package oktest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
)

// A User is a person who can sign in. [Server.NewUser] makes one. Users are
// safe for concurrent use by multiple goroutines and print without passwords.
type User struct {
	server *Server
	id     string
	login  string

	// Guarded by Server.mu.
	password string
	check    Check
	joined   bool     // uses the application
	granted  []string // scopes, sorted
}

// firstUserID is below the id of the first user.
const firstUserID = 580_000_000_000

// NewUser returns a new user of OK who signs in with login and password. The
// login should differ from those of other users; else the newest counts.
//
// The user has not used the application yet, so that the first sign-in shows
// the consent page, but has granted VALUABLE_ACCESS, so that most methods work
// with any session; see [User.Withdraw]. The first seven residents of the
// fake's world are friends of every user.
func (s *Server) NewUser(login, password string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &User{
		server:   s,
		id:       userID(len(s.users)),
		login:    login,
		password: password,
		granted:  []string{scopeValuable},
	}
	s.users = append(s.users, u)
	return u
}

// ID returns the id of the user, such as "580000000001".
func (u *User) ID() string { return u.id }

// Login returns what the user signs in with.
func (u *User) Login() string { return u.login }

// Grant makes the user agree to scopes, at once and for every session. The
// consent page does not show when a program asks for no others.
func (u *User) Grant(scopes ...string) {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	u.grant(scopes)
}

func (u *User) grant(scopes []string) {
	u.joined = true
	u.granted = append(u.granted, scopes...)
	slices.Sort(u.granted)
	u.granted = slices.Compact(u.granted)
}

// Withdraw takes scopes back, or all of them if none are named: methods that
// need them get code 10 from then on, and the consent page shows again.
func (u *User) Withdraw(scopes ...string) {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	if len(scopes) == 0 {
		u.granted = nil
		u.joined = false
	}
	u.granted = slices.DeleteFunc(u.granted, func(scope string) bool { return slices.Contains(scopes, scope) })
}

// Token signs the user in without any page and grants scopes. It returns a new
// session with all that any flow of OK hands out: an access token, a session
// secret as the extra "session_secret_key", so that both circuits work, and a
// refresh token. With LONG_ACCESS_TOKEN among scopes it is a long session.
func (u *User) Token(scopes ...string) *oauth2.Token {
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	u.grant(scopes)
	x := s.addSession(u, newSecret(), hasLong(scopes))
	t := x.oauth2()
	t.RefreshToken = s.addRefresh(u, x.long)
	return t
}

// EternalToken returns a session that never expires, as the settings of an
// application offer one: with a session secret, without a refresh token.
func (u *User) EternalToken() *oauth2.Token {
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	u.grant(nil)
	x := s.addSession(u, newSecret(), false)
	x.expires = time.Time{}
	return x.oauth2()
}

// AuthCode returns an authorization code, as if the user had gone through the
// pages and had agreed to scopes. redirectURI is what the exchange of the code
// must state.
func (u *User) AuthCode(redirectURI string, scopes ...string) string {
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	u.grant(scopes)
	return s.addCode(u, redirectURI, hasLong(scopes))
}

func (x *session) oauth2() *oauth2.Token {
	t := &oauth2.Token{AccessToken: x.token, TokenType: "session", Expiry: x.expires}
	return t.WithExtra(map[string]any{"session_secret_key": x.secret})
}

// Revoke ends all that the user has with the application: sessions, which get
// code 103 from then on, refresh tokens, codes, and the consent.
func (u *User) Revoke() {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	u.revoke()
	u.joined, u.granted = false, nil
}

// SetPassword changes the password. As on OK, that ends all sessions, refresh
// tokens and codes of the user.
func (u *User) SetPassword(password string) {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	u.password = password
	u.revoke()
}

func (u *User) revoke() {
	s := u.server
	for _, x := range s.sessions {
		x.revoked = x.revoked || x.user == u
	}
	for _, g := range s.refresh {
		g.revoked = g.revoked || g.user == u
	}
	maps.DeleteFunc(s.codes, func(_ string, g *grant) bool { return g.user == u })
	maps.DeleteFunc(s.logins, func(_ string, owner *User) bool { return owner == u })
	maps.DeleteFunc(s.browsers, func(_ string, b *browser) bool { return b.user == u })
}

// String returns the id and the login.
func (u *User) String() string {
	return redact.Show("oktest.User", slog.String("ID", u.id), slog.String("Login", u.login)).String()
}

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (u *User) Format(f fmt.State, _ rune) { redact.Format(f, u.String()) }

// LogValue implements [slog.LogValuer], without the password.
func (u *User) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalJSON returns what String does, as a JSON string.
func (u *User) MarshalJSON() ([]byte, error) { return json.Marshal(u.String()) }

// Check is what OK requires of a user besides login and password.
type Check int

// The checks. A program cannot pass any of them; only [User.Require] lifts it.
const (
	NoCheck    Check = iota
	Captcha          // a captcha page; auth.login answers code 402
	HumanCheck       // a page that asks for a phone number; auth.login answers code 403 and the URL of that page
	Blocked          // a page that reports that the profile is blocked; auth.login answers code 401
)

// Require makes every sign-in of the user, with the right password, end at c.
// Sessions that exist go on.
func (u *User) Require(c Check) {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	u.check = c
}

// checkPages are the names of the pages, the values of st.cmd.
var checkPages = map[Check]string{
	Captcha:    "OAuth2Captcha",
	HumanCheck: "OAuth2PhoneCheck",
	Blocked:    "OAuth2Blocked",
}

// signIn returns the user who has this login and password, or nil. The caller has
// locked s.mu.
func (s *Server) signIn(login, password string) *User {
	for _, u := range slices.Backward(s.users) {
		if u.login != login {
			continue
		}
		if u.password == password {
			return u
		}
		return nil
	}
	return nil
}

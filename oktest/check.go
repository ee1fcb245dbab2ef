package oktest

import "slices"

// Check is what OK wants of a person besides login and password.
type Check int

// The checks. A program cannot pass any of them; only [User.Require] lifts it.
const (
	NoCheck    Check = iota
	Captcha          // a captcha page; auth.login answers code 402
	HumanCheck       // a page that wants a phone number; auth.login answers code 403 and where that page is
	Blocked          // a page that says the profile is blocked; auth.login answers code 401
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

// signIn returns the user who has this login and password, or nil. The caller
// holds s.mu.
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

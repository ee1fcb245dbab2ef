package main

import (
	"net/http"
	"strings"
	"time"
)

const (
	stateCookie   = "weblogin_state"
	visitorCookie = "weblogin_visitor"

	stateLife   = 10 * time.Minute    // for login, password and consent
	visitorLife = 30 * 24 * time.Hour // as long as a refresh token of OK
)

// setState gives the browser the state of a sign-in, sealed.
func (s *site) setState(w http.ResponseWriter, state string) {
	s.setCookie(w, stateCookie, "/back", s.seal.close(stateCookie, state, time.Now().Add(stateLife)), stateLife)
}

// takeState returns the state that the browser was given. It counts once.
func (s *site) takeState(w http.ResponseWriter, r *http.Request) (string, bool) {
	cookie, err := r.Cookie(stateCookie)
	if err != nil {
		return "", false
	}
	s.setCookie(w, stateCookie, "/back", "", 0)
	return s.seal.open(stateCookie, cookie.Value, time.Now())
}

// setVisitor gives the browser the id of a visitor, which is all it takes to
// be that visitor, or takes it away if id is empty.
func (s *site) setVisitor(w http.ResponseWriter, id string) {
	s.setCookie(w, visitorCookie, "/", id, visitorLife)
}

// visitorID returns the id that a browser was given, or "".
func visitorID(r *http.Request) string {
	cookie, err := r.Cookie(visitorCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie sets a cookie that no script sees. SameSite is Lax, not Strict,
// for the browser to send it when OK sends the browser back here.
func (s *site) setCookie(w http.ResponseWriter, name, path, value string, life time.Duration) {
	cookie := &http.Cookie{
		Name:     name,
		Value:    value,
		Path:     path,
		MaxAge:   int(life.Seconds()),
		HttpOnly: true,
		Secure:   strings.HasPrefix(s.public, "https:"),
		SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

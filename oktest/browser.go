package oktest

import (
	"crypto/rand"
	"net/http"
)

// A browser is what a cookie stands for: who is signed in there, and what for.
// It is guarded by Server.mu.
type browser struct {
	id      string
	user    *User
	pending *authorization
	wrong   bool   // login or password was
	keep    bool   // the cookie outlives the program
	csrf    string // of the consent page
}

const (
	cookieName   = "JSESSIONID"
	cookieMaxAge = 30 * 24 * 60 * 60
)

// browserOf returns the browser that r comes from, a new one if it has no
// cookie. The caller holds s.mu.
func (s *Server) browserOf(r *http.Request) *browser {
	if cookie, err := r.Cookie(cookieName); err == nil && s.browsers[cookie.Value] != nil {
		return s.browsers[cookie.Value]
	}
	b := &browser{csrf: rand.Text()}
	s.rename(b)
	return b
}

// rename gives b a new cookie, as is done when somebody signs in.
func (s *Server) rename(b *browser) {
	delete(s.browsers, b.id)
	b.id = rand.Text()
	s.browsers[b.id] = b
}

// withCookie adds the cookie of b to an answer to r.
func (b *browser) withCookie(r *http.Request, a answer) answer {
	cookie := http.Cookie{
		Name:     cookieName,
		Value:    b.id,
		Path:     "/",
		HttpOnly: true,
		Secure:   isReal(r),
		SameSite: http.SameSiteLaxMode,
	}
	if b.keep {
		cookie.MaxAge = cookieMaxAge
	}
	a.header.Add("Set-Cookie", cookie.String())
	return a
}

// proceed sends the browser to where its sign-in goes on. The caller holds
// s.mu.
func (s *Server) proceed(b *browser) answer {
	switch {
	case b.pending == nil:
		return errorPage(http.StatusBadRequest, "Nobody asked to sign in: begin at /oauth/authorize, with cookies allowed.")
	case b.user == nil:
		return toPage(loginPage)
	case b.user.check != NoCheck:
		return toPage(checkPages[b.user.check])
	case !b.pending.consented(b.user):
		return toPage(consentPage)
	}
	done := b.pending
	b.pending = nil
	return s.succeed(b.user, done)
}

func toPage(cmd string) answer { return redirect("/dk?st.cmd=" + cmd + "&st.layout=w") }

package oktest

import (
	"crypto/rand"
	"net/http"
	"net/url"
)

// Values of st.cmd, the pages under /dk. The other ones are checkPages.
const (
	loginPage   = "OAuth2Login"
	consentPage = "OAuth2Permissions"
)

// serveLogin answers /dk: the pages between the authorize page and the
// redirect back.
func (s *Server) serveLogin(r *http.Request) answer {
	c, defect := newRequest(r, LoginPages)
	return s.servePage(c, func() answer {
		if defect != nil {
			return errorPage(http.StatusBadRequest, asAPIError(defect).Message)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		b := s.browserOf(r)
		return b.withCookie(r, s.dialog(b, r.Method == http.MethodPost, c.Params))
	})
}

// dialog shows a page, or takes what was filled in. The caller holds s.mu.
func (s *Server) dialog(b *browser, post bool, p url.Values) answer {
	posted := post && p.Get("fr.posted") == "set"
	switch cmd := p.Get("st.cmd"); {
	case isCheckPage(cmd):
		return showCheck(cmd)
	case b.pending == nil:
		return s.proceed(b)
	case cmd == loginPage && posted:
		return s.login(b, p)
	case cmd == loginPage && b.user == nil:
		return show(loginTemplate, b)
	case cmd == consentPage && b.user != nil && posted:
		return s.consent(b, p)
	case cmd == consentPage && b.user != nil && !b.pending.consented(b.user):
		return show(consentTemplate, b)
	}
	return s.proceed(b)
}

func isCheckPage(cmd string) bool {
	for _, page := range checkPages {
		if page == cmd {
			return true
		}
	}
	return false
}

// login takes the login form.
func (s *Server) login(b *browser, p url.Values) answer {
	b.user = s.signIn(p.Get("fr.email"), p.Get("fr.password"))
	b.wrong = b.user == nil
	b.keep = p.Get("fr.remember") == "on"
	s.rename(b)
	return s.proceed(b)
}

// consent takes the consent form.
func (s *Server) consent(b *browser, p url.Values) answer {
	if p.Get("fr.token") != b.csrf {
		return errorPage(http.StatusForbidden, "The form is not from this page: fr.token is wrong.")
	}
	b.csrf = rand.Text()
	switch {
	case p.Has("button_accept_request"):
		b.user.grant(b.pending.scopes)
		return s.proceed(b)
	case p.Has("button_cancel_request"):
		denied := b.pending
		b.pending = nil
		return denied.refuse("access_denied", "The user denied access")
	}
	return toPage(consentPage)
}

package main

import (
	"crypto/rand"
	"errors"
	"log"
	"net/http"

	"github.com/go-okru/okru/oauth"
)

// signIn sends the browser to OK. The state ties what comes back to this
// browser: only it has the cookie.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	state := rand.Text()
	s.setState(w, state)
	http.Redirect(w, r, s.ok.authURL(s.grant(), state), http.StatusSeeOther)
}

// back is the redirect URI, where OK sends the browser in the end.
func (s *site) back(w http.ResponseWriter, r *http.Request) {
	state, ok := s.takeState(w, r)
	if !ok {
		show(w, http.StatusBadRequest, page{Notice: "This sign-in did not begin here, or too long ago. Please try again."})
		return
	}
	code, _, err := oauth.ParseRedirect(r.URL.RequestURI(), state)
	switch {
	case errors.Is(err, oauth.ErrDenied):
		show(w, http.StatusForbidden, page{Notice: "You did not allow access, so you are not signed in."})
	case err != nil || code == "":
		log.Print("sign-in: ", err)
		show(w, http.StatusBadRequest, page{Notice: "OK did not sign you in. Please try again."})
	default:
		s.admit(w, r, code)
	}
}

// admit turns the code into a session, and the browser into a visitor.
func (s *site) admit(w http.ResponseWriter, r *http.Request, code string) {
	grant := s.grant()
	grant.Code = code
	id, err := s.visitors.admit(r.Context(), grant)
	if err != nil {
		log.Print("sign-in: ", err)
		show(w, http.StatusBadGateway, page{Notice: "OK did not sign you in. Please try again."})
		return
	}
	if old := visitorID(r); old != "" { // signed in before, perhaps as another user
		s.visitors.dismiss(r.Context(), old)
	}
	s.setVisitor(w, id)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *site) grant() oauth.Code {
	grant := s.ok.grant
	grant.RedirectURL = s.redirectURL()
	return grant
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request) {
	s.forget(w, r)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// forget signs the visitor out, if there is one.
func (s *site) forget(w http.ResponseWriter, r *http.Request) {
	if id := visitorID(r); id != "" {
		s.visitors.dismiss(r.Context(), id)
		s.setVisitor(w, "")
	}
}

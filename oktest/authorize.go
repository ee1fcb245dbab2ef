package oktest

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// An authorization is what a program asks a user for at the authorize page.
type authorization struct {
	token    bool     // response_type is token, else it is code
	redirect string   // redirect_uri
	scopes   []string // those asked for that the application may ask for
	state    string
}

// serveAuthorize answers /oauth/authorize, where each sign-in begins.
func (s *Server) serveAuthorize(r *http.Request) response {
	// The official JavaScript SDKs join scopes by a raw semicolon.
	r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, ";", "%3B")
	c, defect := newRequest(r, AuthorizePage)
	return s.servePage(c, func() response {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.authorize(r, c.Params, defect)
	})
}

func (s *Server) authorize(r *http.Request, p url.Values, defect error) response {
	if p.Get("client_id") != s.app.ID {
		rejection := oauthError{"invalid_client", "Unknown client_id: there is no such application"}
		return response{status: http.StatusUnauthorized}.with(jsonType, marshal(rejection))
	}
	if reason := s.badAuthorization(p, defect); reason != "" {
		return errorPage(http.StatusBadRequest, reason)
	}
	asked := authorization{token: p.Get("response_type") == "token", redirect: p.Get("redirect_uri"), state: p.Get("state")}
	for _, scope := range splitScopes(p.Get("scope")) {
		if !slices.Contains(knownScopes, scope) {
			return asked.reject("invalid_scope", "OK has no scope "+strconv.Quote(scope)+": join scopes by semicolons")
		}
		if s.mayAsk(scope) && !slices.Contains(asked.scopes, scope) {
			asked.scopes = append(asked.scopes, scope)
		}
	}
	b := s.browserOf(r)
	b.pending, b.wrong = &asked, false
	return b.withCookie(r, s.proceed(b))
}

// badAuthorization returns why a request cannot be answered by a redirect, or
// "": the address to redirect to is unknown or wrong.
func (s *Server) badAuthorization(p url.Values, defect error) string {
	uri, err := url.Parse(p.Get("redirect_uri"))
	switch name := repeated(p); {
	case defect != nil:
		return "The address cannot be read: " + asAPIError(defect).Message
	case name != "":
		return "The parameter " + name + " comes more than once."
	case err != nil || uri.Scheme == "" || uri.Fragment != "":
		return "redirect_uri must be an absolute URI without a fragment."
	case !s.isRegistered(p.Get("redirect_uri")):
		return "redirect_uri is not registered with the application."
	case p.Get("response_type") != "code" && p.Get("response_type") != "token":
		return "response_type must be code or token."
	}
	return ""
}

func (s *Server) isRegistered(uri string) bool {
	registered := s.settings.RedirectURIs
	return len(registered) == 0 || slices.ContainsFunc(registered, func(r string) bool {
		return withoutQuery(r) == withoutQuery(uri)
	})
}

// knownScopes are the scopes that OK has.
var knownScopes = []string{
	"APP_INVITE", scopeEmail, "GROUP_CONTENT", "LIKE", scopeLong, "MESSAGING", "PHOTO_CONTENT",
	"PUBLISH_NOTE", "PUBLISH_TO_STREAM", "SET_STATUS", scopeValuable, "VIDEO_CONTENT",
}

// mayAsk reports whether the application may ask for scope.
func (s *Server) mayAsk(scope string) bool {
	if s.settings.Scopes == nil {
		return scope != scopeLong
	}
	return slices.Contains(s.settings.Scopes, scope)
}

// consented reports whether the user need not be asked.
func (a *authorization) consented(u *User) bool {
	return u.joined && !slices.ContainsFunc(a.scopes, func(scope string) bool { return !slices.Contains(u.granted, scope) })
}

// succeed sends the user back with a code or a session. The caller has locked
// s.mu.
func (s *Server) succeed(u *User, a *authorization) response {
	if !a.token {
		return a.redirectWith("code", s.addCode(u, a.redirect, hasLong(a.scopes)))
	}
	x := s.addSession(u, newSecret(), hasLong(a.scopes))
	fields := []string{"access_token", x.token, "session_secret_key", x.secret, "permissions_granted", strings.Join(a.scopes, ";")}
	if seconds := int(x.lifetime().Seconds()); seconds > 0 {
		fields = append(fields, "expires_in", strconv.Itoa(seconds))
	}
	return a.redirectWith(fields...)
}

// reject sends the user back with an error.
func (a *authorization) reject(code, description string) response {
	return a.redirectWith("error", code, "error_description", description)
}

// redirectWith sends the user back with these fields, which alternate names
// and values, and the state: in the query for a code, in the fragment for a token.
func (a *authorization) redirectWith(fields ...string) response {
	if a.state != "" {
		fields = append(fields, "state", a.state)
	}
	var text strings.Builder
	for i := 0; i < len(fields); i += 2 {
		text.WriteString("&" + fields[i] + "=" + url.QueryEscape(fields[i+1]))
	}
	mark := "?"
	if a.token {
		mark = "#"
	} else if strings.Contains(a.redirect, "?") {
		mark = "&"
	}
	return redirect(a.redirect + mark + text.String()[1:])
}

func redirect(to string) response {
	a := response{status: http.StatusFound}.with(textType, "")
	a.header.Set("Location", to)
	return a
}

// Values of st.cmd, the pages under /dk. The other ones are checkPages.
const (
	loginPage   = "OAuth2Login"
	consentPage = "OAuth2Permissions"
)

// serveLogin answers /dk: the pages between the authorize page and the
// redirect back.
func (s *Server) serveLogin(r *http.Request) response {
	c, defect := newRequest(r, LoginPages)
	return s.servePage(c, func() response {
		if defect != nil {
			return errorPage(http.StatusBadRequest, asAPIError(defect).Message)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		b := s.browserOf(r)
		return b.withCookie(r, s.dialog(b, r.Method == http.MethodPost, c.Params))
	})
}

// dialog shows a page, or takes what was filled in. The caller has locked s.mu.
func (s *Server) dialog(b *browser, post bool, p url.Values) response {
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
func (s *Server) login(b *browser, p url.Values) response {
	b.user = s.signIn(p.Get("fr.email"), p.Get("fr.password"))
	b.wrong = b.user == nil
	b.keep = p.Get("fr.remember") == "on"
	s.rename(b)
	return s.proceed(b)
}

// consent takes the consent form.
func (s *Server) consent(b *browser, p url.Values) response {
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
		return denied.reject("access_denied", "The user denied access")
	}
	return toPage(consentPage)
}

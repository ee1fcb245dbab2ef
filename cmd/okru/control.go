package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// A control is the control page of a fake.
type control struct {
	srv *oktest.Server
	env []string // of programs that use the fake

	mu     sync.Mutex
	users  map[string]*oktest.User // by login
	faults []string                // as they were asked for
	limits []string
}

func newControl(srv *oktest.Server) *control {
	return &control{srv: srv, users: make(map[string]*oktest.User)}
}

//go:embed control.txt
var controlHelp string

//go:embed control.html
var controlPage string

var controlTemplate = template.Must(template.New("control").Parse(controlPage))

// handler returns the routes of the control page. A page of another site that
// is open in the browser must not use it: that is what CrossOriginProtection
// checks.
func (c *control) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.showPage)
	mux.HandleFunc("GET /help", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(controlHelp)) })
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, c.logins()) })
	mux.Handle("POST /users", action(c.addUser, "login", "password", "scopes"))
	mux.Handle("POST /users/{login}/session", action(c.addSession, "scopes", "eternal"))
	mux.Handle("POST /users/{login}/revoke", action(c.revokeUser))
	mux.Handle("POST /users/{login}/withdraw", action(c.withdraw, "scopes"))
	mux.Handle("POST /users/{login}/require", action(c.require, "check"))
	mux.Handle("POST /sessions/{end}", action(c.endSession, "access_token"))
	mux.Handle("POST /faults", action(c.addFault, faultFields...))
	mux.Handle("DELETE /faults", action(c.clearFaults))
	mux.Handle("POST /faults/clear", action(c.clearFaults)) // forms of a page cannot send DELETE
	mux.Handle("POST /limits", action(c.addLimit, limitFields...))
	mux.Handle("DELETE /limits", action(c.clearLimits))
	mux.Handle("POST /limits/clear", action(c.clearLimits))
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, c.calls()) })
	mux.Handle("DELETE /calls", action(c.forgetCalls))
	mux.Handle("POST /calls/clear", action(c.forgetCalls))
	return http.NewCrossOriginProtection().Handler(mux)
}

// An action is a route that changes something. Its result is sent as JSON, or
// leads a browser back to the page. Forms with other fields than these are
// rejected: a misspelled one would be without effect.
func action(do func(r *http.Request) (any, error), fields ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result, err := runAction(do, r, fields)
		switch {
		case err != nil:
			writeError(w, http.StatusBadRequest, err.Error())
		case strings.Contains(r.Header.Get("Accept"), "text/html"):
			http.Redirect(w, r, "/", http.StatusSeeOther)
		default:
			writeJSON(w, http.StatusOK, result)
		}
	})
}

// runAction runs an action if the form has no other fields.
func runAction(do func(r *http.Request) (any, error), r *http.Request, fields []string) (any, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	for name := range r.PostForm {
		if !slices.Contains(fields, name) {
			return nil, fmt.Errorf("there is no field %s; the fields are %s", name, strings.Join(fields, ", "))
		}
	}
	return do(r)
}

// showPage shows the page for browsers.
func (c *control) showPage(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	faults, limits := slices.Clone(c.faults), slices.Clone(c.limits)
	c.mu.Unlock()
	calls := c.calls()
	slices.Reverse(calls)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = controlTemplate.Execute(w, map[string]any{
		"Environment": c.env, "Users": c.logins(), "Faults": faults, "Limits": limits,
		"Calls": calls[:min(len(calls), 100)], "Help": controlHelp,
	})
}

// calls returns the journal.
func (c *control) calls() []oktest.Call {
	calls := slices.Concat(c.srv.Calls(), c.srv.Exchanges(), c.srv.Uploads())
	slices.SortStableFunc(calls, func(a, b oktest.Call) int { return a.Time.Compare(b.Time) })
	return calls
}

func (c *control) forgetCalls(*http.Request) (any, error) {
	c.srv.ForgetCalls()
	return true, nil
}

// A session is a session of the fake, with all that a program may need.
type session struct {
	Login         string `json:"login"`
	UserID        string `json:"user_id"`
	AccessToken   string `json:"access_token"`
	SessionSecret string `json:"session_secret_key"`
	RefreshToken  string `json:"refresh_token,omitempty"`
}

func newSession(u *oktest.User, t *oauth2.Token) session {
	return session{u.Login(), u.ID(), t.AccessToken, oauth.SessionSecret(t), t.RefreshToken}
}

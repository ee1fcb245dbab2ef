package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-okru/okru/oktest"
)

// newUser adds a user and returns a session of the user's.
func (c *control) newUser(login, password string, scopes []string) session {
	u := c.srv.NewUser(login, password)
	c.mu.Lock()
	c.users[login] = u
	c.mu.Unlock()
	return newSession(u, u.Token(scopes...))
}

// logins returns the logins of the users with their ids.
func (c *control) logins() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := make(map[string]string)
	for login, u := range c.users {
		ids[login] = u.ID()
	}
	return ids
}

func (c *control) addUser(r *http.Request) (any, error) {
	login, password := r.PostForm.Get("login"), r.PostForm.Get("password")
	if login == "" || password == "" {
		return nil, errors.New("a user needs a login and a password")
	}
	if _, exists := c.logins()[login]; exists {
		return nil, fmt.Errorf("there is a user %s already", login)
	}
	return c.newUser(login, password, scopesOf(r)), nil
}

// user returns the user whom the path names.
func (c *control) user(r *http.Request) (*oktest.User, error) {
	login := r.PathValue("login")
	c.mu.Lock()
	defer c.mu.Unlock()
	if u := c.users[login]; u != nil {
		return u, nil
	}
	return nil, fmt.Errorf("there is no user %s", login)
}

func (c *control) addSession(r *http.Request) (any, error) {
	u, err := c.user(r)
	if err != nil {
		return nil, err
	}
	if r.PostForm.Has("eternal") {
		u.Grant(scopesOf(r)...)
		return newSession(u, u.EternalToken()), nil
	}
	return newSession(u, u.Token(scopesOf(r)...)), nil
}

func (c *control) revokeUser(r *http.Request) (any, error) {
	u, err := c.user(r)
	if err == nil {
		u.Revoke()
	}
	return true, err
}

func (c *control) withdraw(r *http.Request) (any, error) {
	u, err := c.user(r)
	if err == nil {
		u.Withdraw(scopesOf(r)...)
	}
	return true, err
}

// checks are what a sign-in may require, by name.
var checks = map[string]oktest.Check{
	"none": oktest.NoCheck, "captcha": oktest.Captcha, "human": oktest.HumanCheck, "blocked": oktest.Blocked,
}

func (c *control) require(r *http.Request) (any, error) {
	u, err := c.user(r)
	if err != nil {
		return nil, err
	}
	check, err := oneOf(checks, "check", r.PostForm.Get("check"))
	if err == nil {
		u.Require(check)
	}
	return true, err
}

// endSession expires, revokes or replaces a session. The new session that
// replaces one is only in the responses with code 107, as on OK.
func (c *control) endSession(r *http.Request) (any, error) {
	ends := map[string]func(string){
		"expire":  c.srv.Expire,
		"revoke":  c.srv.Revoke,
		"replace": func(token string) { c.srv.Replace(token) },
	}
	end, err := oneOf(ends, "the end of the path", r.PathValue("end"))
	if err != nil {
		return nil, err
	}
	token := r.PostForm.Get("access_token")
	if token == "" {
		return nil, errors.New("access_token is missing")
	}
	end(token)
	return true, nil
}

// scopesOf returns the field scopes, joined by commas or spaces.
func scopesOf(r *http.Request) []string {
	return strings.FieldsFunc(r.PostForm.Get("scopes"), func(c rune) bool { return c == ',' || c == ' ' || c == ';' })
}

// oneOf returns the choice of this name.
func oneOf[T any](choices map[string]T, what, name string) (T, error) {
	choice, ok := choices[name]
	if !ok {
		return choice, fmt.Errorf("%s is %q, and must be one of %s", what, name, strings.Join(slices.Sorted(maps.Keys(choices)), ", "))
	}
	return choice, nil
}

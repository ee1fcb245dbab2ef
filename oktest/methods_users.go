package oktest

import (
	"encoding/json"
	"slices"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
)

func (c *apiCall) usersGetCurrentUser() (any, error) {
	u, err := c.needSession()
	if err != nil {
		return nil, err
	}
	p := u.person()
	all := p.profile()
	if p.email != "" && c.server.granted(c.session, scopeEmail) {
		all["email"] = p.email
	}
	return c.fieldsOf(all, "uid", "first_name", "last_name", "name", "gender", "birthday", "locale", "location", "email", "has_email", "pic_1"), nil
}

func (c *apiCall) usersGetInfo() (any, error) {
	ids, err := c.needIDs("uids")
	if err != nil {
		return nil, err
	}
	found := []any{}
	for _, id := range ids {
		if p, ok := c.server.findPerson(id); ok {
			found = append(found, c.fieldsOf(p.profile(), "uid", "first_name", "last_name", "name", "gender"))
		}
	}
	return found, nil
}

func (c *apiCall) usersGetLoggedInUser() (any, error) {
	u, err := c.needSession()
	if err != nil {
		return nil, err
	}
	return u.id, nil
}

// userInQuestion is the user that the parameter uid names, or else that of the
// session.
func (c *apiCall) userInQuestion() (*User, error) {
	id := c.Params.Get("uid")
	if id == "" {
		if u, err := c.needSession(); err == nil {
			return u, nil
		}
		return nil, fail(okerrors.CodeParam, "Either session_key or uid must be specified")
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for _, u := range c.server.users {
		if u.id == id {
			return u, nil
		}
	}
	return nil, fail(okerrors.CodeNotFound, "No such user")
}

func (c *apiCall) usersIsAppUser() (any, error) {
	u, err := c.userInQuestion()
	if err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return u.joined, nil
}

func (c *apiCall) usersHasAppPermission() (any, error) {
	scope, err := c.needParam("ext_perm")
	if err != nil {
		return nil, err
	}
	u, err := c.userInQuestion()
	if err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return slices.Contains(u.granted, strings.ToUpper(scope)), nil
}

func (c *apiCall) usersRemoveAppPermissions() (any, error) {
	u, err := c.userInQuestion()
	if err != nil {
		return nil, err
	}
	u.Withdraw()
	return true, nil
}

func (c *apiCall) usersGetCallsLeft() (any, error) {
	list, err := c.needParam("methods")
	if err != nil {
		return nil, err
	}
	type callsLeft struct {
		Name      string `json:"name"`
		CallsLeft int    `json:"callsLeft"`
		Available bool   `json:"available"`
	}
	left := []callsLeft{}
	for _, name := range splitList(list) {
		left = append(left, callsLeft{name, 10_000, true})
	}
	return left, nil
}

func (c *apiCall) usersSetStatus() (any, error) {
	if _, err := c.needParam("status"); err != nil {
		return nil, err
	}
	return true, nil
}

func (c *apiCall) friendsGet() (any, error) {
	if _, err := c.needSession(); err != nil {
		return nil, fail(okerrors.CodeParam, "Either session_key or uid must be specified")
	}
	return friends(), nil
}

// friends returns the friends that every user has.
func friends() []string {
	ids := make([]string, friendsOfUser)
	for i := range ids {
		ids[i] = residentID(i)
	}
	return ids
}

func (c *apiCall) friendsAreFriends() (any, error) {
	first, err := c.needIDs("uids1")
	if err != nil {
		return nil, err
	}
	second, err := c.needIDs("uids2")
	if err != nil {
		return nil, err
	}
	if len(first) != len(second) {
		return nil, failParam("uids2", "uids1 and uids2 must have as many ids")
	}
	type pair struct {
		First      string `json:"uid1"`
		Second     string `json:"uid2"`
		AreFriends bool   `json:"are_friends"`
	}
	pairs := []pair{}
	for i := range first {
		pairs = append(pairs, pair{first[i], second[i], c.server.areFriends(first[i], second[i])})
	}
	return pairs, nil
}

func (s *Server) areFriends(a, b string) bool {
	one, ok1 := s.findPerson(a)
	two, ok2 := s.findPerson(b)
	if !ok1 || !ok2 || one.resident == two.resident {
		return false
	}
	return slices.Contains(friends(), a) || slices.Contains(friends(), b)
}

func (c *apiCall) eventsGet() (any, error) {
	return json.RawMessage(`[{"type":"MESSAGES","number":2,"message":"2 new messages"},` +
		`{"type":"MARKS","number":0,"message":""},{"type":"GUESTS","number":5,"message":"5 guests"}]`), nil
}

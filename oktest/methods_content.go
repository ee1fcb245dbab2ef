package oktest

import (
	"cmp"
	"strconv"

	okerrors "github.com/go-okru/okru/errors"
)

func (c *apiCall) groupGetInfo() (any, error) {
	ids, err := c.needIDs("uids")
	if err != nil {
		return nil, err
	}
	found := []any{}
	for _, id := range ids {
		if g, ok := findGroup(id); ok {
			all := map[string]any{"uid": g.id, "name": g.name, "description": g.description, "members_count": g.members}
			found = append(found, c.fieldsOf(all, "uid", "name", "description", "members_count"))
		}
	}
	return found, nil
}

type member struct {
	UserID string `json:"userId"`
}

// page is a page of members. OK writes null for an empty list.
type memberPage struct {
	Members []member `json:"members"`
	Anchor  string   `json:"anchor,omitempty"`
	HasMore bool     `json:"has_more"`
}

func (c *apiCall) groupGetMembers() (any, error) {
	id, err := c.needParam("uid")
	if err != nil {
		return nil, err
	}
	g, ok := findGroup(id)
	if !ok {
		return nil, fail(okerrors.CodeParamGroupID, "No such group")
	}
	count, err := strconv.Atoi(cmp.Or(c.Params.Get("count"), "100"))
	if err != nil || count < 1 || count > maxIDs {
		return nil, failParam("count", "count must be between 1 and 100")
	}
	first, err := strconv.Atoi(cmp.Or(c.Params.Get("anchor"), "0"))
	if err != nil || first < 0 || first > g.members {
		return nil, failParam("anchor", "Invalid anchor")
	}
	return g.page(first, min(first+count, g.members)), nil
}

func (g group) page(first, end int) memberPage {
	page := memberPage{Anchor: strconv.Itoa(end), HasMore: end < g.members}
	for i := first; i < end; i++ {
		page.Members = append(page.Members, member{residentID(i)})
	}
	return page
}

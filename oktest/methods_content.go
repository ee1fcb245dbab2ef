package oktest

import (
	"cmp"
	"encoding/json"
	"slices"
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

// mediatopicPost returns the id of a new topic.
func (c *apiCall) mediatopicPost() (any, error) {
	attachment, err := c.needParam("attachment")
	if err != nil {
		return nil, err
	}
	if reason := wrongAttachment(attachment); reason != "" {
		return nil, failParam("attachment", reason)
	}
	return c.server.nextID(), nil
}

// mediaFields are the types of media that OK documents, with the field that
// each requires. The field may be a text or a list.
var mediaFields = map[string]string{
	"text": "text", "link": "url", "photo": "list", "movie": "list", "music": "tracks", "poll": "question",
	"app": "text", "topic": "topicId", "movie-reshare": "movieId", "photo-reshare": "photoId",
}

// wrongAttachment returns what is wrong with the attachment of a mediatopic,
// or "".
func wrongAttachment(text string) string {
	var attachment struct{ Media []map[string]any }
	switch err := json.Unmarshal([]byte(text), &attachment); {
	case err != nil:
		return "attachment is not a JSON object with a list media"
	case len(attachment.Media) == 0:
		return "attachment has no media"
	}
	for _, media := range attachment.Media {
		kind, _ := media["type"].(string)
		field, ok := mediaFields[kind]
		if !ok {
			return "Unknown type of media " + strconv.Quote(kind)
		}
		if isEmpty(media[field]) {
			return "Media of type " + kind + " has no " + field
		}
		if list, ok := media[field].([]any); ok && kind == "photo" && slices.ContainsFunc(list, withoutID) {
			return "A photo has no id"
		}
	}
	return ""
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	}
	return value == nil
}

// withoutID reports whether a photo has neither the token of an upload nor the
// id of a photo that is on OK.
func withoutID(photo any) bool {
	fields, _ := photo.(map[string]any)
	return isEmpty(fields["id"]) && isEmpty(fields["photoId"]) && isEmpty(fields["existing_photo_id"])
}

// nextID returns the id of something new.
func (s *Server) nextID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	return strconv.FormatInt(66_000_000_000_000+s.lastID, 10)
}

// videoUpdate is documented to return nothing.
func (c *apiCall) videoUpdate() (any, error) {
	if _, err := c.needParam("vid"); err != nil {
		return nil, err
	}
	return json.RawMessage(nil), nil
}

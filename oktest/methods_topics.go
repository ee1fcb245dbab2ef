package oktest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// topicTypes are the values of the parameter type of mediatopic.post that OK
// documents, with whether the topic is in a group.
var topicTypes = map[string]bool{
	"USER": false, "USER_STATUS": false, "USER_NOTE": false,
	"GROUP_THEME": true, "GROUP_THEME_PROMO": true, "GROUP_SUGGESTED": true,
}

// scopesOfParams returns the scopes that a call needs because of its parameters.
func (c *apiCall) scopesOfParams() (scopes []string) {
	if c.Method != "mediatopic.post" {
		return nil
	}
	kind := c.Params.Get("type")
	if c.Params.Get("gid") != "" {
		scopes = append(scopes, "GROUP_CONTENT")
	}
	if kind == "USER_STATUS" || c.Params.Get("set_status") == "true" {
		scopes = append(scopes, "SET_STATUS")
	}
	if kind == "USER_NOTE" {
		scopes = append(scopes, "PUBLISH_NOTE")
	}
	return scopes
}

// mediatopicPost returns the id of a new topic. Every user may post in every
// group.
func (c *apiCall) mediatopicPost() (any, error) {
	attachment, err := c.needParam("attachment")
	if err != nil {
		return nil, err
	}
	gid, err := c.topicGroup()
	if err != nil {
		return nil, err
	}
	blocks, reason := parseAttachment(attachment)
	if reason != "" {
		return nil, failParam("attachment", reason)
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &topic{Topic: Topic{GroupID: gid, UserID: cmp.Or(c.UserID, c.Params.Get("uid")), Created: time.Now()}, blocks: blocks}
	for _, block := range blocks {
		if err := t.add(&s.media, block); err != nil {
			return nil, err
		}
	}
	t.ID = s.newID()
	s.media.topics = append(s.media.topics, t)
	return t.ID, nil
}

// topicGroup returns the group to post in, or "". A gid and the type of a
// topic in a group need each other.
func (c *apiCall) topicGroup() (string, error) {
	gid, err := c.optionalGroup()
	if err != nil {
		return "", err
	}
	kind := c.Params.Get("type")
	inGroup, known := topicTypes[kind]
	switch {
	case kind != "" && !known:
		return "", failParam("type", "Unknown type "+strconv.Quote(kind))
	case gid != "" && !inGroup:
		return "", failParam("type", "With gid the type must be GROUP_THEME or GROUP_THEME_PROMO")
	case gid == "" && inGroup:
		return "", failParam("gid", "Type "+kind+" needs a gid")
	}
	return gid, nil
}

// add adds what a block of an attachment shows. The caller has locked
// Server.mu.
func (t *topic) add(m *media, block map[string]any) error {
	list, _ := block["list"].([]any)
	switch block["type"] {
	case "text":
		t.Texts = append(t.Texts, block["text"].(string))
	case "link":
		t.Links = append(t.Links, block["url"].(string))
	case "photo":
		return t.addPhotos(m, list)
	case "movie":
		return t.addVideos(m, list)
	}
	return nil
}

// addPhotos adds those photos that were uploaded for the topic. A photo that is
// on OK already may be one that the fake does not know.
func (t *topic) addPhotos(m *media, list []any) error {
	for _, item := range list {
		token := idOf(item, "id")
		if token == "" {
			continue
		}
		p := m.photoOfToken(token)
		if p == nil && m.photo(token) != nil {
			return failParam("attachment", "The id of a photo must be the token that the upload returned, not the photo id")
		}
		if p == nil || p.AssignedID != "" {
			return failParam("attachment", "A photo has an unknown token, or it was committed")
		}
		t.Photos = append(t.Photos, p.Photo)
	}
	return nil
}

func (t *topic) addVideos(m *media, list []any) error {
	for _, item := range list {
		v, err := m.uploadedVideo(idOf(item, "id"), "attachment")
		if err != nil {
			return err
		}
		t.Videos = append(t.Videos, v.public())
	}
	return nil
}

// idOf returns a field of an item that is a text or a number, or "".
func idOf(item any, name string) string {
	fields, _ := item.(map[string]any)
	switch id := fields[name].(type) {
	case string:
		return id
	case json.Number:
		return id.String()
	}
	return ""
}

// groupGetStatTopics lists the topics of a group, the newest first. OK does not
// document the order, the default and the bound of count, and what is listed
// without fields.
func (c *apiCall) groupGetStatTopics() (any, error) {
	gid, err := c.needParam("gid")
	if err != nil {
		return nil, err
	}
	if _, err := c.optionalGroup(); err != nil {
		return nil, err
	}
	count, err := c.number("count", 10)
	if err != nil || count < 1 || count > maxIDs {
		return nil, failParam("count", "count must be between 1 and 100")
	}
	begin, err1 := c.number("start_time", 0)
	end, err2 := c.number("end_time", time.Now().UnixMilli())
	if err1 != nil || err2 != nil {
		return nil, failParam("start_time", "start_time and end_time must be milliseconds since 1970")
	}
	topics, err := c.server.topicsAfter(gid, c.Params.Get("anchor"))
	if err != nil {
		return nil, err
	}
	topics = slices.DeleteFunc(topics, func(t *topic) bool { at := t.Created.UnixMilli(); return at < begin || at > end })
	return c.topicPage(topics, int(count)), nil
}

// number returns a parameter that is a number, or usual if there is none.
func (c *apiCall) number(name string, usual int64) (int64, error) {
	if !c.Params.Has(name) {
		return usual, nil
	}
	return strconv.ParseInt(c.Params.Get(name), 10, 64)
}

// topicsAfter returns the topics of a group, the newest first, that follow the
// one with the id anchor, or all if that is empty.
func (s *Server) topicsAfter(gid, anchor string) ([]*topic, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var topics []*topic
	for _, t := range slices.Backward(s.media.topics) {
		if t.GroupID == gid {
			topics = append(topics, t)
		}
	}
	if anchor == "" {
		return topics, nil
	}
	i := slices.IndexFunc(topics, func(t *topic) bool { return t.ID == anchor })
	if i < 0 {
		return nil, failParam("anchor", "Invalid anchor")
	}
	return topics[i+1:], nil
}

// topicPage is a page of group.getStatTopics. OK writes null for an empty list.
func (c *apiCall) topicPage(topics []*topic, count int) map[string]any {
	page := map[string]any{"topics": []map[string]any(nil), "has_more": len(topics) > count}
	var list []map[string]any
	for _, t := range topics[:min(len(topics), count)] {
		list = append(list, c.fieldsOf(map[string]any{
			"id": t.ID, "created_ms": t.Created.UnixMilli(), "likes": 0, "comments": 0, "reshares": 0,
		}, "id", "created_ms"))
		page["topics"], page["anchor"] = list, t.ID
	}
	return page
}

// maxMediaLimit bounds media_limit, which several topics at once require.
const maxMediaLimit = 3

// mediatopicGetByIDs returns topics with their media. The form of photos and
// videos in them is assumed.
func (c *apiCall) mediatopicGetByIDs() (any, error) {
	ids, err := c.needIDs("topic_ids")
	if err != nil {
		return nil, err
	}
	limit, err := c.number("media_limit", 0)
	if err != nil || limit < 0 || limit > maxMediaLimit || limit == 0 && (len(ids) > 1 || c.Params.Has("media_limit")) {
		return nil, failParam("media_limit", fmt.Sprintf("media_limit must be between 1 and %d, and is required for several topics", maxMediaLimit))
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	var topics []map[string]any
	for _, id := range ids {
		if t := s.media.topic(id); t != nil {
			topics = append(topics, c.beanFields("media_topic", t.bean(int(limit))))
		}
	}
	return map[string]any{"media_topics": topics, "entities": map[string]any{}}, nil
}

// bean returns all fields of t, with at most limit blocks, or all if that is 0.
func (t *topic) bean(limit int) map[string]any {
	blocks := t.blocks
	if limit > 0 {
		blocks = blocks[:min(limit, len(blocks))]
	}
	owner := "user:" + t.UserID
	if t.GroupID != "" {
		owner = "group:" + t.GroupID
	}
	return map[string]any{
		"id": t.ID, "created_ms": t.Created.UnixMilli(), "author_ref": "user:" + t.UserID, "owner_ref": owner,
		"media": t.readable(blocks),
	}
}

// readable returns blocks without the tokens of photos, which are secrets of
// the user who has posted them.
func (t *topic) readable(blocks []map[string]any) []map[string]any {
	var media []map[string]any
	for _, block := range blocks {
		switch block["type"] {
		case "photo":
			block = map[string]any{"type": "photo", "photo_refs": refs("group_photo:", t.Photos, func(p Photo) string { return p.ID })}
		case "movie":
			block = map[string]any{"type": "movie", "movie_refs": refs("video:", t.Videos, func(v Video) string { return v.ID })}
		}
		media = append(media, block)
	}
	return media
}

func refs[T any](prefix string, items []T, id func(T) string) (list []string) {
	for _, item := range items {
		list = append(list, prefix+id(item))
	}
	return list
}

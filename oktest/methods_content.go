package oktest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	if !json.Valid([]byte(attachment)) {
		return nil, failParam("attachment", "attachment is not JSON")
	}
	return c.server.nextID(), nil
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

const (
	uploadPath     = "/upload/photo"
	uploadLifetime = 24 * time.Hour
)

// photosGetUploadURL returns a URL of the fake to upload photos to. It is a
// secret: it needs no session and no signature.
func (c *apiCall) photosGetUploadURL() (any, error) {
	count, err := strconv.Atoi(cmp.Or(c.Params.Get("count"), "1"))
	if err != nil || count < 1 || count > maxIDs {
		return nil, failParam("count", "count must be between 1 and 100")
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, count)
	for i := range ids {
		ids[i] = rand.Text() + "+/=" // ids of OK have such characters
		s.uploads[ids[i]] = ""
	}
	return map[string]any{
		"upload_url": baseOf(c.request) + uploadPath + "?photoIds=" + url.QueryEscape(strings.Join(ids, ",")),
		"photo_ids":  ids,
		"expires_ms": time.Now().Add(uploadLifetime).UnixMilli(),
		"ttl_ms":     uploadLifetime.Milliseconds(),
	}, nil
}

// serveUpload takes the files of photos, in parts pic1, pic2 and so on.
func (s *Server) serveUpload(r *http.Request) response {
	c := &Call{Time: time.Now(), HTTPMethod: r.Method, Method: PhotoUpload}
	c.Query, _ = parseQuery("query", r.URL.RawQuery)
	c.Params = c.Query
	return s.servePage(c, func() response {
		call := apiCall{Call: *c, server: s, request: r}
		uploaded, err := call.upload()
		if err != nil {
			return call.failure(err)
		}
		return response{}.with(jsonType, marshal(map[string]any{"photos": uploaded}))
	})
}

type uploadedPhoto struct {
	Token string `json:"token"`
}

func (c *apiCall) upload() (map[string]uploadedPhoto, error) {
	if err := c.request.ParseMultipartForm(maxForm); err != nil {
		return nil, fail(okerrors.CodeNotMultipart, "The upload is not multipart/form-data")
	}
	defer func() { _ = c.request.MultipartForm.RemoveAll() }()
	for _, name := range []string{"sig", "access_token", "session_key", "application_key"} {
		if c.request.Form.Has(name) {
			return nil, failParam(name, "An upload takes no "+name+": it must not leave the API")
		}
	}
	if len(c.request.MultipartForm.File) == 0 {
		return nil, fail(okerrors.CodePhotoNoImage, "No image in the request")
	}
	ids := splitList(c.Query.Get("photoIds"))
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	uploaded := make(map[string]uploadedPhoto)
	for i, id := range ids {
		_, asked := c.server.uploads[id]
		if asked && len(c.request.MultipartForm.File["pic"+strconv.Itoa(i+1)]) > 0 {
			c.server.uploads[id] = rand.Text() + "="
			uploaded[id] = uploadedPhoto{c.server.uploads[id]}
		}
	}
	return uploaded, nil
}

func (c *apiCall) photosCommit() (any, error) {
	id, err := c.needParam("photo_id")
	if err != nil {
		return nil, err
	}
	token, err := c.needParam("token")
	if err != nil {
		return nil, err
	}
	s := c.server
	s.mu.Lock()
	right := s.uploads[id] == token
	if right {
		delete(s.uploads, id)
	}
	s.mu.Unlock()
	if !right {
		return nil, fail(okerrors.CodeParamPhotoID, "Unknown photo_id or token")
	}
	return map[string]any{"photos": []map[string]string{
		{"photo_id": id, "assigned_photo_id": s.nextID(), "status": "SUCCESS"},
	}}, nil
}

package oktest

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

const (
	uploadPath     = "/upload/photo"
	uploadLifetime = 24 * time.Hour
)

// photosGetUploadURL answers a URL of the fake itself, where files of photos
// go. It is a secret: whoever has it can upload.
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
func (s *Server) serveUpload(r *http.Request) answer {
	c := &Call{Time: time.Now(), HTTPMethod: r.Method, Method: PhotoUpload}
	c.Query, _ = parseQuery("query", r.URL.RawQuery)
	c.Params = c.Query
	return s.servePage(c, func() answer {
		call := apiCall{Call: *c, server: s, request: r}
		uploaded, err := call.upload()
		if err != nil {
			return call.failure(err)
		}
		return answer{}.with(jsonType, marshal(map[string]any{"photos": uploaded}))
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

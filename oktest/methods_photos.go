package oktest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

const (
	uploadPath     = "/uploadImage"
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
		"upload_url": uploadBase(c.request) + uploadPath + "?photoIds=" + url.QueryEscape(strings.Join(ids, ",")),
		"photo_ids":  ids,
		"expires_ms": time.Now().Add(uploadLifetime).UnixMilli(),
		"ttl_ms":     uploadLifetime.Milliseconds(),
	}, nil
}

// uploadBase returns the URL of the upload host as the client that sent r sees
// it. It is a host of its own, unless r came to a server with one address.
func uploadBase(r *http.Request) string {
	if isReal(r) {
		return "https://" + uploadHost
	}
	return baseOf(r)
}

// serveUpload takes the files of photos, in parts pic1, pic2 and so on.
func (s *Server) serveUpload(r *http.Request) response {
	c := &apiCall{server: s, request: r}
	c.Time, c.HTTPMethod, c.Proto, c.Method = time.Now(), r.Method, r.Proto, PhotoUpload
	c.Query, c.defect = parseQuery("query", r.URL.RawQuery)
	c.Params = c.Query
	update := s.enter(&s.uploaded, &c.Call)
	defer update()
	a := s.withFault(&c.Call, c.failure, func() response {
		photos, err := c.upload()
		if err != nil {
			return c.failure(err)
		}
		c.Ran = true
		return response{}.with(jsonType, marshal(map[string]any{"photos": photos}))
	})
	if !a.reset {
		c.Status = a.code()
	}
	return a
}

type uploadedPhoto struct {
	Token string `json:"token"`
}

func (c *apiCall) upload() (map[string]uploadedPhoto, error) {
	if c.defect != nil {
		return nil, c.defect
	}
	if err := c.request.ParseMultipartForm(maxForm); err != nil {
		return nil, fail(okerrors.CodeNotMultipart, "The upload is not multipart/form-data")
	}
	defer func() { _ = c.request.MultipartForm.RemoveAll() }()
	for _, name := range []string{"sig", "access_token", "session_key", "application_key"} {
		if c.request.Form.Has(name) {
			return nil, failParam(name, "An upload takes no "+name+": it must not leave the API")
		}
	}
	ids := splitList(c.Query.Get("photoIds"))
	parts, err := photoParts(c.request.MultipartForm.File, len(ids))
	if err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	photos := make(map[string]uploadedPhoto)
	for _, n := range parts {
		id := ids[n-1]
		if _, ok := c.server.uploads[id]; !ok {
			return nil, fail(okerrors.CodeParamPhotoID, "Unknown photo id in the upload URL")
		}
		c.server.uploads[id] = rand.Text() + "="
		photos[id] = uploadedPhoto{c.server.uploads[id]}
	}
	return photos, nil
}

// photoParts returns the N of the parts picN. Every file must be one of pic1 to
// pic<count>, and have content.
func photoParts(files map[string][]*multipart.FileHeader, count int) ([]int, error) {
	if len(files) == 0 {
		return nil, fail(okerrors.CodePhotoNoImage, "No image in the request")
	}
	var parts []int
	for name, list := range files {
		number, ok := strings.CutPrefix(name, "pic")
		n, err := strconv.Atoi(number)
		switch {
		case !ok || err != nil || n < 1 || n > count || number != strconv.Itoa(n):
			return nil, failParam(name, fmt.Sprintf("There is no part %s: name the files pic1 to pic%d", name, count))
		case len(list) > 1:
			return nil, failParam(name, "Part "+name+" is a duplicate")
		case list[0].Size == 0:
			return nil, fail(okerrors.CodePhotoNoImage, "Part "+name+" is empty")
		}
		parts = append(parts, n)
	}
	return parts, nil
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

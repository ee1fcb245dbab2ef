package oktest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

const (
	photoPath      = "/uploadImage"
	uploadLifetime = 24 * time.Hour
)

// photosCreateAlbum returns the id of a new album.
func (c *apiCall) photosCreateAlbum() (any, error) {
	if _, err := c.needParam("title"); err != nil {
		return nil, err
	}
	gid, err := c.optionalGroup()
	if err != nil {
		return nil, err
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	a := album{s.newID(), gid}
	s.media.albums = append(s.media.albums, a)
	return a.id, nil
}

// photosGetUploadURL returns a URL of the fake to upload photos to. It is a
// secret: it needs no session and no signature.
func (c *apiCall) photosGetUploadURL() (any, error) {
	count, err := strconv.Atoi(cmp.Or(c.Params.Get("count"), "1"))
	if err != nil || count < 1 || count > maxIDs {
		return nil, failParam("count", "count must be between 1 and 100")
	}
	gid, err := c.optionalGroup()
	if err != nil {
		return nil, err
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	aid := c.Params.Get("aid")
	if a := s.media.album(aid); aid != "" && (a.id == "" || a.groupID != gid) {
		return nil, fail(okerrors.CodeParamAlbumID, "No such album")
	}
	ids, key, expires := make([]string, count), rand.Text(), time.Now().Add(uploadLifetime)
	for i := range ids {
		ids[i] = rand.Text() + "+/=" // ids of OK have such characters
		s.media.photos = append(s.media.photos, &photo{Photo: Photo{ID: ids[i], GroupID: gid, AlbumID: aid}, key: key, expires: expires})
	}
	query := url.Values{"photoIds": {strings.Join(ids, ",")}, "apiToken": {key}}
	return map[string]any{
		"upload_url": uploadBase(c.request, photoHost) + photoPath + "?" + query.Encode(),
		"photo_ids":  ids,
		"expires_ms": expires.UnixMilli(),
		"ttl_ms":     uploadLifetime.Milliseconds(),
	}, nil
}

type uploadedPhoto struct {
	Token string `json:"token"`
}

// uploadPhotos answers a POST to an upload URL of photos.
func (c *apiCall) uploadPhotos() response {
	photos, err := c.receivePhotos()
	if err != nil {
		return c.failure(err)
	}
	c.Ran = true
	return response{}.with(jsonType, marshal(map[string]any{"photos": photos}))
}

func (c *apiCall) receivePhotos() (map[string]uploadedPhoto, error) {
	if err := c.checkUpload(); err != nil {
		return nil, err
	}
	files, err := c.receiveFiles()
	if err != nil {
		return nil, err
	}
	ids := splitList(c.Query.Get("photoIds"))
	if err := checkPhotoParts(files, len(ids)); err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	photos := make(map[string]uploadedPhoto)
	for i, id := range ids {
		file, ok := files[picName(i)]
		if !ok {
			continue
		}
		p := c.server.media.photo(id)
		if p == nil || p.key != c.Query.Get("apiToken") || ended(p.expires) {
			return nil, fail(okerrors.CodeParamPhotoID, "Unknown or expired upload URL")
		}
		p.File, p.token = file, rand.Text()+"="
		photos[id] = uploadedPhoto{p.token}
	}
	return photos, nil
}

// picName returns the name of the part with photo number i, from 0.
func picName(i int) string { return "pic" + strconv.Itoa(i+1) }

// checkPhotoParts returns an error unless every file is one of pic1 to
// pic<count>, and has content.
func checkPhotoParts(files map[string]File, count int) error {
	if len(files) == 0 {
		return fail(okerrors.CodePhotoNoImage, "No image in the request")
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		n, err := strconv.Atoi(strings.TrimPrefix(name, "pic"))
		switch {
		case err != nil || n < 1 || n > count || name != picName(n-1):
			return failParam(name, fmt.Sprintf("There is no part %s: name the files pic1 to pic%d", name, count))
		case files[name].Size == 0:
			return fail(okerrors.CodePhotoNoImage, "Part "+name+" is empty")
		}
	}
	return nil
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
	defer s.mu.Unlock()
	p := s.media.photo(id)
	if p == nil || p.token != token || p.AssignedID != "" {
		return nil, fail(okerrors.CodeParamPhotoID, "Unknown photo_id or token")
	}
	p.AssignedID = s.newID()
	return map[string]any{"photos": []map[string]string{
		{"photo_id": id, "assigned_photo_id": p.AssignedID, "status": "SUCCESS"},
	}}, nil
}

package oktest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
)

// The bounds of file_size that OK documents. Its pages disagree about the upper
// one; this is that of an upload in one piece.
const (
	minVideo = 16 << 10
	maxVideo = 2 << 30
)

// videoGetUploadURL announces a video and returns a URL to upload it to. The
// URL is a secret: it needs no session and no signature.
func (c *apiCall) videoGetUploadURL() (any, error) {
	name, err := c.needParam("file_name")
	if err != nil {
		return nil, err
	}
	if err := c.checkFileSize(); err != nil {
		return nil, err
	}
	gid, err := c.optionalGroup()
	if err != nil {
		return nil, err
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &video{Video: Video{ID: s.newID(), GroupID: gid, Title: name}, key: rand.Text()}
	s.media.videos = append(s.media.videos, v)
	return map[string]any{
		"video_id":   v.ID,
		"upload_url": uploadBase(c.request, videoHost) + videoPath + "?" + url.Values{"id": {v.ID}, "apiToken": {v.key}}.Encode(),
	}, nil
}

func (c *apiCall) checkFileSize() error {
	text, err := c.needParam("file_size")
	if err != nil {
		return err
	}
	switch size, err := strconv.ParseInt(text, 10, 64); {
	case err != nil || size < 0:
		return failParam("file_size", "file_size must be a number of bytes, 0 if it is unknown")
	case size > 0 && size < minVideo:
		return failParam("file_size", "FileToSmall")
	case size > maxVideo:
		return failParam("file_size", "FileToLarge")
	}
	return nil
}

// uploadedVideo returns the video with this id if its upload is complete. The
// caller has locked Server.mu.
func (m *media) uploadedVideo(id, param string) (*video, error) {
	v := m.video(id)
	switch {
	case v == nil:
		return nil, failParam(param, "Unknown video id: send the video_id of video.getUploadUrl")
	case !v.Complete:
		return nil, failParam(param, "The upload of video "+id+" is not complete")
	}
	return v, nil
}

// videoUpdate is documented to return nothing.
func (c *apiCall) videoUpdate() (any, error) {
	id, err := c.needParam("vid")
	if err != nil {
		return nil, err
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.media.uploadedVideo(id, "vid")
	if err != nil {
		return nil, err
	}
	v.Title, v.Updated = cmp.Or(c.Params.Get("title"), v.Title), true
	return json.RawMessage(nil), nil
}

// videoGet returns the status of videos. A video is processed as soon as it is
// complete. The name of the status before that is assumed.
func (c *apiCall) videoGet() (any, error) {
	list, err := c.needParam("vids")
	if err != nil {
		return nil, err
	}
	ids := splitList(list)
	if len(ids) > maxIDs {
		return nil, failParam("vids", "Too many ids in vids: at most 100")
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	var videos []map[string]any
	for _, id := range ids {
		if v := s.media.video(id); v != nil {
			videos = append(videos, c.beanFields("video", v.bean()))
		}
	}
	return map[string]any{"videos": videos}, nil
}

func (v *video) bean() map[string]any {
	status := "OK"
	if !v.Complete {
		status = "UPLOADING"
	}
	return map[string]any{"id": v.ID, "title": v.Title, "status": status}
}

// beanFields returns those of all that the parameter fields names, as bean.NAME
// or bean.*, in upper or lower case. Without any, only the id is left, as OK was
// seen to leave out what no field asks for.
func (c *apiCall) beanFields(bean string, all map[string]any) map[string]any {
	chosen := map[string]any{"id": all["id"]}
	for _, field := range splitList(strings.ToLower(c.Params.Get("fields"))) {
		name, ok := strings.CutPrefix(field, bean+".")
		if name == "*" && ok {
			return all
		}
		if value, known := all[name]; ok && known {
			chosen[name] = value
		}
	}
	return chosen
}

// optionalGroup returns the parameter gid, or "" if there is none.
func (c *apiCall) optionalGroup() (string, error) {
	gid := c.Params.Get("gid")
	if gid == "" {
		return "", nil
	}
	if _, ok := findGroup(gid); !ok {
		return "", fail(okerrors.CodeParamGroupID, "No such group")
	}
	return gid, nil
}

package oktest

import (
	"crypto/sha256"
	"hash"
	"slices"
	"strconv"
	"time"
)

// A File is what a [Server] keeps of the content of an upload.
type File struct {
	// Name is the file name that the upload stated, or empty.
	Name string

	// Size is how many bytes have arrived.
	Size int64

	// SHA256 is the digest of these bytes.
	SHA256 [sha256.Size]byte
}

// A Photo is a photo that was uploaded. See [Server.Photos].
type Photo struct {
	File

	// ID is one of the photo_ids of photosV2.getUploadUrl.
	ID string

	// GroupID and AlbumID are the gid and the aid of photosV2.getUploadUrl.
	GroupID, AlbumID string

	// AssignedID is the id that photosV2.commit assigned. It is empty for a
	// photo that was not committed, such as that of a topic.
	AssignedID string
}

// A Video is what video.getUploadUrl announced, uploaded or not. See
// [Server.Videos].
type Video struct {
	File

	// ID is the video_id, and GroupID the gid of video.getUploadUrl.
	ID, GroupID string

	// Title is what video.update stated, or else the file_name of
	// video.getUploadUrl.
	Title string

	// Complete reports whether the whole file has arrived.
	Complete bool

	// Updated reports whether video.update ran after that.
	Updated bool
}

// A Topic is what mediatopic.post has posted. See [Server.Topics].
type Topic struct {
	// ID is the id of the topic, as mediatopic.post returned it.
	ID string

	// GroupID is the group in which the topic is, or empty if it is on the page
	// of a user.
	GroupID string

	// UserID is the user who has posted it.
	UserID string

	// Created is when it was posted.
	Created time.Time

	// Texts are the texts of the topic, and Links the URLs, in their order.
	Texts, Links []string

	// Photos are the uploaded photos of the topic, and Videos the videos.
	Photos []Photo
	Videos []Video
}

// Photos returns the photos that were uploaded, in the order in which their
// upload URLs were requested. It is a copy.
func (s *Server) Photos() []Photo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var photos []Photo
	for _, p := range s.media.photos {
		if p.token != "" {
			photos = append(photos, p.Photo)
		}
	}
	return photos
}

// Videos returns the videos that were announced, in their order. It is a copy.
func (s *Server) Videos() []Video {
	s.mu.Lock()
	defer s.mu.Unlock()
	var videos []Video
	for _, v := range s.media.videos {
		videos = append(videos, v.public())
	}
	return videos
}

// Topics returns the topics of a group, or those on the pages of users if
// groupID is empty, in the order in which they were posted. It is a copy.
func (s *Server) Topics(groupID string) []Topic {
	s.mu.Lock()
	defer s.mu.Unlock()
	var topics []Topic
	for _, t := range s.media.topics {
		if t.GroupID == groupID {
			topics = append(topics, t.Topic)
		}
	}
	return topics
}

// media is what was uploaded and posted, in the order of arrival. It is guarded
// by Server.mu.
type media struct {
	photos []*photo
	videos []*video
	albums []album
	topics []*topic
}

type photo struct {
	Photo
	key     string    // the secret of the upload URL
	expires time.Time // the upload URL
	token   string    // of the upload; empty: not uploaded yet
}

type album struct{ id, groupID string }

type topic struct {
	Topic
	blocks []map[string]any // the media of its attachment
}

type video struct {
	Video
	key   string    // the secret of the upload URL
	total int64     // of a resumable upload; 0: none has begun
	sum   hash.Hash // of a resumable upload; nil: none has begun
}

// public returns v with the digest of what has arrived.
func (v *video) public() Video {
	p := v.Video
	if v.sum != nil {
		v.sum.Sum(p.SHA256[:0])
	}
	return p
}

// newID returns the id of something new. The caller has locked s.mu.
func (s *Server) newID() string {
	s.lastID++
	return strconv.FormatInt(66_000_000_000_000+s.lastID, 10)
}

// find returns the first item of list that fits, or the zero value.
func find[T any](list []T, fits func(T) bool) (found T) {
	if i := slices.IndexFunc(list, fits); i >= 0 {
		return list[i]
	}
	return found
}

func (m *media) photo(id string) *photo {
	return find(m.photos, func(p *photo) bool { return p.ID == id })
}

func (m *media) photoOfToken(token string) *photo {
	return find(m.photos, func(p *photo) bool { return p.token == token && token != "" })
}

func (m *media) video(id string) *video {
	return find(m.videos, func(v *video) bool { return v.ID == id })
}

func (m *media) album(id string) album {
	return find(m.albums, func(a album) bool { return a.id == id })
}

func (m *media) topic(id string) *topic {
	return find(m.topics, func(t *topic) bool { return t.ID == id })
}

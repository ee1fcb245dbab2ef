package oktest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	okerrors "github.com/go-okru/okru/errors"
)

const videoPath = "/upload.do"

// uploadVideo answers a request to the upload URL of a video: a GET for its
// status, a POST of the whole file as multipart/form-data, or a POST of a chunk
// with Content-Range.
//
// What OK documents is the requests, the response to a complete upload, status
// 412 without Content-Range, and that an upload begins anew after status 416 or
// 500. The rest is assumed: status 201 after a chunk, the form 0-99/500 of the
// bytes that have arrived, and 403 for an unknown URL.
func (c *apiCall) uploadVideo() response {
	if err := c.checkUpload(); err != nil {
		return c.failure(err)
	}
	v := c.server.videoOfURL(c.Query.Get("id"), c.Query.Get("apiToken"))
	kind, _, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	switch {
	case v == nil:
		return c.rejectWith(http.StatusForbidden, "Unknown upload URL")
	case c.request.Method == http.MethodGet:
		return response{}.with(textType, c.server.arrived(v))
	case kind == "multipart/form-data":
		return c.uploadWholeVideo(v)
	case c.request.Header.Get("Content-Range") == "":
		return c.rejectWith(http.StatusPreconditionFailed, "The upload is not multipart/form-data and has no Content-Range")
	case err != nil:
		return c.rejectWith(http.StatusBadRequest, "A resumable upload needs a Content-Type")
	}
	return c.uploadChunk(v)
}

// rejectWith answers with an HTTP status: the form of an error of an upload host
// is not documented.
func (c *apiCall) rejectWith(status int, text string) response {
	c.Refusal = text
	return response{status: status}.with(textType, text+"\n")
}

// videoOfURL returns the video of an upload URL, or nil.
func (s *Server) videoOfURL(id, key string) *video {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.media.video(id); v != nil && v.key == key {
		return v
	}
	return nil
}

// complete marks the upload of v, and answers it.
func (c *apiCall) complete(v *video) response {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	v.Complete, c.Ran = true, true
	return response{}.with("text/xml;charset=utf-8", "<retval>1</retval>")
}

// uploadWholeVideo takes one file of at most 2 GB.
func (c *apiCall) uploadWholeVideo(v *video) response {
	files, err := c.receiveFiles()
	if err != nil {
		return c.failure(err)
	}
	if len(files) != 1 {
		return c.failure(fail(okerrors.CodeParam, fmt.Sprintf("The upload has %d files: send one", len(files))))
	}
	for _, file := range files {
		if file.Size > maxVideo {
			return c.failure(fail(okerrors.CodeParam, "FileToLarge"))
		}
		c.server.keep(v, file)
	}
	return c.complete(v)
}

func (s *Server) keep(v *video, file File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.File, v.sum = file, nil
}

// A contentRange is bytes first to last of total.
type contentRange struct{ first, last, total int64 }

func parseContentRange(text string) (r contentRange, ok bool) {
	_, err := fmt.Sscanf(text, "bytes %d-%d/%d", &r.first, &r.last, &r.total)
	canonical := fmt.Sprintf("bytes %d-%d/%d", r.first, r.last, r.total)
	return r, err == nil && canonical == text && r.first >= 0 && r.first <= r.last && r.last < r.total
}

// uploadChunk takes one chunk of a file. What is cut off keeps what has arrived.
func (c *apiCall) uploadChunk(v *video) response {
	r, ok := parseContentRange(c.request.Header.Get("Content-Range"))
	length := c.request.ContentLength
	switch {
	case !ok:
		return c.rejectWith(http.StatusBadRequest, "Content-Range must have the form bytes 0-99/500")
	case length >= 0 && length != r.last-r.first+1:
		return c.rejectWith(http.StatusBadRequest, fmt.Sprintf("Content-Range has %d bytes, Content-Length %d", r.last-r.first+1, length))
	case !c.begin(v, r):
		return c.rejectWith(http.StatusRequestedRangeNotSatisfiable, "There is a gap before byte "+fmt.Sprint(r.first)+", or the size has changed")
	}
	n, err := io.Copy(&chunkWriter{c.server, v, r.first}, io.LimitReader(c.request.Body, r.last-r.first+1))
	switch {
	case err != nil:
		return c.rejectWith(http.StatusBadRequest, "The chunk broke off: "+err.Error())
	case n != r.last-r.first+1:
		return c.rejectWith(http.StatusBadRequest, "The chunk is shorter than its Content-Range")
	case c.server.received(v) == r.total:
		return c.complete(v)
	}
	c.Ran = true
	return response{status: http.StatusCreated}.with(textType, c.server.arrived(v))
}

// begin prepares v for a chunk, and reports whether the chunk follows what has
// arrived. A chunk from byte 0 begins the upload anew.
func (c *apiCall) begin(v *video, r contentRange) bool {
	_, disposition, _ := mime.ParseMediaType(c.request.Header.Get("Content-Disposition"))
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if r.first == 0 {
		v.File, v.Complete = File{Name: disposition["filename"]}, false
		v.total, v.sum = r.total, sha256.New()
	}
	return r.total == v.total && r.first <= v.Size
}

// A chunkWriter adds what arrives at an offset to a video. It skips what has
// arrived before.
type chunkWriter struct {
	server *Server
	video  *video
	at     int64
}

// Write implements [io.Writer].
func (w *chunkWriter) Write(p []byte) (int, error) {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	v := w.video
	if w.at > v.Size {
		return 0, errors.New("another upload has begun")
	}
	w.at += int64(len(p))
	fresh := p[len(p)-int(max(0, min(int64(len(p)), w.at-v.Size))):]
	v.sum.Write(fresh)
	v.Size += int64(len(fresh))
	return len(p), nil
}

func (s *Server) received(v *video) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return v.Size
}

// arrived returns which bytes of v have arrived, in the form 0-99/500, or ""
// if none have.
func (s *Server) arrived(v *video) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.Size == 0 {
		return ""
	}
	return fmt.Sprintf("0-%d/%d", v.Size-1, max(v.total, v.Size))
}

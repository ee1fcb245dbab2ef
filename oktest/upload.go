package oktest

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

// uploadBase returns the URL of an upload host as the client that sent r sees
// it. It is a host of its own, unless r came to a server with one address.
func uploadBase(r *http.Request, host string) string {
	if isReal(r) {
		return "https://" + host
	}
	return baseOf(r)
}

// servePhotoUpload takes the files of photos, in parts pic1, pic2 and so on.
func (s *Server) servePhotoUpload(r *http.Request) response {
	return s.serveUpload(r, PhotoUpload, (*apiCall).uploadPhotos)
}

// serveVideoUpload takes the file of a video, whole or in chunks.
func (s *Server) serveVideoUpload(r *http.Request) response {
	return s.serveUpload(r, VideoUpload, (*apiCall).uploadVideo)
}

// serveUpload answers a request to an upload URL by run, which reads the body.
func (s *Server) serveUpload(r *http.Request, name string, run func(*apiCall) response) response {
	c := &apiCall{server: s, request: r}
	c.Time, c.HTTPMethod, c.Proto, c.Method = time.Now(), r.Method, r.Proto, name
	c.Query, c.defect = parseQuery("query", r.URL.RawQuery)
	c.Params = c.Query
	update := s.enter(&s.uploaded, &c.Call)
	defer update()
	f := s.faultOf(&c.Call)
	cut := f.cut(r)
	a := f.apply(&c.Call, c.failure, func() response { return run(c) })
	if cut() {
		a = response{reset: true}
	}
	if !a.reset {
		c.Status = a.code()
		c.drain()
	}
	return a
}

// drain reads what is left of the body: a client that still writes when the
// connection ends may not see the response.
func (c *apiCall) drain() {
	if c.request.Body != nil {
		_, _ = io.Copy(io.Discard, c.request.Body)
	}
}

// neverInUploads are the parameters that must not leave the API.
var neverInUploads = []string{"sig", "access_token", "session_key", "application_key"}

// checkUpload returns why an upload is rejected before its body is read, or nil.
func (c *apiCall) checkUpload() error {
	if c.defect != nil {
		return c.defect
	}
	for _, name := range neverInUploads {
		if c.Query.Has(name) {
			return leaked(name)
		}
	}
	return nil
}

func leaked(name string) error {
	return failParam(name, "An upload takes no "+name+": it must not leave the API")
}

// receiveFiles reads a multipart upload to its end. It returns its files by the
// names of their parts, without their contents.
func (c *apiCall) receiveFiles() (map[string]File, error) {
	form, err := c.request.MultipartReader()
	if err != nil {
		return nil, fail(okerrors.CodeNotMultipart, "The upload is not multipart/form-data")
	}
	files := make(map[string]File)
	var wrong error
	for {
		part, err := form.NextPart()
		switch {
		case err == io.EOF:
			return files, wrong
		case err != nil:
			return nil, broken(err)
		}
		name := part.FormName()
		sum := sha256.New()
		size, err := io.Copy(sum, part)
		if err != nil {
			return nil, broken(err)
		}
		wrong = cmp.Or(wrong, wrongPart(name, files))
		if part.FileName() != "" {
			files[name] = File{Name: part.FileName(), Size: size, SHA256: [sha256.Size]byte(sum.Sum(nil))}
		}
	}
}

// wrongPart returns why there must be no part of this name, or nil.
func wrongPart(name string, files map[string]File) error {
	for _, never := range neverInUploads {
		if name == never {
			return leaked(name)
		}
	}
	if _, ok := files[name]; ok {
		return failParam(name, fmt.Sprintf("Part %s is a duplicate", name))
	}
	return nil
}

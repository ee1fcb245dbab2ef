package okru

// This file makes the body of an Upload, a multipart form that is never in memory
// as a whole. uploader.go sends it.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
)

// A File is one part of an [Upload].
type File struct {
	// Field is the name of the part. If empty, it is pic1 for the first file,
	// pic2 for the second and so on, as uploads of photos need it.
	Field string

	// Name is the file name that is sent to OK. If empty, it is Field.
	Name string

	// ContentType is the media type, such as "image/jpeg". If empty, it is
	// "application/octet-stream".
	ContentType string

	// Content is what is uploaded; required. It is read once, to its end, and
	// not closed.
	Content io.Reader

	// Size is the length of Content in bytes. Zero or less means unknown. If it
	// is wrong, the upload fails.
	Size int64

	// Progress, if not nil, is called with the number of bytes of Content that
	// were sent, each time that some were. It is called by one goroutine at a
	// time and must not take long.
	Progress func(sent int64)
}

// Upload sends files to an upload URL, such as photosV2.getUploadUrl or
// video.getUploadUrl returns, and returns the body of the response. It sends a
// POST of multipart/form-data with one part for each file, in their order. No
// file is held in memory. The request has a Content-Length if all sizes are
// known, and is chunked otherwise.
//
// The request is sent by c, which may be a client of this package: an upload is
// not signed, and a limiter counts it as one request. It is never repeated,
// because a File can be read only once: build new ones to try again. It follows
// redirects as c does, but not from https to http.
//
// The upload URL is as secret as a session until it expires. No error shows it.
// It must use https, except for a loopback host.
//
// An API error in the response is an [*okerrors.Error]. A response with a
// status other than 2xx is an [*AnswerError], and so is one of more than
// 16 MiB. Bad input is an error before anything is sent.
//
// See https://apiok.ru/en/dev/examples/photo_upload and
// https://apiok.ru/en/dev/examples/video_upload. For large videos, see
// [UploadResumable].
//
// [*okerrors.Error]: https://pkg.go.dev/github.com/go-okru/okru/errors#Error
func Upload(ctx context.Context, c *http.Client, uploadURL string, files ...File) ([]byte, error) {
	u, err := newUploader(c, uploadURL)
	if err != nil {
		return nil, err
	}
	body, err := newMultipartBody(files)
	if err != nil {
		return nil, err
	}
	r, err := u.newRequest(ctx, http.MethodPost, body)
	if err != nil {
		return nil, err
	}
	r.ContentLength = body.size
	r.Header.Set("Content-Type", body.contentType)
	resp, err := u.do(r)
	if err := body.fault.get(); err != nil { // the reason, whatever came of it
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if err := resp.failure(); err != nil {
		return nil, err
	}
	return resp.body, nil
}

// A multipartBody is the body of an Upload.
type multipartBody struct {
	io.Reader
	size        int64  // -1: unknown
	contentType string // with the boundary
	fault       fault  // of one of the files
}

// newMultipartBody returns the body that has the files as its parts.
func newMultipartBody(files []File) (*multipartBody, error) {
	if len(files) == 0 {
		return nil, errors.New("okru: Upload: there are no files")
	}
	b := new(multipartBody)
	var text strings.Builder
	form := multipart.NewWriter(&text)
	var parts []io.Reader
	// flush ends the text before a file: its length counts to the size of the
	// form.
	flush := func() {
		b.add(int64(text.Len()))
		parts = append(parts, strings.NewReader(text.String()))
		text.Reset()
	}
	fields := make(map[string]bool)
	for i := range files {
		f, err := files[i].withDefaults(i + 1)
		if err != nil {
			return nil, err
		}
		if fields[f.Field] {
			return nil, fmt.Errorf("okru: Upload: duplicate field %q", f.Field)
		}
		fields[f.Field] = true
		if _, err := form.CreatePart(f.header()); err != nil {
			return nil, fmt.Errorf("okru: Upload: %w", err)
		}
		flush()
		b.add(f.Size)
		parts = append(parts, &fileReader{file: f, body: b})
	}
	if err := form.Close(); err != nil {
		return nil, fmt.Errorf("okru: Upload: %w", err)
	}
	flush()
	b.Reader, b.contentType = io.MultiReader(parts...), form.FormDataContentType()
	return b, nil
}

// add adds n bytes to the size; zero or less of a file makes it unknown.
func (b *multipartBody) add(n int64) {
	if n <= 0 || b.size < 0 {
		b.size = -1
		return
	}
	b.size += n
}

// Close implements [io.Closer]. The files belong to the caller.
func (b *multipartBody) Close() error { return nil }

// withDefaults returns f, which is file number n, with its defaults.
func (f File) withDefaults(n int) (File, error) {
	if f.Field == "" {
		f.Field = fmt.Sprintf("pic%d", n)
	}
	if f.Name == "" {
		f.Name = f.Field
	}
	if f.ContentType == "" {
		f.ContentType = "application/octet-stream"
	}
	if f.Content == nil {
		return f, fmt.Errorf("okru: Upload: %s: Content is nil", f.Field)
	}
	if _, _, err := mime.ParseMediaType(f.ContentType); err != nil || strings.ContainsAny(f.ContentType, "\r\n") {
		return f, fmt.Errorf("okru: Upload: %s: %q is not a media type; write it as \"image/jpeg\"", f.Field, f.ContentType)
	}
	return f, nil
}

// header returns the header of the part that f is. It escapes quotes and line breaks
// in the names, by which a file name could add a field of its own.
func (f File) header() textproto.MIMEHeader {
	return textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(f.Field, f.Name)},
		"Content-Type":        {f.ContentType},
	}
}

// A fileReader reads the content of a file and checks its length.
type fileReader struct {
	file File
	body *multipartBody // which gets the error
	sent int64          // bytes of Content
}

// Read implements [io.Reader]. A panic of Content or Progress becomes an error:
// it would end the program from a goroutine of net/http.
func (r *fileReader) Read(p []byte) (n int, err error) {
	defer r.body.fault.set(&err)
	n, err = r.read(p)
	r.sent += int64(n)
	if err == io.EOF && r.file.Size > 0 && r.sent < r.file.Size {
		err = fmt.Errorf("okru: upload: the content of %s has %d bytes, and Size is %d", r.file.Field, r.sent, r.file.Size)
	}
	if n > 0 && r.file.Progress != nil {
		r.file.Progress(r.sent)
	}
	return n, err
}

// read reads no more than Size bytes, and fails if there are more.
func (r *fileReader) read(p []byte) (int, error) {
	left := r.file.Size - r.sent
	if r.file.Size > 0 && left < int64(len(p)) {
		p = p[:max(left, 1)]
	}
	n, err := r.file.Content.Read(p)
	switch {
	case r.file.Size > 0 && left == 0 && n > 0:
		return 0, fmt.Errorf("okru: upload: the content of %s has more than %d bytes, which is its Size", r.file.Field, r.file.Size)
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("okru: upload: reading the content of %s: %w", r.file.Field, err)
	}
	return n, err
}

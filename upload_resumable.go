package okru

// This file sends a file in chunks and, after a failure, asks the server how much
// of it has arrived. See the section on resumable uploads of
// https://apiok.ru/en/dev/examples/video_upload.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A Resumable is the content of an [UploadResumable].
type Resumable struct {
	// Content is what is uploaded; required. Parts of it may be read several
	// times.
	Content io.ReaderAt

	// Size is the length of Content in bytes; required.
	Size int64

	// Chunk is the length of one request in bytes. Zero or less means 8 MiB.
	Chunk int64

	// Name is the file name that is sent to OK. If empty, it is "file".
	Name string

	// ContentType is the media type, such as "video/mp4"; not a multipart type.
	// If empty, it is "application/octet-stream".
	ContentType string

	// Progress, if not nil, is called with the number of bytes of Content that
	// were sent, each time that some were. The number goes back if a part has to
	// be sent again. Progress is called by one goroutine at a time and must not
	// take long.
	Progress func(sent int64)
}

const (
	// defaultChunk is the length of a chunk. A failure repeats one chunk at most,
	// and each costs a round trip.
	defaultChunk = 8 << 20

	// maxUploadFailures is how often in a row an upload may fail without
	// progress.
	maxUploadFailures = 5

	// The pause before an upload continues: twice as long after each failure, and
	// as the server asks by Retry-After, up to maxUploadDelay.
	minUploadDelay = 500 * time.Millisecond
	maxUploadDelay = time.Minute
)

// UploadResumable sends one file to an upload URL, such as
// video.getUploadUrl returns, and returns the body of the last response. It
// sends the content in chunks, each as a POST with Content-Range, and holds
// none of them in memory.
//
// If a request fails, or its response says that the server is at fault (429 or
// 5xx), it asks the server by a GET of the upload URL which bytes have arrived,
// and continues there. If the response does not say so, it sends the chunk
// again; after status 416 or 500 it starts over. It gives up after 5 failures
// in a row without progress, with pauses from half a second to a minute between
// them, and when ctx ends.
//
// OK does not document how the response to the GET looks. UploadResumable
// understands the byte ranges of a header Range, or of a body, in the form
// 0-99/500 or 0-99/500,200-299/500.
//
// The client, the upload URL, errors and redirects are as for [Upload]. See
// https://apiok.ru/en/dev/examples/video_upload.
func UploadResumable(ctx context.Context, c *http.Client, uploadURL string, r Resumable) ([]byte, error) {
	u, err := newUploader(c, uploadURL)
	if err != nil {
		return nil, err
	}
	if r, err = r.withDefaults(); err != nil {
		return nil, err
	}
	s := resumableUpload{uploader: u, content: r}
	for {
		body, done, err := s.step(ctx)
		if done || err != nil {
			return body, err
		}
	}
}

// withDefaults returns r with its defaults, or an error that says what is
// wrong.
func (r Resumable) withDefaults() (Resumable, error) {
	if r.Chunk <= 0 {
		r.Chunk = defaultChunk
	}
	if r.Name == "" {
		r.Name = "file"
	}
	if r.ContentType == "" {
		r.ContentType = "application/octet-stream"
	}
	kind, _, err := mime.ParseMediaType(r.ContentType)
	switch {
	case r.Content == nil:
		return r, errors.New("okru: UploadResumable: Content is nil")
	case r.Size <= 0:
		return r, errors.New("okru: UploadResumable: set Size to the length of Content")
	case err != nil || strings.ContainsAny(r.ContentType, "\r\n"):
		return r, fmt.Errorf("okru: UploadResumable: %q is not a media type; write it as \"video/mp4\"", r.ContentType)
	case strings.HasPrefix(kind, "multipart/"):
		return r, errors.New("okru: UploadResumable: ContentType is a multipart type; use Upload for those")
	}
	if n, _ := r.Content.ReadAt(make([]byte, 1), r.Size); n > 0 {
		return r, fmt.Errorf("okru: UploadResumable: Content has more than %d bytes, which is its Size", r.Size)
	}
	return r, nil
}

// A resumableUpload is an UploadResumable in progress.
type resumableUpload struct {
	*uploader
	content  Resumable
	offset   int64 // of the next chunk
	furthest int64 // the greatest offset so far
	failures int   // in a row, without progress
}

// step sends one chunk and decides what comes next.
func (s *resumableUpload) step(ctx context.Context) (body []byte, done bool, err error) {
	end := min(s.offset+s.content.Chunk, s.content.Size)
	chunk := &chunkReader{SectionReader: io.NewSectionReader(s.content.Content, s.offset, end-s.offset), offset: s.offset, progress: s.content.Progress}
	resp, err := s.send(ctx, chunk, end)
	switch {
	case chunk.failure() != nil:
		return nil, true, chunk.failure()
	case err != nil:
		return nil, false, s.resume(ctx, err, nil)
	case resp.failure() != nil:
		return nil, false, s.resume(ctx, resp.failure(), resp)
	}
	next, known := missing(resp, s.content.Size)
	switch {
	case !known:
		next = end
	case next <= s.offset:
		return nil, false, s.fail(ctx, errors.New("okru: upload: the server does not keep what it receives"), nil, next)
	}
	if next == s.content.Size {
		return resp.body, true, nil
	}
	s.advance(next)
	return nil, false, nil
}

// send sends the chunk from the offset to end.
func (s *resumableUpload) send(ctx context.Context, chunk io.Reader, end int64) (*uploadResponse, error) {
	r, err := s.newRequest(ctx, http.MethodPost, chunk)
	if err != nil {
		return nil, err
	}
	r.ContentLength = end - s.offset
	r.Header.Set("Content-Type", s.content.ContentType)
	r.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", s.offset, end-1, s.content.Size))
	r.Header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": s.content.Name}))
	return s.do(r)
}

// advance continues at next.
func (s *resumableUpload) advance(next int64) {
	if next > s.furthest {
		s.furthest, s.failures = next, 0
	}
	s.offset = next
}

// resume finds out where to continue after cause, with which a chunk failed. It
// returns cause if that is final.
func (s *resumableUpload) resume(ctx context.Context, cause error, resp *uploadResponse) error {
	if _, isAPI := errors.AsType[*okerrors.Error](cause); isAPI || ctx.Err() != nil {
		return cause
	}
	if resp != nil {
		switch status := resp.StatusCode; {
		// The server has lost the upload, or never had it.
		case status == http.StatusRequestedRangeNotSatisfiable, status == http.StatusInternalServerError:
			return s.fail(ctx, cause, resp, 0)
		case status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
			return cause
		}
	}
	if err := s.fail(ctx, cause, resp, s.offset); err != nil {
		return err
	}
	next, err := s.ask(ctx)
	if err != nil {
		return nil // the next chunk will show what is the matter
	}
	if next == s.content.Size { // only the last response was lost
		next = max(0, s.content.Size-s.content.Chunk)
	}
	s.advance(next)
	return nil
}

// fail counts a failure and waits before the next attempt, which is to continue
// at offset. It returns cause if there were too many failures, or the end of
// ctx.
func (s *resumableUpload) fail(ctx context.Context, cause error, resp *uploadResponse, offset int64) error {
	s.failures++
	s.offset = offset
	if s.failures > maxUploadFailures {
		return cause
	}
	// There are at most maxUploadFailures, so this is at most eight seconds.
	delay := minUploadDelay << (s.failures - 1)
	if resp != nil {
		asked, _ := roundtrip.RetryAfter(resp.Header, time.Now())
		delay = min(max(delay, asked), maxUploadDelay)
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return s.redacted(fmt.Errorf("%w while waiting to continue after: %w", context.Cause(ctx), cause))
	}
}

// ask asks the server for the first byte that is missing.
func (s *resumableUpload) ask(ctx context.Context) (int64, error) {
	r, err := s.newRequest(ctx, http.MethodGet, nil)
	if err != nil {
		return 0, err
	}
	resp, err := s.do(r)
	if err != nil {
		return 0, err
	}
	next, known := missing(resp, s.content.Size)
	if !known || resp.StatusCode/100 != 2 {
		return 0, errors.New("okru: upload: the response does not say which bytes have arrived")
	}
	return next, nil
}

// missing returns the first byte that has not arrived, by the byte ranges in
// the header Range or in the body. It returns false if there are none.
func missing(resp *uploadResponse, size int64) (next int64, known bool) {
	if next, known = firstGap(resp.Header.Get("Range"), size); known || len(resp.body) > 4<<10 {
		return next, known
	}
	return firstGap(string(resp.body), size)
}

// firstGap returns the end of the range that begins at 0 in ranges, such as
// 0-99/500,200-299/500, or 0 if no range does.
func firstGap(ranges string, size int64) (next int64, ok bool) {
	ranges = strings.TrimPrefix(strings.TrimSpace(ranges), "bytes")
	for part := range strings.SplitSeq(strings.TrimLeft(ranges, " ="), ",") {
		span, total, hasTotal := strings.Cut(strings.TrimSpace(part), "/")
		from, to, isRange := strings.Cut(span, "-")
		first, err1 := strconv.ParseInt(from, 10, 64)
		last, err2 := strconv.ParseInt(to, 10, 64)
		if !isRange || errors.Join(err1, err2) != nil || first < 0 || last < first || last >= size || hasTotal && total != strconv.FormatInt(size, 10) {
			return 0, false
		}
		if first <= next {
			next = max(next, last+1)
		}
	}
	return next, true
}

// A chunkReader is the body of the request for one chunk.
type chunkReader struct {
	*io.SectionReader
	offset   int64       // of the chunk, in the content
	sent     int64       // bytes of this chunk
	progress func(int64) // nil: none
	fault    fault       // of the content
}

// Read implements [io.Reader]. A content that ends early is an error.
func (r *chunkReader) Read(p []byte) (n int, err error) {
	defer r.fault.set(&err)
	n, err = r.SectionReader.Read(p)
	r.sent += int64(n)
	switch {
	case err == io.EOF && r.sent < r.Size():
		err = fmt.Errorf("okru: upload: Content has %d bytes, fewer than its Size", r.offset+r.sent)
	case err != nil && err != io.EOF:
		err = fmt.Errorf("okru: upload: reading the content: %w", err)
	}
	if n > 0 && r.progress != nil {
		r.progress(r.offset + r.sent)
	}
	return n, err
}

// WriteTo hides that of the SectionReader, which would bypass Read.
func (r *chunkReader) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{r})
}

// failure returns the error of the content, if any.
func (r *chunkReader) failure() error { return r.fault.get() }

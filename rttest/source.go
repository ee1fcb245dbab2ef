package rttest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// source is a body of the caller's request: Body itself, or a reader that
// GetBody has opened. It remembers what was done to it, under call.mu.
type source struct {
	call   *call
	copy   bool // opened by GetBody
	r      *bytes.Reader
	reader int // the attempt that reads it; 0: none yet
	ended  bool
	closes int
}

var (
	errUnreadable = errors.New("rttest: the caller's body cannot be read")
	errGetBody    = errors.New("rttest: the caller's GetBody fails")
)

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	p = s.stall(p)
	s.call.mu.Lock()
	defer s.call.mu.Unlock()
	s.readBy(s.call.reading)
	if s.closes > 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	if s.call.unreadable && s.r.Len() <= len(s.call.content)/2 {
		return 0, errUnreadable
	}
	n, err := s.r.Read(p)
	if err == io.EOF {
		s.ended = true
		s.call.endTrailer(s)
	}
	return n, err
}

// stall waits where the caller's body stalls, and returns that part of p which
// can be read without waiting.
func (s *source) stall(p []byte) []byte {
	c := s.call
	if c.gate == nil {
		return p
	}
	c.mu.Lock()
	ready := c.holdAt - (len(c.content) - s.r.Len())
	c.mu.Unlock()
	if ready > 0 {
		return p[:min(len(p), ready)]
	}
	c.stalls.Do(func() { close(c.waiting) })
	<-c.gate
	return p
}

// readBy notes which attempt reads s. The layer itself, 0, may read anything.
func (s *source) readBy(attempt int) {
	if attempt == 0 {
		return
	}
	if !s.copy && attempt > 1 {
		s.call.stale = true
		s.call.found(BodyFresh, "a later attempt reads the Body of the first")
	}
	if s.copy && s.reader != 0 && s.reader != attempt {
		s.call.stale = true
		s.call.found(BodyFresh, "two attempts read the same reader of GetBody")
	}
	s.reader = attempt
}

// Seek implements io.Seeker, which is there to tempt.
func (s *source) Seek(offset int64, whence int) (int64, error) {
	s.call.mu.Lock()
	defer s.call.mu.Unlock()
	s.call.stale = true
	s.call.found(BodyFresh, "Seek was called on the request's body")
	return s.r.Seek(offset, whence)
}

// Close implements io.Closer.
func (s *source) Close() error {
	s.call.mu.Lock()
	defer s.call.mu.Unlock()
	s.closes++
	return nil
}

// getBody is GetBody of the caller's request.
func (c *call) getBody() (io.ReadCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &source{call: c, copy: true, r: bytes.NewReader(c.content)}
	c.copies = append(c.copies, s)
	return s, nil
}

const (
	trailerKey   = "Rttest-Sum"
	trailerValue = "set when the body had ended"
)

// endTrailer sets the trailer, as a caller does whose Body has ended.
func (c *call) endTrailer(s *source) {
	if c.trailer != nil && !s.copy {
		c.trailer.Set(trailerKey, trailerValue)
	}
}

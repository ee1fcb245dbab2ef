package rttest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
)

// attempt is one call of next.
type attempt struct {
	call  *call
	n     int // from 1
	req   *http.Request
	given *snapshot // req when it came

	// Under call.mu:
	reply    *reply // nil: no response, or one without a body
	status   int    // of the response
	header   http.Header
	failed   bool // next returned errNext
	returned bool // next returned
	outlived bool // the context was alive when next was called, but not the caller's
}

// arrive notes that next was called with r.
func (c *call) arrive(r *http.Request) *attempt {
	c.compare("when next was called")
	c.mu.Lock()
	a := &attempt{call: c, n: len(c.attempts) + 1, req: r, given: take(r)}
	a.outlived = c.req.Context().Err() != nil && r.Context().Err() == nil
	c.attempts = append(c.attempts, a)
	c.mu.Unlock()
	if r.URL != nil && r.URL.Path == redirectedTo {
		c.found(RedirectReturned, "the layer follows a redirect")
	} else {
		a.checkForwarded()
	}
	return a
}

// leave notes that next returns.
func (a *attempt) leave() {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	a.returned = true
}

// checkForwarded compares what next was given with what the caller sent.
func (a *attempt) checkForwarded() {
	sent, got := a.call.before, a.req
	for _, part := range []struct {
		name string
		kept bool
	}{
		{"Method", orGet(got.Method) == orGet(sent.Method)},
		{"URL", a.keepsURL()},
		{"Host", got.Host == sent.Host},
		{"Header", contains(got.Header, sent.header)},
		{"Trailer", contains(keySet(keys(got.Trailer)), keySet(sent.trailer))},
		{"Close", got.Close == sent.Close},
		{"Body", hasBody(got) || a.call.body == nil},
	} {
		if !part.kept {
			a.call.found(RequestForwarded, "next was given another %s", part.name)
		}
	}
}

// keepsURL tells whether next was given the caller's URL. Only the query may
// be another one.
func (a *attempt) keepsURL() bool {
	sent, got := a.call.before.url, a.req.URL
	if sent == nil || got == nil {
		return sent == nil && got == nil
	}
	if a.call.kit.Verbatim && got.String() != sent.String() {
		return false
	}
	return got.Scheme == sent.Scheme && got.Host == sent.Host && got.Path == sent.Path
}

func orGet(method string) string {
	if method == "" {
		return http.MethodGet
	}
	return method
}

// contains tells whether all of part is in h.
func contains(h, part http.Header) bool {
	for key, values := range part {
		if strings.Join(h[key], "\n") != strings.Join(values, "\n") {
			return false
		}
	}
	return true
}

// keySet returns a header with these keys alone, each with itself as value.
func keySet(keys []string) http.Header {
	h := make(http.Header)
	for _, key := range keys {
		h[key] = []string{key}
	}
	return h
}

// readBody reads the body and closes it, and checks that the request
// describes it. The error is one of the caller's body.
func (a *attempt) readBody() error {
	defer a.closeBody()
	if !hasBody(a.req) {
		if a.req.ContentLength != 0 {
			a.call.found(BodyDescribed, "ContentLength is not 0, though there is no Body")
		}
		return nil
	}
	a.setReading(a.n)
	got, err := io.ReadAll(a.req.Body)
	a.setReading(0)
	if !a.isStale() {
		a.checkBody(got, err)
	}
	return err
}

func (a *attempt) setReading(n int) {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	a.call.reading = n
}

func (a *attempt) isStale() bool {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	return a.call.stale
}

// checkBody checks all that next can know about the body it has read.
func (a *attempt) checkBody(got []byte, err error) {
	c := a.call
	if err != nil {
		if !c.unreadable {
			c.found(BodyDescribed, "next cannot read the Body: %v", err)
		}
		return
	}
	a.checkLength(int64(len(got)))
	a.checkGetBody(got)
	a.checkTrailer()
	if c.kit.Verbatim && !c.unreadable && !bytes.Equal(got, c.content) {
		c.found(RequestForwarded, "next was given a Body with another content")
	}
}

func (a *attempt) checkLength(n int64) {
	sent, said := a.call.before.ContentLength, a.req.ContentLength
	switch {
	case said > 0 && said != n:
		a.call.found(BodyDescribed, "ContentLength is not the length of the Body")
	case said <= 0 && n > 0 && sent > 0:
		a.call.found(BodyDescribed, "ContentLength is lost")
	}
}

// checkGetBody does what a redirect or a lost HTTP/2 connection does, twice.
func (a *attempt) checkGetBody(got []byte) {
	c := a.call
	if a.req.GetBody == nil {
		if c.before.GetBody != nil && len(got) > 0 {
			c.found(BodyDescribed, "GetBody is lost")
		}
		return
	}
	for range 2 {
		again, err := a.replay()
		switch {
		case err == errGetBody:
			return // the caller's own
		case err != nil:
			c.found(BodyDescribed, "GetBody fails: %v", err)
		case !bytes.Equal(again, got):
			c.found(BodyDescribed, "GetBody gives other bytes than Body")
		}
	}
}

func (a *attempt) replay() ([]byte, error) {
	body, err := a.req.GetBody()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

func (a *attempt) checkTrailer() {
	c := a.call
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trailer != nil && c.body.ended && a.req.Trailer.Get(trailerKey) != trailerValue {
		c.found(TrailerKept, "the body has ended, and the Trailer that it sets is not in the request next was given")
	}
}

func (a *attempt) closeBody() {
	if a.given.Body != nil {
		_ = a.given.Body.Close()
	}
}

// finishLate reads some more of the request's body after next has returned,
// and then closes it.
func (a *attempt) finishLate() {
	time.Sleep(lateBy)
	if a.given.Body != nil {
		_, _ = a.given.Body.Read(make([]byte, 1))
	}
	a.closeBody()
}

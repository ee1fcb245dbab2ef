package rttest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"
)

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
	a.noteBodyError(err)
	if !a.isStale() {
		a.checkBody(got, err)
	}
	return err
}

// noteBodyError records that the caller's body ended the attempt.
func (a *attempt) noteBodyError(err error) {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	if errors.Is(err, errUnreadable) {
		a.failed = errUnreadable
	}
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
	if c.staleGetBody {
		a.checkBodySent(got)
	} else {
		a.checkLength(int64(len(got)))
		a.checkGetBody(got)
	}
	a.checkTrailer()
	if c.kit.Verbatim && !c.unreadable && !c.staleGetBody && !bytes.Equal(got, c.content) {
		c.found(RequestForwarded, "next was given a Body with another content")
	}
}

func (a *attempt) checkLength(n int64) {
	sent, stated := a.call.before.ContentLength, a.req.ContentLength
	switch {
	case stated > 0 && stated != n:
		a.call.found(BodyDescribed, "ContentLength is not the length of the Body")
	case stated <= 0 && n > 0 && sent > 0:
		a.call.found(BodyDescribed, "ContentLength is lost")
	}
}

// staleMark is at the end of what a stale GetBody returns. A form stays one.
const staleMark = "&rttest=stale"

// checkBodySent checks that the first attempt has the content of Body, where
// GetBody returns another.
func (a *attempt) checkBodySent(got []byte) {
	if a.n == 1 && bytes.Contains(got, []byte(staleMark[1:])) {
		a.call.found(BodyDescribed, "the first attempt sends what GetBody returns, not Body")
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
	values, ok := a.req.Trailer[trailerKey] // if it is not there, that is known already
	if ok && c.body.ended && !slices.Equal(values, []string{trailerValue}) {
		c.found(TrailerKept, "the Trailer of the request next was given is not the one that the caller's body sets when it ends")
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

package rttest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// layer keeps the contract around trip.
type layer struct {
	next http.RoundTripper
	trip trip
}

// trip is what a layer does with a request.
type trip func(next http.RoundTripper, r *http.Request) (*http.Response, error)

func (l *layer) RoundTrip(r *http.Request) (*http.Response, error) { return l.trip(l.next, r) }

func (l *layer) Unwrap() http.RoundTripper { return l.next }

func (l *layer) CloseIdleConnections() {
	client := http.Client{Transport: l.next}
	client.CloseIdleConnections()
}

// wrap makes t what Kit.Wrap asks for.
func (t trip) wrap(next http.RoundTripper) http.RoundTripper { return &layer{next, t} }

func pass(next http.RoundTripper, r *http.Request) (*http.Response, error) { return next.RoundTrip(r) }

// clone sends a copy with a header of its own.
func clone(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	resp, err := next.RoundTrip(copyOf(r))
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func copyOf(r *http.Request) *http.Request {
	c := *r
	c.Header = r.Header.Clone()
	if r.Header != nil {
		c.Header.Set("Added", "yes")
	}
	return &c
}

// rewrite adds a parameter to every form, as one that signs would.
func rewrite(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	c := copyOf(r)
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" && r.Body != nil {
		form, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		form = append(form, "&added=yes"...)
		c.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
		c.Body, _ = c.GetBody()
		c.ContentLength = int64(len(form))
	}
	resp, err := next.RoundTrip(c)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

// reject sends nothing.
func reject(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
	closeBody(r)
	return nil, errRejected
}

var errRejected = errors.New("rejected")

// stall waits for long before it calls next.
func stall(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if err := pause(r.Context(), 2*time.Hour); err != nil {
		closeBody(r)
		return nil, err
	}
	return next.RoundTrip(r)
}

// panics closes everything before a hook panics.
func panics(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	resp, _ := next.RoundTrip(r)
	drop(resp)
	panic("hook")
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// strict turns every response that is no success into an error.
func strict(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	resp, err := next.RoundTrip(r)
	if err != nil || resp == nil || resp.StatusCode < 400 {
		return resp, err
	}
	drop(resp)
	return nil, errors.New(resp.Status)
}

func drop(resp *http.Response) {
	if resp != nil {
		io.CopyN(io.Discard, resp.Body, 64<<10)
		resp.Body.Close()
	}
}

// retry tries again, three times and after a pause. The flaws are off.
type retry struct {
	sendAgain   bool // the body that was read already
	rewind      bool // back to the start of the body that was read already
	share       bool // one reader of GetBody for all later attempts
	keepOpen    bool // open, when it is dropped
	closeUnread bool
	drainAll    bool
	sleep       bool // and hear nothing
	ownError    bool // when the context ends
	lastError   bool // when the context ends
	formatError bool // when the context ends
}

func (f retry) trip(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	attempt := r
	for n := 0; ; n++ {
		resp, err := next.RoundTrip(attempt)
		if n == 3 || !temporary(resp, err) || r.Context().Err() != nil {
			return responseTo(r, resp), err
		}
		again, cannot := f.copy(r, attempt, n)
		if cannot != nil {
			return responseTo(r, resp), err
		}
		f.drop(resp)
		if ended := f.pause(r.Context(), err); ended != nil {
			if again.Body != r.Body {
				closeBody(again)
			}
			return nil, ended
		}
		attempt = again
	}
}

func responseTo(r *http.Request, resp *http.Response) *http.Response {
	if resp != nil {
		resp.Request = r
	}
	return resp
}

func temporary(resp *http.Response, err error) bool {
	return err != nil || resp != nil && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500)
}

// copy returns a copy of r to send after last.
func (f retry) copy(r, last *http.Request, n int) (*http.Request, error) {
	c := *r
	switch {
	case r.Body == nil || r.Body == http.NoBody || f.sendAgain:
		return &c, nil
	case f.rewind:
		s, ok := r.Body.(io.Seeker)
		if !ok {
			return nil, errors.New("body cannot be sent again")
		}
		_, err := s.Seek(0, io.SeekStart)
		return &c, err
	case f.share && n > 0:
		return last, nil
	case r.GetBody == nil:
		return nil, errors.New("body cannot be sent again")
	}
	var err error
	c.Body, err = r.GetBody()
	return &c, err
}

func (f retry) drop(resp *http.Response) {
	switch {
	case resp == nil || f.keepOpen:
	case f.closeUnread:
		resp.Body.Close()
	case f.drainAll:
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	default:
		drop(resp)
	}
}

func (f retry) pause(ctx context.Context, last error) error {
	if f.sleep {
		time.Sleep(10 * time.Second)
		return nil
	}
	err := pause(ctx, 10*time.Second)
	switch {
	case err == nil:
		return nil
	case f.ownError:
		return errors.New("gave up")
	case f.lastError && last != nil:
		return last
	case f.formatError:
		return errors.New("gave up: " + err.Error())
	}
	return err
}

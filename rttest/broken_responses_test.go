package rttest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/go-okru/okru/rttest"
)

// after returns a layer that does something with what next returns without an
// error.
func after(does func(r *http.Request, resp *http.Response) (*http.Response, error)) trip {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil || resp == nil {
			return nil, err
		}
		return does(r, resp)
	}
}

// dropping returns a layer that turns bad responses into errors, and does with
// the bodies what does does.
func dropping(does func(body io.ReadCloser)) trip {
	return after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		if resp.StatusCode < 400 {
			return resp, nil
		}
		does(resp.Body)
		return nil, errors.New(resp.Status)
	})
}

var brokenResponses = []broken{
	breaks(rttest.Outcome, "returns a response and an error", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		if resp.StatusCode >= 400 {
			return resp, errors.New(resp.Status)
		}
		return resp, nil
	})),
	breaks(rttest.Outcome, "returns nothing", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		if resp.StatusCode >= 400 {
			drop(resp)
			return nil, nil
		}
		return resp, nil
	})),
	breaks(rttest.Outcome, "returns no body", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		if resp.StatusCode == http.StatusNoContent {
			resp.Body = nil
		}
		return resp, nil
	})),
	breaks(rttest.Outcome, "waits for the context after an error", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			<-r.Context().Done()
			err = r.Context().Err()
		}
		return resp, err
	}),

	breaks(rttest.Outcome, "tries again for ever", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		for {
			resp, err := next.RoundTrip(r)
			if err != nil || resp == nil || r.Body != nil || resp.StatusCode != http.StatusTooManyRequests {
				return resp, err
			}
			drop(resp)
			if err := pause(r.Context(), time.Second); err != nil {
				return nil, err
			}
		}
	}),

	breaks(rttest.ResponseIntact, "cuts the response", rewrapping(func(_ *http.Request, b *body) { b.read = io.LimitReader(b.ReadCloser, 1<<10).Read })),
	breaks(rttest.ResponseIntact, "changes a byte", rewrapping(func(_ *http.Request, b *body) {
		b.read = func(p []byte) (int, error) {
			n, err := b.ReadCloser.Read(p)
			copy(p[:n], "?")
			return n, err
		}
	})),
	breaks(rttest.ResponseIntact, "fails at the end", rewrapping(func(_ *http.Request, b *body) {
		b.read = func(p []byte) (int, error) {
			n, err := b.ReadCloser.Read(p)
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
	})),
	breaks(rttest.ResponseIntact, "changes the status", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		resp.StatusCode = http.StatusAccepted
		return resp, nil
	})),
	breaks(rttest.ResponseIntact, "loses headers", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		delete(resp.Header, "Content-Type")
		return resp, nil
	})),
	breaks(rttest.ResponseIntact, "states another length", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		resp.ContentLength = -1
		return resp, nil
	})),
	breaks(rttest.ResponseIntact, "builds the response anew", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		return &http.Response{
			StatusCode: resp.StatusCode, Header: resp.Header, Body: resp.Body, Trailer: resp.Trailer,
			ContentLength: resp.ContentLength, Request: resp.Request,
		}, nil
	})),
	breaks(rttest.ResponseIntact, "copies the response before its trailer is set", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		return new(*resp), nil
	})),
	breaks(rttest.ResponseIntact, "hides that the response was cut", rewrapping(func(_ *http.Request, b *body) {
		b.read = func(p []byte) (int, error) {
			n, err := b.ReadCloser.Read(p)
			if err == io.ErrUnexpectedEOF {
				err = io.EOF
			}
			return n, err
		}
	})),
	breaks(rttest.ResponseIntact, "makes up a response", after(func(r *http.Request, resp *http.Response) (*http.Response, error) {
		if resp.StatusCode < 400 {
			return resp, nil
		}
		drop(resp)
		return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody, Request: r}, nil
	})),
	breaks(rttest.ResponseIntact, "rejects good responses", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		if resp.StatusCode != http.StatusOK {
			return resp, nil
		}
		drop(resp)
		return nil, errRejected
	})).also(rttest.ResponseStreamed, rttest.ContextEnds), // for it drains before it returns, and does not ask why that fails

	breaks(rttest.ResponseStreamed, "reads the response before it returns", rewrapping(func(_ *http.Request, b *body) {
		text, err := io.ReadAll(b.ReadCloser)
		b.read = io.MultiReader(bytes.NewReader(text), failing{err}).Read
	})),
	breaks(rttest.ResponseStreamed, "reads the response at the first Read", rewrapping(func(_ *http.Request, b *body) {
		var all io.Reader
		b.read = func(p []byte) (int, error) {
			if all == nil {
				text, err := io.ReadAll(b.ReadCloser)
				all = io.MultiReader(bytes.NewReader(text), failing{err})
			}
			return all.Read(p)
		}
	})),
	breaks(rttest.ResponseStreamed, "reads ahead", rewrapping(readAhead)),

	breaks(rttest.ResponseClosed, "drops responses", dropping(func(io.ReadCloser) {})),
	breaks(rttest.ResponseClosed, "reads responses to their end and drops them", dropping(func(b io.ReadCloser) {
		_, _ = io.CopyN(io.Discard, b, 64<<10)
	})),
	breaks(rttest.ResponseClosed, "drops responses to try again", retry{keepOpen: true}.trip).also(rttest.ConnectionFreed),
	breaks(rttest.ResponseClosed, "does not close what the caller closes", rewrapping(func(_ *http.Request, b *body) {
		b.ReadCloser = io.NopCloser(b.ReadCloser)
	})),
	breaks(rttest.ResponseDrained, "closes responses unread", dropping(func(b io.ReadCloser) { b.Close() })),
	breaks(rttest.ResponseDrained, "closes responses unread to try again", retry{closeUnread: true}.trip),
	breaks(rttest.ResponseDrained, "reads responses without bound", dropping(func(b io.ReadCloser) {
		_, _ = io.Copy(io.Discard, b)
		b.Close()
	})),
	breaks(rttest.ResponseDrained, "reads responses without bound to try again", retry{drainAll: true}.trip),

	breaks(rttest.ResponseRequest, "names its copy", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		return next.RoundTrip(copyOf(r))
	}),
	breaks(rttest.ResponseRequest, "names nothing", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		resp.Request = nil
		return resp, nil
	})),
	breaks(rttest.ConnectionFreed, "keeps a response until the next one has come", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		first, err := next.RoundTrip(r)
		if err != nil || first == nil || first.StatusCode != http.StatusServiceUnavailable || r.Body != nil {
			return first, err
		}
		second, err := next.RoundTrip(r)
		drop(first)
		return second, err
	}),
	breaks(rttest.NilHandled, "needs a response where there is no error", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		resp.Request = r
		return resp, nil
	}),
	breaks(rttest.ResponseUpgraded, "wraps connections", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		resp.Body = wrapped(resp.Body)
		return resp, nil
	})),
	breaks(rttest.RedirectReturned, "follows redirects", follow),
	breaks(rttest.RedirectReturned, "rejects redirects", after(func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		if resp.Header.Get("Location") == "" {
			return resp, nil
		}
		drop(resp)
		return nil, errRejected
	})),
}

// failing is a reader that has nothing but an error, if any.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// readAhead reads all of the response while the caller is busy.
func readAhead(_ *http.Request, b *body) {
	var ahead bytes.Buffer
	var failed error
	original, done := b.ReadCloser, make(chan struct{})
	go func() {
		defer close(done)
		_, failed = io.Copy(&ahead, original)
	}()
	b.read = func(p []byte) (int, error) {
		<-done
		n, err := ahead.Read(p)
		if failed != nil && err == io.EOF {
			err = failed
		}
		return n, err
	}
}

// follow is what http.Client is for.
func follow(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	resp, err := next.RoundTrip(r)
	if err != nil || resp == nil || resp.Header.Get("Location") == "" {
		return resp, err
	}
	drop(resp)
	c := copyOf(r)
	c.URL, err = r.URL.Parse(resp.Header.Get("Location"))
	if err != nil {
		return nil, err
	}
	c.Method, c.Body, c.GetBody, c.ContentLength = http.MethodGet, nil, nil, 0
	resp, err = next.RoundTrip(c)
	return responseTo(r, resp), err
}

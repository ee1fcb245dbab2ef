package rttest_test

import (
	"io"
	"net/http"
	"strings"

	"github.com/go-okru/okru/rttest"
)

var brokenBodies = []broken{
	rejects(rttest.BodyClosed, "rejects without closing", func(http.RoundTripper, *http.Request) (*http.Response, error) {
		return nil, errRejected
	}),
	rejects(rttest.BodyClosedOnce, "rejects and closes twice", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		closeBody(r)
		return reject(next, r)
	}),
	rejects(rttest.Outcome, "does not reject", pass),
	breaks(rttest.BodyClosed, "looks at the context and does not close", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return next.RoundTrip(r)
	}),
	breaks(rttest.BodyClosed, "does not close what cannot be read", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		return resend(next, r)
	}),
	breaks(rttest.BodyClosed, "does not close what it has replaced", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.GetBody == nil || r.ContentLength <= 0 {
			return next.RoundTrip(r)
		}
		c := copyOf(r)
		var err error
		if c.Body, err = r.GetBody(); err != nil {
			closeBody(r)
			return nil, err
		}
		resp, err := next.RoundTrip(c)
		return responseTo(r, resp), err
	}).also(rttest.BodyDescribed), // for it sends the body of GetBody
	breaks(rttest.BodyClosed, "rejects without URL and does not close", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.URL == nil {
			return nil, errRejected
		}
		return next.RoundTrip(r)
	}),
	breaks(rttest.BodyClosedOnce, "closes what next closes", closeTwice),
	breaks(rttest.BodyClosedOnce, "closes what next closes, if next fails", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			closeBody(r)
		}
		return resp, err
	}),

	breaks(rttest.BodyFresh, "sends a body again", retry{sendAgain: true}.trip),
	breaks(rttest.BodyFresh, "seeks", retry{rewind: true}.trip),
	breaks(rttest.BodyFresh, "seeks before it sends", touching(func(r *http.Request) {
		if s, ok := r.Body.(io.Seeker); ok {
			_, _ = s.Seek(0, io.SeekStart)
		}
	})),
	breaks(rttest.BodyFresh, "sends a reader of GetBody twice", retry{share: true}.trip),

	breaks(rttest.BodyClosed, "does not close under a context that cannot end", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.Context().Done() != nil || r.Body == nil || r.Header == nil {
			return next.RoundTrip(r)
		}
		c := copyOf(r)
		c.Body = io.NopCloser(r.Body)
		resp, err := next.RoundTrip(c)
		return responseTo(r, resp), err
	}),
	panicking(rttest.BodyClosed, "does not close when a hook panics", func(http.RoundTripper, *http.Request) (*http.Response, error) {
		panic("hook")
	}),
	panicking(rttest.ResponseClosed, "leaves a response open when a hook panics", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		_, _ = next.RoundTrip(r)
		panic("hook")
	}),

	breaks(rttest.CopiesClosed, "looks into the body", touching(func(r *http.Request) {
		if r.GetBody != nil {
			if b, err := r.GetBody(); err == nil {
				_, _ = io.ReadAll(b)
			}
		}
	})),

	breaks(rttest.BodyDescribed, "changes the body and not the length", describing(func(c *http.Request) { c.ContentLength -= 2 })),
	breaks(rttest.BodyDescribed, "changes the body and loses the length", describing(func(c *http.Request) { c.ContentLength = -1 })),
	breaks(rttest.BodyDescribed, "changes the body and not GetBody", describing(func(c *http.Request) {
		c.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("old")), nil }
	})),
	breaks(rttest.BodyDescribed, "changes the body and loses GetBody", describing(func(c *http.Request) { c.GetBody = nil })),
	breaks(rttest.BodyDescribed, "returns one reader from every GetBody", describing(func(c *http.Request) {
		again, _ := c.GetBody()
		c.GetBody = func() (io.ReadCloser, error) { return again, nil }
	})),
	breaks(rttest.BodyDescribed, "has a GetBody that fails", describing(func(c *http.Request) {
		c.GetBody = func() (io.ReadCloser, error) { return nil, io.ErrUnexpectedEOF }
	})),
	breaks(rttest.BodyDescribed, "sends the body of GetBody at first", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.GetBody == nil || r.Header == nil {
			return next.RoundTrip(r)
		}
		c := copyOf(r)
		var err error
		if c.Body, err = r.GetBody(); err != nil {
			return next.RoundTrip(r)
		}
		closeBody(r)
		resp, err := next.RoundTrip(c)
		return responseTo(r, resp), err
	}),
	breaks(rttest.BodyDescribed, "states a length without a body", sending(func(c *http.Request) {
		if c.Body == nil {
			c.ContentLength = 3
		}
	})),
	breaks(rttest.BodyDescribed, "sends a body that has been read", describing(func(c *http.Request) {
		_, _ = io.ReadAll(c.Body)
	})),
}

// panicking is a layer that breaks c where a function of the caller's panics.
func panicking(c rttest.Clause, name string, does trip) broken {
	return broken{name, rttest.Kit{Wrap: trip(pass).wrap, Panic: does.wrap}, []rttest.Clause{c}}
}

// rejects is a layer that breaks c where it should reject.
func rejects(c rttest.Clause, name string, does trip) broken {
	return broken{name, rttest.Kit{Wrap: trip(pass).wrap, Reject: does.wrap}, []rttest.Clause{c}}
}

// also returns b for a layer that cannot but break c as well.
func (b broken) also(c ...rttest.Clause) broken {
	b.want = append(b.want, c...)
	return b
}

// describing returns a layer that sends a longer body, and edits how the
// request describes it. It does not change bodies that it does not understand.
func describing(edit func(c *http.Request)) trip {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.GetBody == nil || r.ContentLength <= 0 || r.Header == nil {
			return next.RoundTrip(r)
		}
		text, err := io.ReadAll(r.Body)
		closeBody(r)
		if err != nil {
			return nil, err
		}
		c := copyOf(r)
		withBody(c, string(text)+"&sig=x")
		edit(c)
		resp, err := next.RoundTrip(c)
		return responseTo(r, resp), err
	}
}

// resend reads the body and sends what it has read.
func resend(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.ContentLength <= 0 {
		return next.RoundTrip(r)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	closeBody(r)
	c := copyOf(r)
	withBody(c, string(text))
	resp, err := next.RoundTrip(c)
	return responseTo(r, resp), err
}

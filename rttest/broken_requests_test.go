package rttest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/go-okru/okru/rttest"
)

// touching returns a layer that does something to the request, and then sends
// it. Requests that have not all it needs are spared.
func touching(touch func(r *http.Request)) trip {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.URL != nil && r.Header != nil {
			touch(r)
		}
		return next.RoundTrip(r)
	}
}

// sending returns a layer that sends an edited copy of the request.
func sending(edit func(c *http.Request)) trip {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		c := copyOf(r)
		if r.URL != nil && r.Header != nil {
			edit(c)
		}
		resp, err := next.RoundTrip(c)
		return responseTo(r, resp), err
	}
}

var brokenRequests = []broken{
	breaks(rttest.RequestUnchanged, "sets a header", touching(func(r *http.Request) { r.Header.Set("Authorization", "x") })),
	breaks(rttest.RequestUnchanged, "replaces the header", touching(func(r *http.Request) { r.Header = r.Header.Clone() })),
	breaks(rttest.RequestUnchanged, "adds to a header's values", touching(func(r *http.Request) {
		r.Header["Accept"] = append(r.Header["Accept"], "application/json")
	})),
	breaks(rttest.RequestUnchanged, "sets the query", touching(func(r *http.Request) { r.URL.RawQuery += "&sig=x" })),
	breaks(rttest.RequestUnchanged, "replaces the URL", touching(func(r *http.Request) { r.URL = new(*r.URL) })),
	breaks(rttest.RequestUnchanged, "sets the protocol", touching(func(r *http.Request) { r.Proto = "HTTP/2.0" })),
	breaks(rttest.RequestUnchanged, "wraps the body", touching(func(r *http.Request) { r.Body = wrapped(r.Body) })),
	breaks(rttest.RequestUnchanged, "replaces GetBody", touching(func(r *http.Request) {
		if old := r.GetBody; old != nil {
			r.GetBody = func() (io.ReadCloser, error) { return old() }
		}
	})),
	breaks(rttest.RequestUnchanged, "sets the length", touching(func(r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody && r.ContentLength == 0 {
			r.ContentLength = -1
		}
	})),
	breaks(rttest.RequestUnchanged, "parses the form", touching(func(r *http.Request) {
		if r.Body == nil {
			_ = r.ParseForm()
		}
	})),
	breaks(rttest.RequestUnchanged, "sets an encoding", touching(func(r *http.Request) { r.TransferEncoding = []string{"chunked"} })),
	breaks(rttest.RequestUnchanged, "adds a trailer", touching(func(r *http.Request) {
		if r.Trailer != nil {
			r.Trailer["Rttest-More"] = nil
		}
	})),
	breaks(rttest.RequestUnchanged, "sets RequestURI", touching(func(r *http.Request) { r.RequestURI = "/" })),
	breaks(rttest.RequestUnchanged, "sets Response", touching(func(r *http.Request) { r.Response = new(http.Response) })),
	breaks(rttest.RequestUnchanged, "changes a header and puts it back", changeAndPutBack),
	breaks(rttest.RequestUnchanged, "changes a header when RoundTrip returns", changeAfter),
	breaks(rttest.RequestUnchanged, "changes a header when the response is read to its end", rewrapping(func(r *http.Request, b *body) {
		b.end = func() { change(r) }
	})),
	breaks(rttest.RequestUnchanged, "changes a header when the response is closed", rewrapping(func(r *http.Request, b *body) {
		b.close = func() { change(r) }
	})),

	breaks(rttest.RequestForwarded, "changes the method", sending(func(c *http.Request) { c.Method = "PATCH" })),
	breaks(rttest.RequestForwarded, "changes the path", sending(func(c *http.Request) { c.URL = c.URL.JoinPath("more") })),
	breaks(rttest.RequestForwarded, "changes the host", sending(func(c *http.Request) { c.URL = &url.URL{Scheme: "https", Host: "example.org", Path: c.URL.Path} })),
	breaks(rttest.RequestForwarded, "loses Host", sending(func(c *http.Request) { c.Host = "" })),
	breaks(rttest.RequestForwarded, "loses the headers", sending(func(c *http.Request) { c.Header = make(http.Header) })),
	breaks(rttest.RequestForwarded, "sets every header anew", sending(func(c *http.Request) {
		h := make(http.Header)
		for key, values := range c.Header {
			for _, v := range values {
				h.Add(key, v)
			}
		}
		c.Header = h
	})),
	breaks(rttest.RequestForwarded, "loses Expect", sending(func(c *http.Request) { c.Header.Del("Expect") })),
	breaks(rttest.RequestForwarded, "loses the trailer", sending(func(c *http.Request) { c.Trailer = nil })),
	breaks(rttest.RequestForwarded, "sets Close", sending(func(c *http.Request) { c.Close = true })),
	breaks(rttest.RequestForwarded, "loses the body", sending(func(c *http.Request) {
		closeBody(c)
		c.Body, c.GetBody, c.ContentLength = nil, nil, 0
	})),
	breaks(rttest.RequestForwarded, "adds to the query", sending(addQuery)).verbatim(),
	breaks(rttest.RequestForwarded, "rewrites the body", rewrite).verbatim(),
	sound("adds to the query, which it may", sending(addQuery)),

	breaks(rttest.RequestStreamed, "reads all of an upload", lookahead(func(*http.Request) int64 { return 1 << 20 })),
	breaks(rttest.RequestStreamed, "reads the start of an upload that waits for consent", lookahead(func(r *http.Request) int64 {
		return int64(len(r.Header.Get("Expect")))
	})),
	sound("reads the start of other uploads", lookahead(func(r *http.Request) int64 {
		if r.Header.Get("Expect") != "" {
			return 0
		}
		return 1
	})),

	breaks(rttest.CopyUnchanged, "recycles the copy", recycle()),
	breaks(rttest.CopyUnchanged, "clears the copy's header", clearCopy),

	breaks(rttest.TrailerKept, "copies with Clone", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r.Clone(r.Context()))
		return responseTo(r, resp), err
	}),
}

// verbatim returns b for a layer that claims to change nothing.
func (b broken) verbatim() broken {
	b.kit.Verbatim = true
	return b
}

// sound is a layer that looks broken and is not.
func sound(name string, does trip) broken {
	return broken{name: name, kit: rttest.Kit{Wrap: does.wrap}}
}

func addQuery(c *http.Request) {
	c.URL = new(*c.URL)
	c.URL.RawQuery += "&sig=x"
}

func wrapped(b io.ReadCloser) io.ReadCloser {
	if b == nil {
		return nil
	}
	return &body{ReadCloser: b}
}

// body is the body of a request or a response, with more to do.
type body struct {
	io.ReadCloser
	read  func(p []byte) (int, error) // instead
	end   func()                      // at the end
	close func()                      // before closing
}

func (b *body) Read(p []byte) (int, error) {
	read := b.ReadCloser.Read
	if b.read != nil {
		read = b.read
	}
	n, err := read(p)
	if err == io.EOF && b.end != nil {
		b.end()
	}
	return n, err
}

func (b *body) Close() error {
	if b.close != nil {
		b.close()
	}
	return b.ReadCloser.Close()
}

// rewrapping returns a layer that puts a body of its own around that of every
// response, but for connections.
func rewrapping(edit func(r *http.Request, b *body)) trip {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if resp != nil && err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
			b := &body{ReadCloser: resp.Body}
			edit(r, b)
			resp.Body = b
		}
		return resp, err
	}
}

func change(r *http.Request) {
	if r.Header != nil {
		r.Header["Rttest-Changed"] = nil
	}
}

func changeAfter(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	defer change(r)
	return next.RoundTrip(r)
}

func changeAndPutBack(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	change(r)
	defer delete(r.Header, "Rttest-Changed")
	return next.RoundTrip(r)
}

// recycle takes its copies from a pool, and gives them back too early.
func recycle() trip {
	pool := sync.Pool{New: func() any { return new(http.Request) }}
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		c := pool.Get().(*http.Request)
		*c = *r
		defer func() {
			*c = http.Request{}
			pool.Put(c)
		}()
		resp, err := next.RoundTrip(c)
		return responseTo(r, resp), err
	}
}

func clearCopy(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	c := copyOf(r)
	defer clear(c.Header)
	resp, err := next.RoundTrip(c)
	return responseTo(r, resp), err
}

// lookahead returns a layer that reads the first bytes of uploads before it
// sends them; first returns how many.
func lookahead(first func(*http.Request) int64) trip {
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.Body == nil || r.GetBody != nil || r.Header == nil || first(r) == 0 {
			return next.RoundTrip(r)
		}
		head, err := io.ReadAll(io.LimitReader(r.Body, first(r)))
		if err != nil {
			closeBody(r)
			return nil, err
		}
		c := copyOf(r)
		c.Body = &body{ReadCloser: r.Body, read: io.MultiReader(bytes.NewReader(head), r.Body).Read}
		resp, err := next.RoundTrip(c)
		return responseTo(r, resp), err
	}
}

// withBody gives c the body text, and a GetBody that goes with it.
func withBody(c *http.Request, text string) {
	c.Body = io.NopCloser(strings.NewReader(text))
	c.ContentLength = int64(len(text))
	c.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte(text))), nil }
}

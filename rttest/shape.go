package rttest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// shape is a kind of request that a caller may send.
type shape struct {
	name  string
	build func(context.Context) *http.Request
	edit  func(*call) // the last touch; may be nil
}

// regular returns the shapes that the layer is made for.
func regular(k Kit) []shape {
	var list []shape
	for i, build := range k.Requests {
		r := build(context.Background())
		if r == nil {
			panic("rttest: a function of Kit.Requests returns nil")
		}
		list = append(list, shape{name: title(i, r), build: build})
	}
	return list
}

// title names a request without its query, which may hold secrets.
func title(i int, r *http.Request) string {
	if r.URL == nil {
		return fmt.Sprintf("request %d", i+1)
	}
	return fmt.Sprintf("request %d, %s %s", i+1, r.Method, r.URL.Path)
}

// irregular returns shapes that callers send as well, and that the layer may
// refuse, but only by an error.
func irregular(k Kit) []shape {
	var list []shape
	for _, s := range regular(k) {
		if hasBody(s.build(context.Background())) {
			list = append(list, bodyShapes(s)...)
		} else {
			list = append(list, bodilessShapes(s)...)
		}
	}
	return append(list, uploadShapes(k)...)
}

func bodyShapes(s shape) []shape {
	return []shape{
		s.as("without GetBody", func(c *call) { c.req.GetBody = nil }),
		s.as("of unknown length", func(c *call) { c.req.ContentLength = -1 }),
		s.as("streamed", func(c *call) { c.req.ContentLength, c.req.GetBody = -1, nil }),
		s.as("with a GetBody that fails", func(c *call) { c.req.GetBody = c.failGetBody }),
		s.as("with a body that fails", func(c *call) { c.unreadable = true }),
		s.as("without Header", func(c *call) { c.req.Header = nil }),
		s.as("without URL", func(c *call) { c.req.URL = nil }),
	}
}

func bodilessShapes(s shape) []shape {
	return []shape{
		s.as("with method HEAD", func(c *call) { c.req.Method = http.MethodHead }),
		s.as("without a method", func(c *call) { c.req.Method = "" }),
		s.as("with headers in odd forms", oddHeaders),
		s.as("with http.NoBody", func(c *call) { c.req.Body, c.req.GetBody = http.NoBody, getNoBody }),
		s.as("without Header", func(c *call) { c.req.Header = nil }),
		s.as("without URL", func(c *call) { c.req.URL = nil }),
	}
}

// oddHeaders adds what http.Header allows and [http.Header.Set] does not make.
func oddHeaders(c *call) {
	c.req.Header["rttest-lower"] = []string{"a", "b"}
	c.req.Header["Rttest-Nothing"] = nil
}

// uploadShapes returns requests whose body no layer should look into.
func uploadShapes(k Kit) []shape {
	s := shape{build: func(ctx context.Context) *http.Request {
		like := k.Requests[0](ctx)
		r := newRequest(ctx, http.MethodPost, like.URL.String(), strings.NewReader("no form & no = JSON ; %zz"))
		r.Header = like.Header.Clone()
		r.Header.Set("Content-Type", "application/octet-stream")
		return r
	}}
	return []shape{
		s.as("an upload", nil),
		s.as("an upload without a length", func(c *call) { c.req.ContentLength, c.req.GetBody = 0, nil }),
		s.as("a streamed upload with Expect and Trailer", func(c *call) {
			c.req.ContentLength, c.req.GetBody = -1, nil
			c.req.Body = struct{ io.ReadCloser }{c.req.Body} // a pipe, which has no Seek
			c.req.Header.Set("Expect", "100-continue")
			c.trailer = http.Header{trailerKey: nil}
			c.req.Trailer = c.trailer
		}),
	}
}

func (s shape) as(name string, edit func(*call)) shape {
	s.name, s.edit = strings.TrimSpace(s.name+" "+name), edit
	return s
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

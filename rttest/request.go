package rttest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// shape is a kind of request that a caller may send.
type shape struct {
	name  string
	build func(context.Context) *http.Request
	edit  func(*call) // the last change; may be nil

	endless bool // the context can never end
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

// title names a request without its query, which may contain secrets.
func title(i int, r *http.Request) string {
	if r.URL == nil {
		return fmt.Sprintf("request %d", i+1)
	}
	return fmt.Sprintf("request %d, %s %s", i+1, r.Method, r.URL.Path)
}

// irregular returns shapes that callers send as well, and that the layer may
// reject, but only by an error.
func irregular(k Kit) []shape {
	var list []shape
	for _, s := range regular(k) {
		if hasBody(s.build(context.Background())) {
			list = append(list, bodyShapes(s)...)
		} else {
			list = append(list, bodilessShapes(s)...)
		}
		list = append(list, s.withoutEnd())
	}
	uploads := uploadShapes(k)
	return append(append(list, uploads...), uploads[len(uploads)-1].withoutEnd())
}

func bodyShapes(s shape) []shape {
	return []shape{
		s.as("without GetBody", func(c *call) { c.req.GetBody = nil }),
		s.as("of unknown length", func(c *call) { c.req.ContentLength = -1 }),
		s.as("streamed", func(c *call) { c.req.ContentLength, c.req.GetBody = -1, nil }),
		s.as("with a GetBody that returns another body", func(c *call) { c.staleGetBody = c.req.GetBody != nil }),
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

// withoutEnd is s under a context whose Done is nil.
func (s shape) withoutEnd() shape {
	s = s.as("under a context that cannot end", s.edit)
	s.endless = true
	return s
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

// snapshot is what a request was at one time: its fields, and copies of what
// they point to.
type snapshot struct {
	http.Request
	url              *url.URL
	header           http.Header
	trailer          []string // keys only: the caller's body sets the values
	form, postForm   url.Values
	transferEncoding []string
}

func take(r *http.Request) *snapshot {
	s := &snapshot{
		Request:          *r,
		header:           r.Header.Clone(),
		trailer:          keys(r.Trailer),
		form:             url.Values(http.Header(r.Form).Clone()),
		postForm:         url.Values(http.Header(r.PostForm).Clone()),
		transferEncoding: slices.Clone(r.TransferEncoding),
	}
	if r.URL != nil {
		s.url = new(*r.URL)
	}
	return s
}

// changes returns the names of what is different in r.
func (s *snapshot) changes(r *http.Request) []string {
	var names []string
	for _, field := range []struct {
		name string
		same bool
	}{
		{"Method", r.Method == s.Method},
		{"URL", r.URL == s.URL && sameURL(r.URL, s.url)},
		{"Proto", r.Proto == s.Proto && r.ProtoMajor == s.ProtoMajor && r.ProtoMinor == s.ProtoMinor},
		{"Header", same(r.Header, s.Header) && sameValues(r.Header, s.header)},
		{"Body", same(r.Body, s.Body)},
		{"GetBody", same(r.GetBody, s.GetBody)},
		{"ContentLength", r.ContentLength == s.ContentLength},
		{"TransferEncoding", slices.Equal(r.TransferEncoding, s.transferEncoding)},
		{"Close", r.Close == s.Close},
		{"Host", r.Host == s.Host},
		{"Form", same(r.Form, s.Form) && sameValues(r.Form, s.form)},
		{"PostForm", same(r.PostForm, s.PostForm) && sameValues(r.PostForm, s.postForm)},
		{"MultipartForm", r.MultipartForm == s.MultipartForm},
		{"Trailer", same(r.Trailer, s.Trailer) && slices.Equal(keys(r.Trailer), s.trailer)},
		{"RemoteAddr", r.RemoteAddr == s.RemoteAddr},
		{"RequestURI", r.RequestURI == s.RequestURI},
		{"TLS", r.TLS == s.TLS},
		//lint:ignore SA1019 deprecated, and still not to be touched
		{"Cancel", r.Cancel == s.Cancel},
		{"Response", r.Response == s.Response},
		{"Pattern", r.Pattern == s.Pattern},
		{"Context", same(r.Context(), s.Context())},
	} {
		if !field.same {
			names = append(names, field.name)
		}
	}
	return names
}

// same reports whether a and b are the same value, map or function. Functions
// count as the same if they are of the same code.
func same(a, b any) bool {
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	if va.IsValid() != vb.IsValid() || va.IsValid() && va.Type() != vb.Type() {
		return false
	}
	switch va.Kind() {
	case reflect.Map, reflect.Func:
		return va.Pointer() == vb.Pointer()
	}
	return va.IsValid() && !va.Comparable() || a == b
}

func sameURL(a, b *url.URL) bool { return a == b || a != nil && b != nil && *a == *b }

func sameValues(a, b map[string][]string) bool { return maps.EqualFunc(a, b, slices.Equal) }

func keys(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }

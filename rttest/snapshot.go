package rttest

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
)

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

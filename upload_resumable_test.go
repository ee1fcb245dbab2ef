package okru_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/internal/test/canary"
)

// A resumableServer receives one file in chunks, as the upload host of videos
// does. It is a RoundTripper, so that it works in a synctest bubble.
type resumableServer struct {
	size     int64
	received []byte // from the beginning, without a gap
	requests []string

	cut     map[int]int   // by the number of the POST: bytes that arrive before the connection breaks
	status  map[int]int   // by the number of the POST: status of the response
	lost    map[int]bool  // by the number of the POST: the response is lost
	state   func() string // body of the response to GET; nil: byte ranges
	header  http.Header   // of responses with a status
	refuse  bool          // keeps nothing
	posts   int
	started []time.Time
}

func (s *resumableServer) ranges() string {
	if s.refuse {
		return fmt.Sprintf("0-0/%d", s.size)
	}
	if len(s.received) == 0 {
		return ""
	}
	return fmt.Sprintf("0-%d/%d", len(s.received)-1, s.size)
}

func (s *resumableServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.started = append(s.started, time.Now())
	if r.Method == http.MethodGet {
		s.requests = append(s.requests, "GET")
		text := s.ranges()
		if s.state != nil {
			text = s.state()
		}
		return respond(r, 200, text), nil
	}
	defer r.Body.Close()
	s.posts++
	s.requests = append(s.requests, r.Header.Get("Content-Range"))
	var from, to, size int64
	if _, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &size); err != nil || size != s.size || r.ContentLength != to-from+1 {
		return respond(r, 400, "bad range"), nil
	}
	limit, isCut := s.cut[s.posts]
	if !isCut {
		limit = int(to - from + 1)
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)))
	if err != nil {
		return nil, err
	}
	if from <= int64(len(s.received)) && !s.refuse && s.status[s.posts] == 0 {
		s.received = append(s.received[:from], text...)
	}
	switch {
	case s.status[s.posts] != 0:
		if s.status[s.posts] == 416 || s.status[s.posts] == 500 {
			s.received = nil
		}
		resp := respond(r, s.status[s.posts], "sorry")
		for name, values := range s.header {
			resp.Header[name] = values
		}
		return resp, nil
	case isCut, s.lost[s.posts]:
		return nil, errors.New("connection reset by peer, at " + r.URL.String())
	case int64(len(s.received)) == s.size:
		return respond(r, 200, "<retval>1</retval>"), nil
	}
	resp := respond(r, 201, s.ranges())
	return resp, nil
}

func respond(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

const videoURL = "https://vu.example/" + uploadSecret + "?id=" + uploadSecret

func TestUploadResumable(t *testing.T) {
	for name, test := range map[string]struct {
		server *resumableServer
		size   int64
		want   []string
	}{
		"one chunk": {&resumableServer{}, 10, []string{"bytes 0-9/10"}},
		"chunks":    {&resumableServer{}, 25, []string{"bytes 0-9/25", "bytes 10-19/25", "bytes 20-24/25"}},
		"cut three times": {&resumableServer{cut: map[int]int{1: 4, 2: 0, 3: 9}}, 25, []string{
			"bytes 0-9/25", "GET", "bytes 4-13/25", "GET", "bytes 4-13/25", "GET", "bytes 13-22/25", "bytes 23-24/25",
		}},
		"last response lost": {&resumableServer{lost: map[int]bool{2: true}}, 20, []string{"bytes 0-9/20", "bytes 10-19/20", "GET", "bytes 10-19/20"}},
		"status in another form": {&resumableServer{cut: map[int]int{2: 4}, state: func() string { return `{"state":"?"}` }}, 20, []string{
			"bytes 0-9/20", "bytes 10-19/20", "GET", "bytes 10-19/20",
		}},
		"range not satisfiable": {&resumableServer{status: map[int]int{2: 416}}, 20, []string{"bytes 0-9/20", "bytes 10-19/20", "bytes 0-9/20", "bytes 10-19/20"}},
		"server error":          {&resumableServer{status: map[int]int{2: 500}}, 20, []string{"bytes 0-9/20", "bytes 10-19/20", "bytes 0-9/20", "bytes 10-19/20"}},
		"unavailable":           {&resumableServer{status: map[int]int{2: 503}}, 20, []string{"bytes 0-9/20", "bytes 10-19/20", "GET", "bytes 10-19/20"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			test.server.size = test.size
			client := &http.Client{Transport: test.server}
			var progress []int64
			body, err := okru.UploadResumable(t.Context(), client, videoURL, okru.Resumable{
				Content: letters{test.size}, Size: test.size, Chunk: 10, Progress: func(n int64) { progress = append(progress, n) },
			})
			if err != nil || string(body) != "<retval>1</retval>" {
				t.Errorf("%s: %s, %v", name, body, err)
			}
			if fmt.Sprint(test.server.requests) != fmt.Sprint(test.want) {
				t.Errorf("%s: requests are %q, want %q", name, test.server.requests, test.want)
			}
			want := make([]byte, test.size)
			_, _ = letters{test.size}.ReadAt(want, 0)
			if string(test.server.received) != string(want) {
				t.Errorf("%s: received %q", name, test.server.received)
			}
			if len(progress) == 0 || progress[len(progress)-1] != test.size {
				t.Errorf("%s: progress is %v", name, progress)
			}
		})
	}
}

func TestUploadResumableGivesUp(t *testing.T) {
	forever := func(n int) map[int]int {
		all := make(map[int]int)
		for i := range 100 {
			all[i+1] = n
		}
		return all
	}
	for name, test := range map[string]struct {
		server *resumableServer
		posts  int
		after  time.Duration
	}{
		"unavailable":          {&resumableServer{status: forever(503)}, 6, 15500 * time.Millisecond},
		"throttled":            {&resumableServer{status: forever(429), header: http.Header{"Retry-After": {"20"}}}, 6, 100 * time.Second},
		"throttled for a year": {&resumableServer{status: forever(429), header: http.Header{"Retry-After": {"31536000"}}}, 6, 5 * time.Minute},
		"server error":         {&resumableServer{status: forever(500)}, 6, 15500 * time.Millisecond},
		"keeps nothing":        {&resumableServer{refuse: true}, 7, 15500 * time.Millisecond},
		"rejected":             {&resumableServer{status: forever(403)}, 1, 0},
		"URL expired":          {&resumableServer{status: forever(412)}, 1, 0},
		"without a connection": {&resumableServer{cut: forever(0)}, 6, 15500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			test.server.size = 20
			start := time.Now()
			_, err := okru.UploadResumable(t.Context(), &http.Client{Transport: test.server}, videoURL, okru.Resumable{Content: letters{20}, Size: 20, Chunk: 10})
			if err == nil || test.server.posts != test.posts || time.Since(start) != test.after {
				t.Errorf("%s: %d chunks in %v, error %v", name, test.server.posts, time.Since(start), err)
			}
			canary.Check(t, err, uploadSecret)
		})
	}
}

func TestUploadResumableContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the program ends")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
		server := &resumableServer{size: 20, status: map[int]int{1: 503}}
		start := time.Now()
		_, err := okru.UploadResumable(ctx, &http.Client{Transport: server}, videoURL, okru.Resumable{Content: letters{20}, Size: 20})
		if !errors.Is(err, cause) || time.Since(start) != 100*time.Millisecond {
			t.Errorf("error is %v after %v", err, time.Since(start))
		}
		canary.Check(t, err, uploadSecret)
	})
}

func TestUploadResumableBadInput(t *testing.T) {
	server := &resumableServer{size: 20}
	for name, test := range map[string]struct {
		content okru.Resumable
		want    string
	}{
		"no content":    {okru.Resumable{Size: 20}, "Content is nil"},
		"no size":       {okru.Resumable{Content: letters{20}}, "set Size"},
		"negative size": {okru.Resumable{Content: letters{20}, Size: -1}, "set Size"},
		"longer":        {okru.Resumable{Content: letters{21}, Size: 20}, "more than 20 bytes"},
		"shorter":       {okru.Resumable{Content: letters{19}, Size: 20}, "has 19 bytes"},
		"multipart":     {okru.Resumable{Content: letters{20}, Size: 20, ContentType: "multipart/form-data; boundary=x"}, "multipart"},
		"no media type": {okru.Resumable{Content: letters{20}, Size: 20, ContentType: "video"}, ""},
		"header":        {okru.Resumable{Content: letters{20}, Size: 20, ContentType: "video/mp4\nX: y"}, "media type"},
		"panic":         {okru.Resumable{Content: letters{20}, Size: 20, Progress: func(int64) { panic("progress") }}, "panic: progress"},
	} {
		*server = resumableServer{size: 20}
		_, err := okru.UploadResumable(t.Context(), &http.Client{Transport: server}, videoURL, test.content)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
	}
}

package okru_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// A videoUpload is an upload of a video to a fake, with what it needs.
type videoUpload struct {
	fake   *oktest.Server
	client *http.Client
	url    string
	secret string // in the URL
	sent   *[]string
}

// newVideoUpload returns an upload that goes over reach.
func newVideoUpload(t *testing.T, reach func(*oktest.Server) http.RoundTripper) videoUpload {
	t.Helper()
	u := videoUpload{fake: oktest.New(t), sent: new([]string)}
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: u.fake.App().Key, ApplicationSecret: u.fake.App().Secret,
		TokenSource: oauth.Static(u.fake.NewUser("anna", "password").Token("VIDEO_CONTENT").AccessToken, ""),
		Base:        &uploadRecorder{reach(u.fake), u.sent},
	})
	if err != nil {
		t.Fatal(err)
	}
	place, err := okru.Call[struct {
		URL string `json:"upload_url"`
	}](t.Context(), client, "video.getUploadUrl", url.Values{"file_name": {"film.mp4"}, "file_size": {"0"}})
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(place.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.client, u.url, u.secret = client, place.URL, address.Query().Get("apiToken")
	return u
}

// An uploadRecorder notes the requests to upload URLs: a GET, or a chunk.
type uploadRecorder struct {
	next http.RoundTripper
	sent *[]string
}

func (r *uploadRecorder) RoundTrip(q *http.Request) (*http.Response, error) {
	switch {
	case q.URL.Host == "api.ok.ru":
	case q.Method == http.MethodGet:
		*r.sent = append(*r.sent, "GET")
	default:
		*r.sent = append(*r.sent, q.Header.Get("Content-Range"))
	}
	return r.next.RoundTrip(q)
}

// inject makes chunks go wrong, by their number from 1; number 0 is all of
// them.
func (u videoUpload) inject(faults map[int]oktest.Fault) {
	for n, f := range faults {
		f.Method = oktest.VideoUpload
		f.Match = func(c oktest.Call) bool { return c.HTTPMethod == http.MethodPost && (n == 0 || n == u.chunks()) }
		u.fake.Inject(f)
	}
}

// chunks returns how many chunks have arrived, or have begun to.
func (u videoUpload) chunks() (n int) {
	for _, c := range u.fake.Uploads() {
		if c.HTTPMethod == http.MethodPost {
			n++
		}
	}
	return n
}

// send uploads size bytes in chunks.
func (u videoUpload) send(ctx context.Context, size, chunk int64, progress func(int64)) ([]byte, error) {
	return okru.UploadResumable(ctx, u.client, u.url, okru.Resumable{Content: letters{size}, Size: size, Chunk: chunk, Progress: progress})
}

// check fails t unless the video on the fake is what send has sent.
func (u videoUpload) check(t *testing.T, size int64) {
	t.Helper()
	want := sha256.New()
	_, _ = io.Copy(want, io.NewSectionReader(letters{size}, 0, size))
	if v := u.fake.Videos()[0]; !v.Complete || v.Size != size || string(v.SHA256[:]) != string(want.Sum(nil)) {
		t.Errorf("the fake has received %d of %d bytes, complete: %v, or others than were sent", v.Size, size, v.Complete)
	}
}

func TestUploadResumable(t *testing.T) {
	for name, test := range map[string]struct {
		faults map[int]oktest.Fault
		status string // of the response to GET; empty: that of the fake
		size   int64
		want   []string
	}{
		"one chunk": {nil, "", 10, []string{"bytes 0-9/10"}},
		"chunks":    {nil, "", 25, []string{"bytes 0-9/25", "bytes 10-19/25", "bytes 20-24/25"}},
		"cut three times": {map[int]oktest.Fault{1: {CutAfter: 4}, 2: {Reset: true}, 3: {CutAfter: 9}}, "", 25, []string{
			"bytes 0-9/25", "GET", "bytes 4-13/25", "GET", "bytes 4-13/25", "GET", "bytes 13-22/25", "bytes 23-24/25",
		}},
		"last response lost": {map[int]oktest.Fault{2: {Reset: true, AfterRun: true}}, "", 20, []string{
			"bytes 0-9/20", "bytes 10-19/20", "GET", "bytes 10-19/20",
		}},
		"status in another form": {map[int]oktest.Fault{2: {CutAfter: 4}}, `{"state":"?"}`, 20, []string{
			"bytes 0-9/20", "bytes 10-19/20", "GET", "bytes 10-19/20",
		}},
		"range not satisfiable": {map[int]oktest.Fault{2: {Status: 416}}, "", 20, []string{"bytes 0-9/20", "bytes 10-19/20", "bytes 0-9/20", "bytes 10-19/20"}},
		"server error":          {map[int]oktest.Fault{2: {Status: 500}}, "", 20, []string{"bytes 0-9/20", "bytes 10-19/20", "bytes 0-9/20", "bytes 10-19/20"}},
		"unavailable":           {map[int]oktest.Fault{2: {Status: 503}}, "", 20, []string{"bytes 0-9/20", "bytes 10-19/20", "GET", "bytes 10-19/20"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			u := newVideoUpload(t, (*oktest.Server).InProcess)
			u.inject(test.faults)
			if test.status != "" {
				u.fake.Inject(oktest.Fault{Method: oktest.VideoUpload, Match: func(c oktest.Call) bool { return c.HTTPMethod == http.MethodGet }, Body: test.status})
			}
			var progress []int64
			body, err := u.send(t.Context(), test.size, 10, func(n int64) { progress = append(progress, n) })
			if err != nil || string(body) != "<retval>1</retval>" {
				t.Errorf("%s: %s, %v", name, body, err)
			}
			if fmt.Sprint(*u.sent) != fmt.Sprint(test.want) {
				t.Errorf("%s: requests are %q, want %q", name, *u.sent, test.want)
			}
			u.check(t, test.size)
			if len(progress) == 0 || progress[len(progress)-1] != test.size {
				t.Errorf("%s: progress is %v", name, progress)
			}
		})
	}
}

// The same over real connections, which are reset while the client writes.
func TestUploadResumableOverConnections(t *testing.T) {
	if os.Getenv("OKRU_LONG") == "" {
		t.Skip("waits in real time; set OKRU_LONG=1")
	}
	const size = 24 << 20
	for name, reach := range map[string]func(*oktest.Server) http.RoundTripper{
		"HTTP/1.1": (*oktest.Server).Transport,
		"HTTP/2":   (*oktest.Server).HTTP2,
	} {
		u := newVideoUpload(t, reach)
		u.inject(map[int]oktest.Fault{1: {CutAfter: 1 << 20}, 2: {CutAfter: 3_000_000}, 4: {CutAfter: 1}})
		if body, err := u.send(t.Context(), size, 0, nil); err != nil || string(body) != "<retval>1</retval>" {
			t.Errorf("%s: %s, %v", name, body, err)
		}
		u.check(t, size)
		if u.chunks() < 6 {
			t.Errorf("%s: %d chunks: the upload was not cut three times", name, u.chunks())
		}
	}
}

func TestUploadResumableGivesUp(t *testing.T) {
	for name, test := range map[string]struct {
		fault oktest.Fault
		posts int
		after time.Duration
	}{
		"unavailable":          {oktest.Fault{Status: 503}, 6, 15500 * time.Millisecond},
		"throttled":            {oktest.Fault{Status: 429, RetryAfter: 20 * time.Second}, 6, 100 * time.Second},
		"throttled for a year": {oktest.Fault{Status: 429, RetryAfter: 365 * 24 * time.Hour}, 6, 5 * time.Minute},
		"server error":         {oktest.Fault{Status: 500}, 6, 15500 * time.Millisecond},
		"keeps nothing":        {oktest.Fault{Status: 201, Body: "0-0/20"}, 7, 15500 * time.Millisecond},
		"rejected":             {oktest.Fault{Status: 403}, 1, 0},
		"URL expired":          {oktest.Fault{Status: 412}, 1, 0},
		"without a connection": {oktest.Fault{Reset: true}, 6, 15500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			u := newVideoUpload(t, (*oktest.Server).InProcess)
			u.inject(map[int]oktest.Fault{0: test.fault})
			start := time.Now()
			_, err := u.send(t.Context(), 20, 10, nil)
			if err == nil || u.chunks() != test.posts || time.Since(start) != test.after {
				t.Errorf("%s: %d chunks in %v, error %v", name, u.chunks(), time.Since(start), err)
			}
			canary.Check(t, err, u.secret)
		})
	}
}

func TestUploadResumableContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newVideoUpload(t, (*oktest.Server).InProcess)
		u.inject(map[int]oktest.Fault{1: {Status: 503}})
		cause := errors.New("the program ends")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
		start := time.Now()
		_, err := u.send(ctx, 20, 0, nil)
		if !errors.Is(err, cause) || time.Since(start) != 100*time.Millisecond {
			t.Errorf("error is %v after %v", err, time.Since(start))
		}
		canary.Check(t, err, u.secret)
	})
}

func TestUploadResumableBadInput(t *testing.T) {
	for name, test := range map[string]struct {
		content okru.Resumable
		want    string
	}{
		"no content":     {okru.Resumable{Size: 20}, "Content is nil"},
		"no size":        {okru.Resumable{Content: letters{20}}, "set Size"},
		"negative size":  {okru.Resumable{Content: letters{20}, Size: -1}, "set Size"},
		"longer":         {okru.Resumable{Content: letters{21}, Size: 20}, "more than 20 bytes"},
		"shorter":        {okru.Resumable{Content: letters{19}, Size: 20}, "has 19 bytes"},
		"multipart":      {okru.Resumable{Content: letters{20}, Size: 20, ContentType: "multipart/form-data; boundary=x"}, "multipart"},
		"no media type":  {okru.Resumable{Content: letters{20}, Size: 20, ContentType: "video"}, ""},
		"header":         {okru.Resumable{Content: letters{20}, Size: 20, ContentType: "video/mp4\nX: y"}, "media type"},
		"panic":          {okru.Resumable{Content: letters{20}, Size: 20, Progress: func(int64) { panic("progress") }}, "panic: progress"},
		"panic, a token": {okru.Resumable{Content: letters{20}, Size: 20, Progress: func(int64) { panic(struct{ token string }{"CANARY"}) }}, "panic with a value of type struct"},
	} {
		u := newVideoUpload(t, (*oktest.Server).InProcess)
		_, err := okru.UploadResumable(t.Context(), u.client, u.url, test.content)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
	}
}

package oktest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oktest"
)

// film is what the tests upload.
var film = strings.Repeat("frame ", 10)

// announceVideo returns an upload URL and the id of its video.
func announceVideo(t *testing.T, rt http.RoundTripper, token *oauth2.Token) (address, id string) {
	t.Helper()
	r := post(t, rt, realAPI, serverSigned(token, "method", "video.getUploadUrl", "file_name", "film.mp4", "file_size", "0"))
	var place struct {
		URL string `json:"upload_url"`
		ID  string `json:"video_id"`
	}
	if err := json.Unmarshal([]byte(r.body), &place); err != nil || !strings.HasPrefix(place.URL, "https://vu.okcdn.ru/upload.do?") {
		t.Fatalf("video.getUploadUrl: %s", r.body)
	}
	return place.URL, place.ID
}

// sendVideo sends a request to an upload URL, with names and values of headers
// by turns.
func sendVideo(t *testing.T, rt http.RoundTripper, method, address, body string, headers ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return send(rt, r)
}

func multipartOf(names ...string) (body, contentType string) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for _, name := range names {
		part, _ := form.CreateFormFile(name, "film.mp4")
		fmt.Fprint(part, film)
	}
	form.Close()
	return b.String(), form.FormDataContentType()
}

func TestVideoUploadInOnePiece(t *testing.T) {
	for name := range ways(newServer(t)) {
		srv := newServer(t)
		rt := ways(srv)[name]
		token := srv.NewUser("anna", "secret").Token("VIDEO_CONTENT")
		address, id := announceVideo(t, rt, token)
		update := func() reply {
			return post(t, rt, realAPI, serverSigned(token, "method", "video.update", "vid", id, "title", "A film"))
		}
		if r := update(); r.code(t) != 100 {
			t.Errorf("%s: video.update before the upload: %s", name, r.body)
		}
		two, kind := multipartOf("data", "more")
		if r := sendVideo(t, rt, "POST", address, two, "Content-Type", kind); r.code(t) != 100 {
			t.Errorf("%s: two files: %s", name, r.body)
		}
		one, kind := multipartOf("data")
		if r := sendVideo(t, rt, "POST", address, one, "Content-Type", kind); r.body != "<retval>1</retval>" {
			t.Errorf("%s: the upload: %s, %v", name, r.body, r.err)
		}
		if r := update(); r.body != "" || r.code(t) != 0 {
			t.Errorf("%s: video.update: %s", name, r.body)
		}
		want := oktest.Video{
			File: oktest.File{Name: "film.mp4", Size: int64(len(film)), SHA256: sha256.Sum256([]byte(film))},
			ID:   id, Title: "A film", Complete: true, Updated: true,
		}
		if videos := srv.Videos(); len(videos) != 1 || videos[0] != want {
			t.Errorf("%s: videos are %+v, want %+v", name, videos, want)
		}
		got := post(t, rt, realAPI, serverSigned(token, "method", "video.get", "vids", id, "fields", "video.*"))
		if got.body != `{"videos":[{"id":"`+id+`","status":"OK","title":"A film"}]}` {
			t.Errorf("%s: video.get: %s", name, got.body)
		}
	}
}

func TestVideoGetUploadURLRejects(t *testing.T) {
	srv := newServer(t)
	anna, boris := srv.NewUser("anna", "secret").Token("VIDEO_CONTENT"), srv.NewUser("boris", "secret").Token()
	for _, test := range []struct {
		token  *oauth2.Token
		params string
		want   string
	}{
		{boris, "file_name=a&file_size=0", `"error_code":10`},
		{anna, "file_size=0", `"error_field":"file_name"`},
		{anna, "file_name=a", `"error_field":"file_size"`},
		{anna, "file_name=a&file_size=-1", `"error_field":"file_size"`},
		{anna, "file_name=a&file_size=x", `"error_field":"file_size"`},
		{anna, "file_name=a&file_size=16383", `PARAM : FileToSmall`},
		{anna, "file_name=a&file_size=2147483649", `PARAM : FileToLarge`},
		{anna, "file_name=a&file_size=0&gid=1", `"error_code":160`},
		{anna, "file_name=a&file_size=16384&gid=54000000000001", `"video_id":"66000000000001"`},
	} {
		params, _ := url.ParseQuery("method=video.getUploadUrl&" + test.params)
		r := post(t, srv.InProcess(), realAPI, signed(params, test.token.AccessToken, md5sum(test.token.AccessToken+app.Secret)))
		if !strings.Contains(r.body, test.want) {
			t.Errorf("%s: %s, want %s", test.params, r.body, test.want)
		}
	}
}

// A chunk is one request of a resumable upload: what it sends, and what comes
// back.
type chunk struct {
	method, contentRange, body string
	status                     int
	want                       string
}

func TestVideoUploadInChunks(t *testing.T) {
	for name, chunks := range map[string][]chunk{
		"in order":            {{"POST", "bytes 0-29/60", film[:30], 201, "0-29/60"}, {"GET", "", "", 200, "0-29/60"}, {"POST", "bytes 30-59/60", film[30:], 200, "<retval>1</retval>"}, {"GET", "", "", 200, "0-59/60"}},
		"nothing yet":         {{"GET", "", "", 200, ""}, {"POST", "bytes 0-59/60", film, 200, "<retval>1</retval>"}},
		"sent twice":          {{"POST", "bytes 0-29/60", film[:30], 201, "0-29/60"}, {"POST", "bytes 20-49/60", film[20:50], 201, "0-49/60"}, {"POST", "bytes 40-59/60", film[40:], 200, "<retval>1</retval>"}},
		"begun anew":          {{"POST", "bytes 0-29/60", strings.Repeat("x", 30), 201, "0-29/60"}, {"POST", "bytes 0-59/60", film, 200, "<retval>1</retval>"}},
		"gap":                 {{"POST", "bytes 0-9/60", film[:10], 201, "0-9/60"}, {"POST", "bytes 11-59/60", film[11:], 416, "gap"}, {"POST", "bytes 10-59/60", film[10:], 200, "<retval>1</retval>"}},
		"another size":        {{"POST", "bytes 0-9/60", film[:10], 201, "0-9/60"}, {"POST", "bytes 10-59/61", film[10:], 416, "size"}, {"POST", "bytes 10-59/60", film[10:], 200, "<retval>1</retval>"}},
		"not from the start":  {{"POST", "bytes 1-59/60", film[1:], 416, "gap"}, {"POST", "bytes 0-59/60", film, 200, "<retval>1</retval>"}},
		"no Content-Range":    {{"POST", "", film, 412, "Content-Range"}, {"POST", "bytes 0-59/60", film, 200, "<retval>1</retval>"}},
		"wrong Content-Range": {{"POST", "bytes 0-60/60", film + "x", 400, "form"}, {"POST", "0-59/60", film, 400, "form"}, {"POST", "bytes 0-58/60", film, 400, "Content-Length 60"}, {"POST", "bytes 0-59/60", film, 200, "<retval>1</retval>"}},
	} {
		srv := newServer(t)
		address, _ := announceVideo(t, srv.InProcess(), srv.NewUser("anna", "secret").Token("VIDEO_CONTENT"))
		for i, c := range chunks {
			headers := []string{"Content-Type", "video/mp4"}
			if c.contentRange != "" {
				headers = append(headers, "Content-Range", c.contentRange)
			}
			r := sendVideo(t, srv.InProcess(), c.method, address, c.body, headers...)
			if r.err != nil || r.StatusCode != c.status || !strings.Contains(r.body, c.want) || c.want == "" && r.body != "" {
				t.Errorf("%s: request %d: %v %q %v, want %d %q", name, i, r.StatusCode, r.body, r.err, c.status, c.want)
			}
		}
		if v := srv.Videos()[0]; !v.Complete || v.SHA256 != sha256.Sum256([]byte(film)) {
			t.Errorf("%s: the video is %+v", name, v)
		}
	}
}

func TestVideoUploadURLIsASecret(t *testing.T) {
	srv := newServer(t)
	address, _ := announceVideo(t, srv.InProcess(), srv.NewUser("anna", "secret").Token("VIDEO_CONTENT"))
	sendVideo(t, srv.InProcess(), "GET", address, "")
	for _, wrong := range []string{"https://vu.okcdn.ru/upload.do", address + "x", strings.Replace(address, "id=", "id=1", 1)} {
		if r := sendVideo(t, srv.InProcess(), "GET", wrong, ""); r.StatusCode != 403 {
			t.Errorf("%s: status %d", wrong, r.StatusCode)
		}
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	canary.Check(t, srv.Uploads(), u.Query().Get("apiToken"))
	if r := sendVideo(t, srv.InProcess(), "GET", address+"&access_token=x", ""); r.code(t) != 100 {
		t.Errorf("with a session: %s", r.body)
	}
	if r := sendVideo(t, srv.InProcess(), "POST", strings.Replace(address, "vu.okcdn.ru", "api.ok.ru", 1), ""); r.StatusCode != 404 {
		t.Errorf("on another host: status %d", r.StatusCode)
	}
}

// CutAfter breaks the connection again and again; what has arrived is kept.
func TestCutAfter(t *testing.T) {
	for name := range ways(newServer(t)) {
		srv := newServer(t)
		rt := ways(srv)[name]
		address, _ := announceVideo(t, rt, srv.NewUser("anna", "secret").Token("VIDEO_CONTENT"))
		srv.Inject(oktest.Fault{Method: oktest.VideoUpload, Match: func(c oktest.Call) bool { return c.HTTPMethod == "POST" }, CutAfter: 20, Times: 2})
		for at, part := range []string{"bytes 0-59/60", "bytes 20-59/60"} {
			if r := sendVideo(t, rt, "POST", address, film[20*at:], "Content-Type", "video/mp4", "Content-Range", part); r.err == nil {
				t.Errorf("%s: %s: status %d, want an error", name, part, r.StatusCode)
			}
			want := fmt.Sprintf("0-%d/60", 20*at+19)
			if r := sendVideo(t, rt, "GET", address, ""); r.body != want {
				t.Errorf("%s: %s have arrived, want %s", name, r.body, want)
			}
		}
		r := sendVideo(t, rt, "POST", address, film[40:], "Content-Type", "video/mp4", "Content-Range", "bytes 40-59/60")
		if r.body != "<retval>1</retval>" || srv.Videos()[0].SHA256 != sha256.Sum256([]byte(film)) {
			t.Errorf("%s: the last chunk: %q, %v", name, r.body, r.err)
		}
		uploads := srv.Uploads()
		if first := uploads[0]; !first.Faulted || first.Status != 0 || first.Ran || first.Method != oktest.VideoUpload {
			t.Errorf("%s: the first upload in the journal: %v", name, first)
		}
	}
}

// A photo whose upload is cut is not there.
func TestCutAfterOfAPhoto(t *testing.T) {
	srv := newServer(t)
	token := srv.NewUser("anna", "secret").Token("PHOTO_CONTENT")
	r := post(t, srv.InProcess(), realAPI, serverSigned(token, "method", "photosV2.getUploadUrl"))
	var place struct {
		URL string `json:"upload_url"`
	}
	if err := json.Unmarshal([]byte(r.body), &place); err != nil {
		t.Fatal(r.body)
	}
	srv.Inject(oktest.Fault{Method: oktest.PhotoUpload, CutAfter: 100, Times: 1})
	body, kind := multipartOf("pic1")
	if r := sendVideo(t, srv.Transport(), "POST", place.URL, body, "Content-Type", kind); r.err == nil || r.err == io.EOF {
		t.Errorf("the cut upload: %v", r.err)
	}
	if photos := srv.Photos(); len(photos) != 0 {
		t.Errorf("photos are %+v", photos)
	}
	if r := sendVideo(t, srv.Transport(), "POST", place.URL, body, "Content-Type", kind); r.code(t) != 0 {
		t.Errorf("the second upload: %s", r.body)
	}
	if photos := srv.Photos(); len(photos) != 1 || photos[0].SHA256 != sha256.Sum256([]byte(film)) {
		t.Errorf("photos are %+v", photos)
	}
}

// A large upload that is rejected gets its response, though the client is still
// writing when it is.
func TestRejectedUploadGetsAResponse(t *testing.T) {
	srv := newServer(t)
	token := srv.NewUser("anna", "secret").Token("VIDEO_CONTENT")
	for name, rt := range ways(srv) {
		address, _ := announceVideo(t, rt, token)
		r := sendVideo(t, rt, "POST", address, strings.Repeat("x", 8<<20), "Content-Type", "video/mp4")
		if r.err != nil || r.StatusCode != http.StatusPreconditionFailed {
			t.Errorf("%s: %v, %v", name, r.Response, r.err)
		}
	}
}

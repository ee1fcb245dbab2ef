package oktest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

func TestPhotoUpload(t *testing.T) {
	srv := newServer(t)
	token := srv.NewUser("anna", "secret").Token("PHOTO_CONTENT")
	var where struct {
		URL string   `json:"upload_url"`
		IDs []string `json:"photo_ids"`
	}
	r := post(t, srv.Transport(), realAPI, serverSigned(token, "method", "photosV2.getUploadUrl", "count", "2"))
	if err := json.Unmarshal([]byte(r.body), &where); err != nil || len(where.IDs) != 2 || !strings.HasPrefix(where.URL, "https://up.mycdn.me/uploadImage?") {
		t.Fatalf("photosV2.getUploadUrl: %s", r.body)
	}
	plain := post(t, new(http.Transport), srv.URL(), serverSigned(token, "method", "photosV2.getUploadUrl"))
	if !strings.Contains(plain.body, srv.URL()+"/uploadImage?") {
		t.Errorf("over plain http: %s", plain.body)
	}
	upload := func(query string, names ...string) reply {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for _, name := range names {
			name, empty := strings.CutSuffix(name, " empty")
			part, err := form.CreateFormFile(name, "a.jpg")
			if err != nil {
				t.Fatal(err)
			}
			if !empty {
				fmt.Fprint(part, "JPEG")
			}
		}
		form.Close()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, where.URL+query, &body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", form.FormDataContentType())
		return send(srv.Transport(), r)
	}
	if r := upload("&sig=x", "pic1"); r.code(t) != 100 {
		t.Errorf("an upload with sig: %s", r.body)
	}
	if r := postTo(t, srv.Transport(), where.URL, values("a", "b")); r.code(t) != 21 {
		t.Errorf("an upload that is not multipart: %s", r.body)
	}
	for _, name := range []string{"file1", "file", "pic", "pic0", "pic3", "pic01", "pic-1", "Pic1"} {
		if r := upload("", name); r.code(t) != 100 || !strings.Contains(r.body, "pic1 to pic2") {
			t.Errorf("an upload of part %s: %s", name, r.body)
		}
	}
	if r := upload("", "pic1", "pic1"); r.code(t) != 100 {
		t.Errorf("an upload of one part twice: %s", r.body)
	}
	if r := upload("", "pic1", "pic2 empty"); r.code(t) != 505 {
		t.Errorf("an upload of an empty part: %s", r.body)
	}
	if r := upload("", []string{}...); r.code(t) != 505 {
		t.Errorf("an upload without parts: %s", r.body)
	}
	got := upload("", "pic2")
	match := regexp.MustCompile(`^\{"photos":\{"(.*)":\{"token":"(.*)"\}\}\}$`).FindStringSubmatch(got.body)
	if match == nil || match[1] != where.IDs[1] {
		t.Fatalf("upload: %s", got.body)
	}
	commit := func() reply {
		return post(t, srv.Transport(), realAPI, serverSigned(token, "method", "photosV2.commit", "photo_id", match[1], "token", match[2]))
	}
	if r := commit(); !strings.Contains(r.body, `"assigned_photo_id":"66000000000001"`) {
		t.Errorf("photosV2.commit: %s", r.body)
	}
	if r := commit(); r.code(t) != 121 {
		t.Errorf("the second photosV2.commit: %s", r.body)
	}
}

func TestUploadsAreInTheJournal(t *testing.T) {
	srv := newServer(t)
	for _, call := range []func(){
		func() { postTo(t, srv.InProcess(), "https://up.mycdn.me/uploadImage?photoIds=x", values("a", "b")) },
		func() {
			srv.Inject(oktest.Fault{Method: oktest.PhotoUpload, Status: 503, Times: 1})
			postTo(t, srv.InProcess(), "https://up.mycdn.me/uploadImage", nil)
		},
		func() {
			srv.Inject(oktest.Fault{Method: oktest.PhotoUpload, Reset: true, Times: 1})
			postTo(t, srv.InProcess(), "https://up.mycdn.me/uploadImage", nil)
		},
	} {
		call()
	}
	uploads := srv.Uploads()
	if len(uploads) != 3 || len(srv.Calls()) != 0 {
		t.Fatalf("%d uploads, %d calls in the journal; want 3 and none", len(uploads), len(srv.Calls()))
	}
	if u := uploads[0]; u.Method != oktest.PhotoUpload || u.Code != 21 || u.Status != 200 || u.Ran || u.Params.Get("photoIds") != "x" {
		t.Errorf("an upload that is not multipart: %v", u)
	}
	if u := uploads[1]; !u.Faulted || u.Status != 503 {
		t.Errorf("an upload with a fault: %v", u)
	}
	if u := uploads[2]; !u.Faulted || u.Status != 0 {
		t.Errorf("an upload with a reset: %v", u)
	}
	srv.ForgetCalls()
	if len(srv.Uploads()) != 0 {
		t.Error("ForgetCalls has kept the uploads")
	}
}

func TestMediatopicAttachments(t *testing.T) {
	srv := newServer(t)
	token := srv.NewUser("anna", "secret").Token("GROUP_CONTENT", "PUBLISH_TO_STREAM")
	post := func(attachment string) okerrors.Code {
		return post(t, srv.InProcess(), realAPI, serverSigned(token, "method", "mediatopic.post", "attachment", attachment)).code(t)
	}
	for _, right := range []string{
		`{"media":[{"type":"text","text":"x"}]}`,
		`{"media":[{"type":"link","url":"https://example.com"},{"type":"photo","list":[{"photoId":1},{"existing_photo_id":"1"}]}]}`,
		`{"media":[{"type":"movie-reshare","movieId":12345678901234567890}]}`,
		`{"media":[{"type":"poll","question":"?","answers":[{"text":"a"}]}]}`,
	} {
		if code := post(right); code != 0 {
			t.Errorf("%s: got code %v", right, code)
		}
	}
	for _, wrong := range []string{
		`{`, `[]`, `{}`, `null`, `{"media":[]}`, `{"media":{}}`, `{"media":[{}]}`, `{"media":[{"type":"film"}]}`,
		`{"media":[{"type":"text"}]}`, `{"media":[{"type":"text","text":""}]}`, `{"media":[{"type":"link"}]}`,
		`{"media":[{"type":"photo","list":[]}]}`, `{"media":[{"type":"photo","list":[{"id":""}]}]}`,
		`{"media":[{"type":"photo","list":[{"id":"x"},{}]}]}`, `{"media":[{"type":"photo","list":["x"]}]}`,
		`{"media":[{"type":"photo","list":[{"id":"unknown token"}]}]}`, `{"media":[{"type":"photo","list":{"id":"x"}}]}`,
		`{"media":[{"type":"movie","list":[{"id":"1"}]}]}`, `{"media":[{"type":"movie","list":[1]}]}`,
		`{"media":[{"type":"text","text":["x"]}]}`, `{"media":[{"type":"link","url":1}]}`, `{"media":[{"type":"text","text":"x"}]}{}`,
	} {
		if code := post(wrong); code != 100 {
			t.Errorf("%s: got code %v, want 100", wrong, code)
		}
	}
}

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
)

func TestPhotoUpload(t *testing.T) {
	srv := newServer(t)
	token := srv.NewUser("anna", "secret").Token("PHOTO_CONTENT")
	var where struct {
		URL string   `json:"upload_url"`
		IDs []string `json:"photo_ids"`
	}
	r := post(t, srv.Transport(), realAPI, serverSigned(token, "method", "photosV2.getUploadUrl", "count", "2"))
	if err := json.Unmarshal([]byte(r.body), &where); err != nil || len(where.IDs) != 2 || !strings.HasPrefix(where.URL, realAPI+"/upload/") {
		t.Fatalf("photosV2.getUploadUrl: %s", r.body)
	}
	plain := post(t, new(http.Transport), srv.URL(), serverSigned(token, "method", "photosV2.getUploadUrl"))
	if !strings.Contains(plain.body, srv.URL()+"/upload/") {
		t.Errorf("over plain http: %s", plain.body)
	}
	upload := func(query, name string) reply {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile(name, "a.jpg")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(part, "JPEG")
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

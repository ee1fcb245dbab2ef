package oktest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
)

const gid = "54000000000001"

// uploadPhoto returns the id and the token of an uploaded photo.
func uploadPhoto(t *testing.T, rt http.RoundTripper, token *oauth2.Token, pairs ...string) (id, photoToken string) {
	t.Helper()
	r := post(t, rt, realAPI, serverSigned(token, append(pairs, "method", "photosV2.getUploadUrl")...))
	var place struct {
		URL string   `json:"upload_url"`
		IDs []string `json:"photo_ids"`
	}
	if err := json.Unmarshal([]byte(r.body), &place); err != nil || len(place.IDs) != 1 {
		t.Fatalf("photosV2.getUploadUrl: %s", r.body)
	}
	body, kind := multipartOf("pic1")
	r = sendVideo(t, rt, "POST", place.URL, body, "Content-Type", kind)
	var done struct {
		Photos map[string]struct{ Token string }
	}
	if err := json.Unmarshal([]byte(r.body), &done); err != nil {
		t.Fatalf("the upload: %s", r.body)
	}
	return place.IDs[0], done.Photos[place.IDs[0]].Token
}

func attachment(media ...map[string]any) string {
	text, _ := json.Marshal(map[string]any{"media": media})
	return string(text)
}

// A topic with everything in it is read back as it was posted.
func TestTopics(t *testing.T) {
	srv := newServer(t)
	rt := srv.InProcess()
	token := srv.NewUser("anna", "secret").Token("PHOTO_CONTENT", "VIDEO_CONTENT", "GROUP_CONTENT")
	photoID, photoToken := uploadPhoto(t, rt, token, "gid", gid)
	address, videoID := announceVideo(t, rt, token)
	whole, kind := multipartOf("data")
	sendVideo(t, rt, "POST", address, whole, "Content-Type", kind)
	params := serverSigned(token, "method", "mediatopic.post", "gid", gid, "type", "GROUP_THEME", "attachment", attachment(
		map[string]any{"type": "text", "text": "Привет"},
		map[string]any{"type": "photo", "list": []any{map[string]any{"id": photoToken}}},
		map[string]any{"type": "movie", "list": []any{map[string]any{"id": videoID}}},
		map[string]any{"type": "link", "url": "https://example.com/"},
	))
	id := strings.Trim(post(t, rt, realAPI, params).body, `"`)

	topics := srv.Topics(gid)
	if len(topics) != 1 || len(srv.Topics("")) != 0 {
		t.Fatalf("topics are %+v", topics)
	}
	got := topics[0]
	if got.ID != id || got.GroupID != gid || got.UserID != "580000000001" || got.Created.IsZero() ||
		!slices.Equal(got.Texts, []string{"Привет"}) || !slices.Equal(got.Links, []string{"https://example.com/"}) ||
		!slices.Equal(got.Photos, srv.Photos()) || !slices.Equal(got.Videos, srv.Videos()) || len(got.Photos) != 1 || len(got.Videos) != 1 {
		t.Errorf("the topic is %+v", got)
	}

	list := post(t, rt, realAPI, serverSigned(token, "method", "group.getStatTopics", "gid", gid, "fields", "ID,COMMENTS"))
	if want := `{"anchor":"` + id + `","has_more":false,"topics":[{"comments":0,"id":"` + id + `"}]}`; list.body != want {
		t.Errorf("group.getStatTopics: %s, want %s", list.body, want)
	}
	read := post(t, rt, realAPI, serverSigned(token, "method", "mediatopic.getByIds", "topic_ids", id, "fields", "media_topic.*"))
	for _, part := range []string{
		`{"text":"Привет","type":"text"}`, `{"photo_refs":["group_photo:` + photoID + `"],"type":"photo"}`, `{"movie_refs":["video:` + videoID + `"],"type":"movie"}`,
		`{"type":"link","url":"https://example.com/"}`, `"owner_ref":"group:` + gid + `"`, `"author_ref":"user:580000000001"`, `"created_ms":`,
	} {
		if !strings.Contains(read.body, part) {
			t.Errorf("mediatopic.getByIds: %s has no %s", read.body, part)
		}
	}
	if strings.Contains(read.body, photoToken) {
		t.Errorf("mediatopic.getByIds shows the token of a photo: %s", read.body)
	}
}

func TestMediatopicPostRejects(t *testing.T) {
	srv := newServer(t)
	rt := srv.InProcess()
	anna := srv.NewUser("anna", "secret").Token("PHOTO_CONTENT", "VIDEO_CONTENT", "GROUP_CONTENT")
	boris := srv.NewUser("boris", "secret").Token()
	photoID, _ := uploadPhoto(t, rt, anna)
	_, videoID := announceVideo(t, rt, anna)
	committedID, committed := uploadPhoto(t, rt, anna)
	post(t, rt, realAPI, serverSigned(anna, "method", "photosV2.commit", "photo_id", committedID, "token", committed))
	text := attachment(map[string]any{"type": "text", "text": "x"})
	for name, test := range map[string]struct {
		token                    *oauth2.Token
		kind, gid, more, content string
		want                     string
	}{
		"no scope":           {boris, "GROUP_THEME", gid, "", text, `"error_data":"GROUP_CONTENT"`},
		"to the status":      {boris, "USER_STATUS", "", "", text, `"error_data":"SET_STATUS"`},
		"set_status":         {boris, "USER", "", "set_status=true", text, `"error_data":"SET_STATUS"`},
		"a note":             {boris, "USER_NOTE", "", "", text, `"error_data":"PUBLISH_NOTE"`},
		"own page":           {boris, "USER", "", "", text, `"66`},
		"a group":            {anna, "GROUP_THEME", gid, "", text, `"66`},
		"suggested":          {anna, "GROUP_SUGGESTED", gid, "", text, `"66`},
		"no type":            {anna, "", gid, "", text, `"error_field":"type"`},
		"wrong type":         {anna, "USER", gid, "", text, `"error_field":"type"`},
		"unknown type":       {anna, "GROUP", gid, "", text, `"error_field":"type"`},
		"no gid":             {anna, "GROUP_THEME", "", "", text, `"error_field":"gid"`},
		"unknown group":      {anna, "GROUP_THEME", "1", "", text, `"error_code":160`},
		"photo id":           {anna, "GROUP_THEME", gid, "", attachment(map[string]any{"type": "photo", "list": []any{map[string]any{"id": photoID}}}), `not the photo id`},
		"committed photo":    {anna, "GROUP_THEME", gid, "", attachment(map[string]any{"type": "photo", "list": []any{map[string]any{"id": committed}}}), `committed`},
		"video not uploaded": {anna, "GROUP_THEME", gid, "", attachment(map[string]any{"type": "movie", "list": []any{map[string]any{"id": videoID}}}), `is not complete`},
	} {
		params, _ := url.ParseQuery(test.more)
		params.Set("method", "mediatopic.post")
		params.Set("attachment", test.content)
		for name, value := range map[string]string{"type": test.kind, "gid": test.gid} {
			if value != "" {
				params.Set(name, value)
			}
		}
		r := post(t, rt, realAPI, signed(params, test.token.AccessToken, md5sum(test.token.AccessToken+app.Secret)))
		if !strings.Contains(r.body, test.want) {
			t.Errorf("%s: %s, want %s", name, r.body, test.want)
		}
	}
	if n, own := len(srv.Topics(gid)), len(srv.Topics("")); n != 2 || own != 1 {
		t.Errorf("%d topics are in the group and %d on pages, want 2 and 1", n, own)
	}
}

func TestGetStatTopicsHasPages(t *testing.T) {
	srv := newServer(t)
	rt := srv.InProcess()
	token := srv.NewUser("anna", "secret").Token("GROUP_CONTENT")
	call := func(pairs ...string) reply { return post(t, rt, realAPI, serverSigned(token, pairs...)) }
	var ids []string // the newest first
	for range 5 {
		r := call("method", "mediatopic.post", "gid", gid, "type", "GROUP_THEME", "attachment", attachment(map[string]any{"type": "text", "text": "x"}))
		ids = slices.Insert(ids, 0, strings.Trim(r.body, `"`))
	}
	var got []string
	anchor := []string{}
	for more := true; more; {
		r := call(append(anchor, "method", "group.getStatTopics", "gid", gid, "count", "2")...)
		var page struct {
			Topics []struct {
				ID      string
				Created int64 `json:"created_ms"`
			}
			Anchor  string
			HasMore bool `json:"has_more"`
		}
		if err := json.Unmarshal([]byte(r.body), &page); err != nil || len(page.Topics) == 0 || page.Topics[0].Created == 0 {
			t.Fatal(r.body)
		}
		for _, topic := range page.Topics {
			got = append(got, topic.ID)
		}
		anchor, more = []string{"anchor", page.Anchor}, page.HasMore
	}
	if !slices.Equal(got, ids) {
		t.Errorf("the pages have %v, want %v", got, ids)
	}
	for params, want := range map[string]string{
		"gid=54000000000002":                 `"topics":null`,
		"gid=54000000000001&start_time=4e12": `"error_code":100`,
		"gid=54000000000001&end_time=1":      `"topics":null`,
		"gid=54000000000001&count=101":       `"error_field":"count"`,
		"gid=54000000000001&anchor=1":        `"error_field":"anchor"`,
		"gid=1":                              `"error_code":160`,
		"":                                   `"error_field":"gid"`,
	} {
		values, _ := url.ParseQuery(params + "&method=group.getStatTopics")
		if r := post(t, rt, realAPI, signed(values, token.AccessToken, md5sum(token.AccessToken+app.Secret))); !strings.Contains(r.body, want) {
			t.Errorf("%s: %s, want %s", params, r.body, want)
		}
	}
	for _, test := range []struct{ ids, limit, want string }{
		{ids[0], "", `{"id":"` + ids[0] + `"}`},
		{ids[0] + "," + ids[1], "", `"error_field":"media_limit"`},
		{ids[0] + "," + ids[1], "4", `"error_field":"media_limit"`},
		{ids[0] + "," + ids[1], "3", `[{"id":"` + ids[0] + `"},{"id":"` + ids[1] + `"}]`},
		{"1", "", `"media_topics":null`},
	} {
		pairs := []string{"method", "mediatopic.getByIds", "topic_ids", test.ids}
		if test.limit != "" {
			pairs = append(pairs, "media_limit", test.limit)
		}
		if r := call(pairs...); !strings.Contains(r.body, test.want) {
			t.Errorf("mediatopic.getByIds of %s: %s, want %s", test.ids, r.body, test.want)
		}
	}
}

// An upload URL of photos works for a day, and needs no session.
func TestPhotoUploadURLExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		rt := srv.InProcess()
		r := post(t, rt, realAPI, serverSigned(srv.NewUser("anna", "secret").Token("PHOTO_CONTENT"), "method", "photosV2.getUploadUrl"))
		var place struct {
			URL string `json:"upload_url"`
		}
		if err := json.Unmarshal([]byte(r.body), &place); err != nil {
			t.Fatal(r.body)
		}
		body, kind := multipartOf("pic1")
		for _, test := range []struct {
			address string
			wait    time.Duration
			want    okerrors.Code
		}{
			{place.URL, 24*time.Hour - 1, 0},
			{place.URL + "x", 0, okerrors.CodeParamPhotoID},
			{place.URL, 1, okerrors.CodeParamPhotoID},
		} {
			time.Sleep(test.wait)
			if r := sendVideo(t, rt, "POST", test.address, body, "Content-Type", kind); r.code(t) != test.want {
				t.Errorf("%+v: %s", test, r.body)
			}
		}
	})
}

func TestPhotosInAlbums(t *testing.T) {
	srv := newServer(t)
	rt := srv.InProcess()
	token := srv.NewUser("anna", "secret").Token("PHOTO_CONTENT")
	aid := strings.Trim(post(t, rt, realAPI, serverSigned(token, "method", "photos.createAlbum", "title", "Concert", "gid", gid)).body, `"`)
	id, photoToken := uploadPhoto(t, rt, token, "gid", gid, "aid", aid)
	post(t, rt, realAPI, serverSigned(token, "method", "photosV2.commit", "photo_id", id, "token", photoToken))
	if p := srv.Photos(); len(p) != 1 || p[0].ID != id || p[0].GroupID != gid || p[0].AlbumID != aid || p[0].AssignedID == "" {
		t.Errorf("photos are %+v", p)
	}
	for _, wrong := range [][]string{{"gid", gid, "aid", "1"}, {"aid", aid}, {"gid", "54000000000002", "aid", aid}} {
		if r := post(t, rt, realAPI, serverSigned(token, append(wrong, "method", "photosV2.getUploadUrl")...)); r.code(t) != 120 {
			t.Errorf("%v: %s", wrong, r.body)
		}
	}
	if r := post(t, rt, realAPI, serverSigned(token, "method", "photosV2.getUploadUrl", "gid", "1")); r.code(t) != 160 {
		t.Errorf("an unknown group: %s", r.body)
	}
}

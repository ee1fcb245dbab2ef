package okru_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"strings"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oktest"
)

// A photo in a post of a group: an upload URL, the upload, and the post, which
// names the photo by the token of its upload. Such a photo is not committed.
func ExampleUpload() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	client, ctx := newGroupClient(fake), context.Background()
	picture := strings.NewReader("JPEG") // or an *os.File

	place, err := okru.Call[struct {
		URL string `json:"upload_url"`
	}](ctx, client, "photosV2.getUploadUrl", url.Values{"gid": {gid}})
	if err != nil {
		log.Fatal(err)
	}
	body, err := okru.Upload(ctx, client, place.URL, okru.File{Name: "cat.jpg", ContentType: "image/jpeg", Content: picture})
	if err != nil {
		log.Fatal(err)
	}
	id, err := okru.Call[string](ctx, client, "mediatopic.post", url.Values{
		"gid": {gid}, "type": {"GROUP_THEME"}, "attachment": {attachment(
			map[string]any{"type": "text", "text": "A cat"},
			map[string]any{"type": "photo", "list": photoList(body)},
		)},
	})
	topic := fake.Topics(gid)[0]
	fmt.Println(id == topic.ID, topic.Texts, topic.Photos[0].Name, err)
	// Output: true [A cat] cat.jpg <nil>
}

// A video in a post of a group: an upload URL, the upload, which continues where
// it was cut if the connection breaks, the title, and the post.
func ExampleUploadResumable() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	client, ctx := newGroupClient(fake), context.Background()
	film := strings.NewReader(strings.Repeat("frame ", 5000)) // or an *os.File

	place, err := okru.Call[struct {
		ID  string `json:"video_id"`
		URL string `json:"upload_url"`
	}](ctx, client, "video.getUploadUrl", url.Values{"gid": {gid}, "file_name": {"film.mp4"}, "file_size": {fmt.Sprint(film.Size())}})
	if err != nil {
		log.Fatal(err)
	}
	_, err = okru.UploadResumable(ctx, client, place.URL, okru.Resumable{Content: film, Size: film.Size(), Name: "film.mp4", ContentType: "video/mp4"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err = okru.Call[any](ctx, client, "video.update", url.Values{"vid": {place.ID}, "title": {"A film"}}); err != nil {
		log.Fatal(err)
	}
	_, err = okru.Call[string](ctx, client, "mediatopic.post", url.Values{
		"gid": {gid}, "type": {"GROUP_THEME"}, "attachment": {attachment(
			map[string]any{"type": "movie", "list": []any{map[string]any{"id": place.ID}}},
		)},
	})
	video := fake.Topics(gid)[0].Videos[0]
	fmt.Println(video.Title, video.Size, err)
	// Output: A film 30000 <nil>
}

// photoList returns the photos of the response to an upload, for an
// attachment.
func photoList(body []byte) (list []any) {
	var uploaded struct {
		Photos map[string]struct{ Token string } // by photo id
	}
	if err := json.Unmarshal(body, &uploaded); err != nil {
		log.Fatal(err)
	}
	for _, photo := range uploaded.Photos {
		list = append(list, map[string]any{"id": photo.Token})
	}
	return list
}

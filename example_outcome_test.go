package okru_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// A post whose response is lost may be there or not. The program looks for it
// before it posts again: it lists the group's latest posts, and reads them.
// The program examples/publish does the same, and survives a crash as well.
func ExampleCall_outcomeUnknown() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	// The connection breaks once, after the post is there.
	fake.Inject(oktest.Fault{Method: "mediatopic.post", Reset: true, AfterRun: true, Times: 1})
	client := newGroupClient(fake)

	const text = "Concert on Friday, order 4711" // with a mark by which it is found
	err := post(context.Background(), client, text)
	fmt.Println("error:", err)
	fmt.Println("posts:", len(fake.Topics(gid)))
	// Output:
	// the outcome is unknown, looking for the post
	// error: <nil>
	// posts: 1
}

const gid = "54000000000001"

// newGroupClient returns a client of a user who may post to groups.
func newGroupClient(fake *oktest.Server) *http.Client {
	app, user := fake.App(), fake.NewUser("anna", "her password")
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: app.Key, ApplicationSecret: app.Secret, Base: fake.Transport(),
		TokenSource: oauth.Static(user.Token("VALUABLE_ACCESS", "GROUP_CONTENT", "PHOTO_CONTENT", "VIDEO_CONTENT").AccessToken, ""),
	})
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// attachment returns the attachment of a post with these media.
func attachment(media ...map[string]any) string {
	text, err := json.Marshal(map[string]any{"media": media})
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}

// post posts text once, and reads back before it repeats what may have run.
func post(ctx context.Context, client *http.Client, text string) error {
	for {
		_, err := okru.Call[string](ctx, client, "mediatopic.post", url.Values{
			"gid": {gid}, "type": {"GROUP_THEME"}, "attachment": {attachment(map[string]any{"type": "text", "text": text})},
		})
		if !errors.Is(err, okerrors.ErrOutcomeUnknown) {
			return err // nil, or it certainly did not run
		}
		fmt.Println("the outcome is unknown, looking for the post")
		if found, err := isPosted(ctx, client, text); found || err != nil {
			return err
		}
	}
}

// isPosted reports whether text is in one of the group's latest posts.
func isPosted(ctx context.Context, client *http.Client, text string) (bool, error) {
	type topics struct {
		Topics []struct{ ID string }
	}
	latest, err := okru.Call[topics](ctx, client, "group.getStatTopics", url.Values{"gid": {gid}, "count": {"10"}, "fields": {"ID"}})
	if err != nil || len(latest.Topics) == 0 {
		return false, err
	}
	var ids []string
	for _, t := range latest.Topics {
		ids = append(ids, t.ID)
	}
	type contents struct {
		MediaTopics []any `json:"media_topics"`
	}
	read, err := okru.Call[contents](ctx, client, "mediatopic.getByIds", url.Values{
		"topic_ids": {strings.Join(ids, ",")}, "media_limit": {"3"}, "fields": {"media_topic.*"},
	})
	return strings.Contains(fmt.Sprint(read), text), err
}

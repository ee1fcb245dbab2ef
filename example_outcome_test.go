package okru_test

import (
	"context"
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
func ExampleCall_outcomeUnknown() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	var posts []string
	fake.Handle("mediatopic.post", func(params url.Values) (any, error) {
		posts = append(posts, params.Get("attachment"))
		return fmt.Sprint(len(posts)), nil
	})
	fake.Handle("group.getStatTopics", func(url.Values) (any, error) {
		return map[string]any{"topics": []any{map[string]any{"id": fmt.Sprint(len(posts))}}}, nil
	})
	fake.Handle("mediatopic.getByIds", func(params url.Values) (any, error) {
		return map[string]any{"media_topics": posts}, nil
	})
	// The connection breaks once, after the post is there.
	fake.Inject(oktest.Fault{Method: "mediatopic.post", Reset: true, AfterRun: true, Times: 1})

	app, user := fake.App(), fake.NewUser("anna", "her password")
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: app.Key, ApplicationSecret: app.Secret, Base: fake.Transport(),
		TokenSource: oauth.Static(user.Token("VALUABLE_ACCESS", "GROUP_CONTENT").AccessToken, ""),
	})
	if err != nil {
		log.Fatal(err)
	}
	const text = "Concert on Friday, order 4711" // with a mark by which it is found
	err = post(context.Background(), client, text)
	fmt.Println("error:", err)
	fmt.Println("posts:", len(posts))
	// Output:
	// the outcome is unknown, looking for the post
	// error: <nil>
	// posts: 1
}

const gid = "54000000000001"

// post posts text once, and reads back before it repeats what may have run.
func post(ctx context.Context, client *http.Client, text string) error {
	for {
		_, err := okru.Call[string](ctx, client, "mediatopic.post", url.Values{
			"gid": {gid}, "type": {"GROUP_THEME"}, "attachment": {`{"media":[{"type":"text","text":"` + text + `"}]}`},
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
	if err != nil {
		return false, err
	}
	var ids []string
	for _, t := range latest.Topics {
		ids = append(ids, t.ID)
	}
	type contents struct {
		MediaTopics []any `json:"media_topics"`
	}
	read, err := okru.Call[contents](ctx, client, "mediatopic.getByIds", url.Values{"topic_ids": {strings.Join(ids, ",")}})
	return strings.Contains(fmt.Sprint(read), text), err
}

package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

//go:embed posts
var demoPosts embed.FS

// demoGroup is one of the groups of the fake.
const demoGroup = "54000000000001"

// demonstrate publishes the posts of the program to a fake, whose connections
// break, and starts again.
func demonstrate(ctx context.Context, o options) error {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	fake.Inject(oktest.Fault{Method: oktest.PhotoUpload, CutAfter: 300, Times: 1})
	fake.Inject(oktest.Fault{Method: "mediatopic.post", Reset: true, AfterRun: true, Times: 1})           // it is posted, but the response is lost
	fake.Inject(oktest.Fault{Method: "mediatopic.post", Status: http.StatusServiceUnavailable, Times: 1}) // it is not posted, but it might be

	state, err := os.MkdirTemp("", "publish")
	if err != nil {
		return err
	}
	defer os.RemoveAll(state)
	o.state, o.settle = state, 100*time.Millisecond
	folder, err := fs.Sub(demoPosts, "posts")
	if err != nil {
		return err
	}
	if o.posts != "" {
		folder = os.DirFS(o.posts)
	}
	user := fake.NewUser("anna", "password").Token("VALUABLE_ACCESS", "GROUP_CONTENT", "PHOTO_CONTENT")
	app := fake.App()
	for _, title := range []string{
		"publishing to a fake of OK inside this program; set OKRU_APPLICATION_KEY for the real one",
		"starting again: nothing is left to do",
	} {
		fmt.Fprintln(o.out, title)
		ok, err := connect(credentials{app.ID, app.Key, app.Secret, user.RefreshToken}, demoGroup, state, fake.Transport(), transport.Retry{})
		if err != nil {
			return err
		}
		if err := publishAll(ctx, ok, folder, o); err != nil {
			return err
		}
	}
	fmt.Fprintln(o.out, "the group has these posts:")
	for _, t := range fake.Topics(demoGroup) {
		fmt.Fprintf(o.out, "%s  %d pictures  %q\n", t.ID, len(t.Photos), t.Texts)
	}
	return nil
}

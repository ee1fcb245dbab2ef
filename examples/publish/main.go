// Publish posts a folder of posts with pictures to a group. It may be stopped,
// killed or cut off at any time and started again: no post is lost, and none is
// posted twice. What to learn from it:
//
//   - A journal on disk has the intent before each post and the result after
//     it; see journal.go.
//   - A post whose response is lost may be in the group or not.
//     okerrors.ErrOutcomeUnknown finds this error. The program then reads the
//     posts of the group back, and posts again only if the post is not there.
//     If that leaves a doubt, it stops and asks the user; see wall.go.
//   - Pictures are uploaded from the disk, with progress, and not held in memory;
//     see upload.go.
//   - The session is renewed and kept in a file by oauth.Source and
//     oauth.FileStore; see service.go.
//
// Without settings it publishes the folder posts of this program to a fake of
// the service inside the program, whose connections break; then it starts again,
// and ends. With OKRU_APPLICATION_ID, OKRU_APPLICATION_KEY and
// OKRU_APPLICATION_SECRET in the environment, and OKRU_REFRESH_TOKEN at the
// first start, it publishes the folder -posts to the group -group of OK. The
// user needs the scopes VALUABLE_ACCESS, GROUP_CONTENT and PHOTO_CONTENT.
//
// The folder has one folder for each post. They are published in the order of
// their names, and the name identifies the post: one that was renamed is
// published again. A name that begins with a dot or an underscore is a draft. In
// the folder of a post, text.md or text.txt is the text, which is posted as it
// is, and each .jpg, .jpeg, .png, .gif and .webp is a picture, in the order of
// their names. A post needs a text or a picture.
//
// The folder -state must be kept: without it, every post is published again.
//
// The exit status is 0 if every post is in the group, 3 if the user must decide
// whether one is, and 1 after any other error. After 1, start again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.posts, "posts", "", "`folder` of the posts; empty with the fake: those of this program")
	flag.StringVar(&o.group, "group", "", "`id` of the group to post to")
	flag.StringVar(&o.state, "state", "publish-state", "`folder` for the journal and the session, which is a secret")
	flag.StringVar(&o.posted, "posted", "", "the user has looked: the post `name` is in the group")
	flag.StringVar(&o.again, "again", "", "the user has looked: the post `name` is not in the group")
	flag.DurationVar(&o.settle, "settle", time.Minute, "how long OK may take to list a new post")
	flag.Parse()
	o.out = os.Stdout
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(report(run(ctx, o)))
}

// options are the flags.
type options struct {
	posts, group, state string
	posted, again       string // names of posts
	settle              time.Duration
	out                 io.Writer
}

// run publishes to OK if the environment has an application, or else to a fake.
func run(ctx context.Context, o options) error {
	if os.Getenv("OKRU_APPLICATION_KEY") == "" {
		return demonstrate(ctx, o)
	}
	ok, err := newService(o)
	if err != nil {
		return err
	}
	return publishAll(ctx, ok, os.DirFS(o.posts), o)
}

// report writes an error with what to do about it, and returns the exit status.
func report(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "publish:", err)
	if errors.Is(err, errUndecided) {
		fmt.Fprintln(os.Stderr, "Look at the group. If the post is there, start again with -posted NAME, else with -again NAME.")
		return 3
	}
	return 1
}

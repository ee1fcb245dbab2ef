package okvcr_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	okvcr "github.com/go-okru/okru/vcr"
)

// The first run calls OK, here the fake of package oktest, and writes the
// cassette. The second reads it, with a session that no server knows.
func Example() {
	ok := oktest.NewServer(oktest.App{})
	defer ok.Close()
	dir, _ := os.MkdirTemp("", "okvcr")
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "friends")
	session := ok.NewUser("anna", "her password").Token()

	for _, token := range []string{session.AccessToken, "anything"} {
		r, err := recorder.New(file,
			recorder.WithHook(okvcr.Hook, recorder.BeforeSaveHook),
			recorder.WithMatcher(okvcr.Matcher),
			recorder.WithSkipRequestLatency(true),
			recorder.WithRealTransport(ok.Transport()), // leave it out to call OK
		)
		if err != nil {
			fmt.Println(err)
			return
		}
		client, err := okru.NewClient(okru.Config{
			ApplicationKey:    ok.App().Key,
			ApplicationSecret: ok.App().Secret,
			TokenSource:       oauth.Static(token, ""),
			Base:              r,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		friends, err := okru.Call[[]string](context.Background(), client, "friends.get", nil)
		fmt.Println(len(friends), err, "recording:", r.IsRecording())
		if err := r.Stop(); err != nil {
			fmt.Println(err)
		}
	}

	text, _ := os.ReadFile(file + ".yaml")
	fmt.Println("calls:", len(ok.Calls()), "token in the file:", strings.Contains(string(text), session.AccessToken))
	// Output:
	// 7 <nil> recording: true
	// 7 <nil> recording: false
	// calls: 1 token in the file: false
}

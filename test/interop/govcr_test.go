package interop_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"github.com/go-okru/okru/oktest"
	okvcr "github.com/go-okru/okru/vcr"
)

// A recorder of go-vcr below the stack, with the hook and the matcher of
// package okvcr: without them the file has the session in it, and replays for
// no other.
func Example_goVCR() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	dir, _ := os.MkdirTemp("", "interop")
	defer os.RemoveAll(dir)
	for range 2 { // each with a session of its own
		r, err := recorder.New(filepath.Join(dir, "friends"), append(vcrOptions, recorder.WithRealTransport(srv.Transport()))...)
		if err != nil {
			fmt.Println(err)
			return
		}
		err = drain(newClient(over(srv, r)).Get(friendsURL))
		fmt.Println(err, r.Stop(), "calls:", len(srv.Calls()))
	}
	// Output:
	// <nil> <nil> calls: 1
	// <nil> <nil> calls: 1
}

var vcrOptions = []recorder.Option{
	recorder.WithHook(okvcr.Hook, recorder.BeforeSaveHook),
	recorder.WithMatcher(okvcr.Matcher),
	recorder.WithSkipRequestLatency(true),
}

func vcrBelow(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	r, err := recorder.New("unsaved", append(vcrOptions, recorder.WithMode(recorder.ModeRecordOnly), recorder.WithRealTransport(base))...)
	if err != nil {
		panic(err)
	}
	return by(newClient(over(srv, r, scopes...)))
}

package okvcr_test

import (
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oktest"
	okvcr "github.com/go-okru/okru/vcr"
)

// On replay the program gets the same results with keys that no server knows,
// and uses everything that was recorded.
func TestReplay(t *testing.T) {
	x := recordAll(t, hook(), matcher())
	used := make(map[int]bool)
	r := newRecorder(t, x.file, matcher(), recorder.WithMode(recorder.ModeReplayOnly), recorder.WithRealTransport(noNetwork{}),
		recorder.WithHook(func(i *cassette.Interaction) error { used[i.ID] = true; return nil }, recorder.BeforeResponseReplayHook))
	p := program{keys: madeUp(), base: r, on: func(func(*oktest.Server)) {}}
	if log := p.run(); !sameLines(log, x.log) {
		t.Errorf("recorded:\n%s\nreplayed:\n%s", strings.Join(x.log, "\n"), strings.Join(log, "\n"))
	}
	c, err := cassette.Load(x.file)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range c.Interactions {
		if !used[i.ID] {
			t.Errorf("not replayed: %s %s", i.Request.Method, i.Request.URL)
		}
	}
}

// sameLines compares without order: the grants run in any.
func sameLines(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// With go-vcr's own matcher another session finds nothing.
func TestReplayWithoutMatcher(t *testing.T) {
	x := recordAll(t, hook())
	r := newRecorder(t, x.file, recorder.WithMode(recorder.ModeReplayOnly))
	p := program{keys: madeUp(), base: r}
	p.circuits()
	for _, line := range p.log {
		if !strings.Contains(line, cassette.ErrInteractionNotFound.Error()) {
			t.Error(line)
		}
	}
}

// What is missing in the file is recorded besides what is there, which is not
// harmed by being cleaned again.
func TestNewEpisodes(t *testing.T) {
	x := recordAll(t, hook(), matcher())
	before, err := cassette.Load(x.file)
	if err != nil {
		t.Fatal(err)
	}
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	r := newRecorder(t, x.file, hook(), matcher(), recorder.WithMode(recorder.ModeReplayWithNewEpisodes), recorder.WithRealTransport(srv.Transport()))
	p := program{keys: made(srv), base: r}
	p.circuits()
	p.circuits()
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	after, err := cassette.Load(x.file)
	if err != nil {
		t.Fatal(err)
	}
	n := len(before.Interactions)
	if calls := len(srv.Calls()); calls != 8 || len(after.Interactions) != n+calls {
		t.Errorf("%d new calls and %d new interactions, want 8 of each", calls, len(after.Interactions)-n)
	}
	for i, was := range before.Interactions {
		if is := after.Interactions[i]; !reflect.DeepEqual(is.Request, was.Request) || !reflect.DeepEqual(is.Response, was.Response) {
			t.Errorf("interaction %d was\n%+v\nand became\n%+v", i, *was, *is)
		}
	}
}

// Above the stack the recorder sees neither keys nor sessions, and a replay
// needs none.
func TestAboveTheStack(t *testing.T) {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	k := made(srv)
	file := filepath.Join(t.TempDir(), "above")
	record := newRecorder(t, file, hook(), matcher(), recorder.WithRealTransport(stack(t, k, srv.Transport())))
	want := above(record)
	if err := record.Stop(); err != nil {
		t.Fatal(err)
	}
	c, err := cassette.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range c.Interactions {
		if i.Request.Form.Has("sig") || i.Request.Form.Has("access_token") {
			t.Errorf("%s %s was recorded signed", i.Request.Method, i.Request.URL)
		}
	}
	replay := newRecorder(t, file, matcher(), recorder.WithMode(recorder.ModeReplayOnly), recorder.WithRealTransport(noNetwork{}))
	if got := above(replay); !slices.Equal(got, want) {
		t.Errorf("recorded:\n%s\nreplayed:\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

func stack(t *testing.T, k keys, base http.RoundTripper) http.RoundTripper {
	t.Helper()
	rt, err := okru.NewTransport(okru.Config{ApplicationKey: k.app.Key, ApplicationSecret: k.app.Secret,
		TokenSource: oauth2.StaticTokenSource(k.session), PassErrors: true, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// above makes calls that need no keys themselves.
func above(rt http.RoundTripper) []string {
	p := program{}
	c := &http.Client{Transport: rt}
	for _, method := range []string{"friends.get", "users.isAppUser", "users.getNothing"} {
		result, err := okru.Call[any](ctx, c, method, nil)
		p.note(method, result, err)
	}
	p.get(c, "https://api.ok.ru/fb.do?method=users.getLoggedInUser", nil)
	return p.log
}

// While it is recorded, the program gets the tokens that OK hands out; as an
// after-capture hook, Hook would take them away.
func TestHookKinds(t *testing.T) {
	for kind, works := range map[recorder.HookKind]bool{recorder.BeforeSaveHook: true, recorder.AfterCaptureHook: false} {
		t.Run(kind.String(), func(t *testing.T) {
			srv := oktest.NewServer(oktest.App{})
			defer srv.Close()
			r := newRecorder(t, filepath.Join(t.TempDir(), "x"), recorder.WithHook(okvcr.Hook, kind), matcher(), recorder.WithRealTransport(srv.Transport()))
			p := program{keys: made(srv), base: r, on: func(do func(*oktest.Server)) { do(srv) }}
			p.codeGrant()
			if got := strings.HasSuffix(p.log[1], "true, code 0"); got != works {
				t.Errorf("a call with the new session: %s", p.log[1])
			}
		})
	}
}

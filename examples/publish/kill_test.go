package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// TestMain makes the test binary the program, too, if the environment says so.
func TestMain(m *testing.M) {
	if text := os.Getenv("PUBLISH_CHILD"); text != "" {
		os.Exit(report(publishAsChild(text)))
	}
	os.Exit(m.Run())
}

// A child is what the program gets in a process of its own, in JSON.
type child struct {
	Address       string // of the fake
	Folder        string // of the posts, and of the state
	App           [3]string
	RefreshToken  string
	Posted, Again string
}

func publishAsChild(text string) error {
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	state := filepath.Join(c.Folder, "state")
	ok, err := connect(credentials{c.App[0], c.App[1], c.App[2], c.RefreshToken}, demoGroup, state,
		toFake(c.Address), transport.Retry{MinDelay: 2 * time.Millisecond, MaxDelay: 20 * time.Millisecond})
	if err != nil {
		return err
	}
	return publishAll(context.Background(), ok, os.DirFS(filepath.Join(c.Folder, "posts")), options{
		state: state, posted: c.Posted, again: c.Again, settle: 150 * time.Millisecond, out: os.Stdout,
	})
}

// toFake sends every request to the fake in another process, at this address.
type toFake string

func (f toFake) RoundTrip(r *http.Request) (*http.Response, error) {
	there := r.Clone(r.Context())
	there.Host = r.URL.Host // by which the fake knows the hosts of OK apart
	there.URL.Scheme, there.URL.Host = "http", string(f)
	resp, err := http.DefaultTransport.RoundTrip(there)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

// However often the program is killed, and whatever goes wrong, every post is
// in the group exactly once. The fake judges.
func TestKilled(t *testing.T) {
	kills := 8
	if os.Getenv("OKRU_LONG") != "" {
		kills = 100
	}
	seed, err := strconv.ParseUint(os.Getenv("OKRU_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	t.Logf("OKRU_SEED=%d", seed)
	k := newKiller(t, kills, seed)
	rounds := 0
	for ; k.kills > 0; rounds++ {
		k.publish(t, rounds)
	}
	t.Logf("%d rounds, %d topics, %d starts, %d found by reading back, %d decided by the user",
		rounds, len(k.fake.Topics(demoGroup)), k.starts, k.found, k.decided)
}

// A killer starts the program, kills it at a random moment, and starts it again.
type killer struct {
	fake   *oktest.Server
	child  child
	kills  int // that are left
	posted int // posts of all rounds

	mu      sync.Mutex
	rnd     *rand.Rand
	process *os.Process // that is killed after some more requests
	after   int

	starts, found, decided int
}

func newKiller(t *testing.T, kills int, seed uint64) *killer {
	k := &killer{fake: oktest.NewServer(oktest.App{}), kills: kills, rnd: rand.New(rand.NewPCG(seed, 0))}
	t.Cleanup(k.fake.Close)
	k.fake.Configure(oktest.Settings{AccessLifetime: 2 * time.Second})
	app := k.fake.App()
	k.child = child{
		Address: k.fake.URL()[len("http://"):], App: [3]string{app.ID, app.Key, app.Secret},
		RefreshToken: k.fake.NewUser("anna", "password").Token("VALUABLE_ACCESS", "GROUP_CONTENT", "PHOTO_CONTENT").RefreshToken,
	}
	for _, method := range []string{"", oktest.PhotoUpload} {
		k.fake.Inject(oktest.Fault{Method: method, Match: k.countdown}) // first, since it is asked about every request
		for _, f := range []oktest.Fault{
			{Reset: true}, {Reset: true, AfterRun: true}, {Status: 503}, {Status: 503, AfterRun: true}, {Truncate: true}, {CutAfter: 50},
		} {
			f.Method, f.Match = method, k.oneIn30
			k.fake.Inject(f)
		}
	}
	return k
}

// random returns a number below n.
func (k *killer) random(n int) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rnd.IntN(n)
}

// oneIn30 matches one request in 30, on average.
func (k *killer) oneIn30(oktest.Call) bool { return k.random(30) == 0 }

// countdown kills the process when a number of requests has arrived. It never
// matches.
func (k *killer) countdown(oktest.Call) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.after--; k.after == 0 && k.process != nil {
		_ = k.process.Kill()
	}
	return false
}

// publish publishes one folder of posts.
func (k *killer) publish(t *testing.T, round int) {
	t.Helper()
	k.child.Folder = t.TempDir()
	posts := k.writePosts(t, round)
	for k.run(t, posts) {
	}
	k.posted += len(posts)
	k.check(t, posts)
}

// A sample is a post that was written for a round.
type sample struct {
	name, text string
	pictures   [][sha256.Size]byte
}

// writePosts writes some posts. One has no text, so that only the user can see
// whether it is in the group.
func (k *killer) writePosts(t *testing.T, round int) (posts []sample) {
	t.Helper()
	write := func(content []byte, parts ...string) {
		path := filepath.Join(append([]string{k.child.Folder, "posts"}, parts...)...)
		if err := errorOf(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		m := sample{name: fmt.Sprintf("%d", i)}
		if i != 3 {
			m.text = fmt.Sprintf("Post %d of round %d", i, round)
			write([]byte(m.text), m.name, "text.md")
		}
		for n := range i % 3 {
			picture := bytes.Repeat(fmt.Appendf(nil, "picture %d of post %d of round %d ", n, i, round), 1+k.random(5000))
			write(picture, m.name, fmt.Sprintf("%d.jpg", n))
			m.pictures = append(m.pictures, sha256.Sum256(picture))
		}
		if i == 3 {
			picture := fmt.Appendf(nil, "the picture of round %d", round)
			write(picture, m.name, "0.jpg")
			m.pictures = append(m.pictures, sha256.Sum256(picture))
		}
		posts = append(posts, m)
	}
	return posts
}

func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// run starts the program once, and kills it unless all kills are spent. It
// reports whether there is more to do.
func (k *killer) run(t *testing.T, posts []sample) bool {
	t.Helper()
	k.starts++
	cmd := exec.Command(os.Args[0])
	text, _ := json.Marshal(k.child)
	cmd.Env = append(os.Environ(), "PUBLISH_CHILD="+string(text))
	k.child.Posted, k.child.Again = "", ""
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := k.killLater(cmd.Process)
	_ = cmd.Wait()
	stop()
	k.found += bytes.Count(out.Bytes(), []byte("found in the group"))
	switch status := cmd.ProcessState.ExitCode(); {
	case status == 0:
		return false
	case errs.Len() == 0: // killed: an error is reported
		k.kills--
	case status == 1:
	case status == 3:
		k.decide(t, posts, errs.String())
	default:
		t.Fatalf("exit status %d: %s", status, errs.String())
	}
	if k.starts > 10_000 {
		t.Fatalf("the program makes no progress: %s", errs.String())
	}
	return true
}

// killLater kills a process at a random moment: after some time, or when one of
// its requests arrives. The process must have ended before stop is called.
func (k *killer) killLater(process *os.Process) (stop func()) {
	if k.kills <= 0 {
		return func() {}
	}
	if k.random(2) == 0 {
		timer := time.AfterFunc(time.Duration(k.random(400))*time.Millisecond, func() { _ = process.Kill() })
		return func() { timer.Stop() }
	}
	requests := 1 + k.random(20)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.process, k.after = process, requests
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.process = nil
	}
}

var undecidedPost = regexp.MustCompile(`publish: post (\d+): it may be in the group or not`)

// decide looks at the group, as the user would.
func (k *killer) decide(t *testing.T, posts []sample, errs string) {
	t.Helper()
	name := undecidedPost.FindStringSubmatch(errs)
	if name == nil {
		t.Fatalf("the report does not name a post: %s", errs)
	}
	k.decided++
	m := posts[slices.IndexFunc(posts, func(m sample) bool { return m.name == name[1] })]
	if m.text != "" {
		t.Errorf("post %s has a text of its own, and the program did not find out", m.name)
	}
	if k.count(m) > 0 {
		k.child.Posted = m.name
	} else {
		k.child.Again = m.name
	}
}

// count returns how often m is in the group.
func (k *killer) count(m sample) (n int) {
	for _, topic := range k.fake.Topics(demoGroup) {
		var pictures [][sha256.Size]byte
		for _, p := range topic.Photos {
			pictures = append(pictures, p.SHA256)
		}
		text := ""
		if len(topic.Texts) > 0 {
			text = topic.Texts[0]
		}
		if text == m.text && slices.Equal(pictures, m.pictures) {
			n++
		}
	}
	return n
}

// check fails t unless each post is in the group once, with its pictures, and
// nothing else is.
func (k *killer) check(t *testing.T, posts []sample) {
	t.Helper()
	for _, m := range posts {
		if n := k.count(m); n != 1 {
			t.Errorf("%q is in the group %d times", m.text, n)
		}
	}
	ran := 0
	for _, c := range k.fake.Calls() {
		if c.Method == "mediatopic.post" && c.Ran {
			ran++
		}
	}
	if topics := len(k.fake.Topics(demoGroup)); topics != k.posted || ran != k.posted {
		t.Errorf("the group has %d topics, and mediatopic.post ran %d times, after %d posts", topics, ran, k.posted)
	}
}

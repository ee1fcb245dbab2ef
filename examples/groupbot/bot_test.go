package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// TestMain runs the bot instead of the tests in a process that a test starts.
func TestMain(m *testing.M) {
	settle, retryDelay = 20*time.Millisecond, 10*time.Millisecond
	if host := os.Getenv("GROUPBOT_TEST_HOST"); host != "" {
		b, err := newBot(okru.Config{GroupToken: os.Getenv("OKRU_GROUP_TOKEN"), Hosts: []string{host}}, quiet)
		if err == nil && os.Getenv("GROUPBOT_TEST_URL") == "" {
			err = b.poll(context.Background())
		} else if err == nil {
			err = b.serveWebhook(context.Background(), os.Getenv("GROUPBOT_TEST_LISTEN"), os.Getenv("GROUPBOT_TEST_URL"), "X-Real-IP")
		}
		fmt.Fprintln(os.Stderr, "the bot has ended:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A proxy delivers events with the header of a proxy, as if they came from OK.
type proxy struct{ http.Transport }

func (p *proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Real-IP", "217.20.145.193")
	return p.Transport.RoundTrip(r)
}

// newFake returns a fake with a bot and users.
func newFake(t *testing.T) (*oktest.Server, *oktest.Bot, []*oktest.User) {
	fake := oktest.New(t)
	through := new(proxy)
	through.DisableKeepAlives = true
	fake.Configure(oktest.Settings{WebhookDelay: 10 * time.Millisecond, WebhookClient: &http.Client{Transport: through}})
	users := []*oktest.User{fake.NewUser("anna", ""), fake.NewUser("boris", ""), fake.NewUser("vera", "")}
	return fake, fake.NewBot("54000000000001"), users
}

// answers returns how many answers each request has, by its number, as the fake
// lists them.
func answers(bot *oktest.Bot) map[string]int {
	count := make(map[string]int)
	for _, m := range bot.Messages("") {
		if strings.HasPrefix(m.SenderID, "user:") {
			count[m.ID[strings.LastIndex(m.ID, ".")+1:]] += 0
		} else {
			count[strings.TrimSuffix(strings.Fields(m.Text)[1], ":")]++
		}
	}
	return count
}

// waitForAnswers waits until every message has an answer, and a moment longer,
// and reports an error unless each has exactly one.
func waitForAnswers(t *testing.T, bot *oktest.Bot, messages int) {
	t.Helper()
	isDone := func() bool {
		n := 0
		for _, answered := range answers(bot) {
			if answered > 0 {
				n++
			}
		}
		return n == messages
	}
	for end := time.Now().Add(20 * time.Second); !isDone() && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // for an answer too many
	got := answers(bot)
	for request, n := range got {
		if n != 1 {
			t.Errorf("request %s has %d answers", request, n)
		}
	}
	if len(got) != messages {
		t.Errorf("%d requests have answers or are waiting, want %d", len(got), messages)
	}
}

// runBot runs a bot in this process until the test ends. With poll it uses long
// polling, else a webhook.
func runBot(t *testing.T, cfg okru.Config, poll bool) {
	t.Helper()
	b, err := newBot(cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		if poll {
			done <- b.poll(ctx)
		} else {
			done <- b.serveWebhook(ctx, "127.0.0.1:0", "", "")
		}
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the bot has ended: %v", err)
		}
	})
}

// Each message gets one answer, whatever fails.
func TestEachMessageIsAnsweredOnce(t *testing.T) {
	isPost := func(c oktest.Call) bool { return c.HTTPMethod == "POST" }
	isRead := func(c oktest.Call) bool { return c.HTTPMethod == "GET" }
	const chats = "graph/me/messages/{id}"
	for name, faults := range map[string][]oktest.Fault{
		"nothing":                {},
		"reset before it ran":    {{Method: chats, Match: isPost, Reset: true, Times: 3}},
		"reset after it ran":     {{Method: chats, Match: isPost, AfterRun: true, Reset: true, Times: 3}},
		"503":                    {{Method: chats, Match: isPost, Status: 503, Times: 3}},
		"503 after it ran":       {{Method: chats, Match: isPost, AfterRun: true, Status: 503, Times: 3}},
		"502 after it ran":       {{Method: chats, Match: isPost, AfterRun: true, Status: 502, Body: oktest.HTMLPage, Times: 2}},
		"code 2 after it ran":    {{Method: chats, Match: isPost, AfterRun: true, Code: okerrors.CodeService, Times: 3}},
		"code 1":                 {{Method: chats, Match: isPost, Code: okerrors.CodeUnknown, Times: 2}},
		"cut":                    {{Method: chats, Match: isPost, Truncate: true, Times: 3}},
		"reads fail":             {{Method: chats, Match: isRead, Reset: true, Times: 6}, {Method: "graph/me/chats", Status: 503, Times: 5}},
		"subscribing fails":      {{Method: "graph/me/subscribe", AfterRun: true, Reset: true, Times: 2}, {Method: "graph/me/subscribe", Status: 500, Times: 2}},
		"long polls fail":        {{Method: "graph/me/updates", AfterRun: true, Reset: true, Times: 3}, {Method: "graph/me/updates", Status: 502, Times: 3}},
		"reads and writes fail":  {{Method: chats, AfterRun: true, Reset: true, Times: 9}},
		"slow":                   {{Method: chats, Delay: 20 * time.Millisecond}},
		"throttled for a moment": {{Method: chats, Match: isPost, Status: 429, Times: 2}, {Match: isPost, Code: okerrors.CodeFloodBlocked, Times: 1}},
	} {
		for _, poll := range []bool{false, true} {
			for _, network := range []struct {
				name string
				base func(*oktest.Server) http.RoundTripper
			}{{"HTTP/1.1", (*oktest.Server).Transport}, {"HTTP/2", (*oktest.Server).HTTP2}} {
				t.Run(fmt.Sprintf("%s, poll %t, %s", name, poll, network.name), func(t *testing.T) {
					t.Parallel()
					fake, bot, users := newFake(t)
					for _, f := range faults {
						fake.Inject(f)
					}
					for _, u := range users { // before the bot runs
						bot.Write(u, "first")
					}
					cfg := okru.Config{GroupToken: bot.Token(), Base: network.base(fake)}
					cfg.Retry.MaxDelay = 10 * time.Millisecond
					runBot(t, cfg, poll)
					for i := range 12 {
						m := bot.Write(users[i%len(users)], "again")
						if i%3 == 0 {
							bot.Redeliver(m)
							bot.Redeliver(m)
						}
						time.Sleep(5 * time.Millisecond)
					}
					waitForAnswers(t, bot, 15)
				})
			}
		}
	}
}

// A process that is killed and starts again answers what it has not answered,
// and nothing twice.
func TestKilledBot(t *testing.T) {
	for _, poll := range []bool{false, true} {
		t.Run(fmt.Sprintf("poll %t", poll), func(t *testing.T) {
			fake, bot, users := newFake(t)
			env := append(os.Environ(), "OKRU_GROUP_TOKEN="+bot.Token(), "GROUPBOT_TEST_HOST="+strings.TrimPrefix(fake.URL(), "http://"))
			if !poll {
				address := freeAddress(t)
				env = append(env, "GROUPBOT_TEST_LISTEN="+address, "GROUPBOT_TEST_URL=http://"+address+"/secret")
			}
			fake.Inject(oktest.Fault{Method: "graph/me/messages/{id}", Delay: 15 * time.Millisecond}) // so that kills come in the middle
			written := make(chan struct{})
			go func() {
				defer close(written)
				for i := range 60 {
					bot.Write(users[i%len(users)], "hello")
					time.Sleep(15 * time.Millisecond)
				}
			}()
			for isWriting := true; isWriting; {
				kill := start(t, env)
				select {
				case <-time.After(170 * time.Millisecond):
				case <-written:
					isWriting = false
				}
				kill()
			}
			bot.Write(users[0], "while no bot runs")
			defer start(t, env)()
			waitForAnswers(t, bot, 61)
		})
	}
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts a process with the bot. The returned function kills it.
func start(t *testing.T, env []string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = env
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// A chat with more messages than one page has is read to its end, and more chats
// than one page has are found.
func TestPages(t *testing.T) {
	fake, bot, users := newFake(t)
	first := bot.Write(users[0], "0")
	for i := range 249 {
		bot.Write(users[0], fmt.Sprint(i))
	}
	for i := range 120 {
		bot.Write(fake.NewUser(fmt.Sprint("user", i), ""), "x")
	}
	client, err := okru.NewClient(okru.Config{GroupToken: bot.Token(), Base: fake.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	for m, err := range messages(t.Context(), client, first.ChatID, first.Time.UnixMilli()) {
		if err != nil {
			t.Fatal(err)
		}
		seen[m.Message.ID]++
	}
	if len(seen) != 250 || seen[first.ID] != 1 {
		t.Errorf("%d messages", len(seen))
	}
	clear(seen)
	for c, err := range chats(t.Context(), client) {
		if err != nil {
			t.Fatal(err)
		}
		seen[c.ID]++
	}
	if len(seen) != 121 {
		t.Errorf("%d chats", len(seen))
	}
}

// The bot ends when the token is revoked, and goes on after an event that it
// cannot answer.
func TestErrorsThatRemain(t *testing.T) {
	fake, bot, users := newFake(t)
	fake.Inject(oktest.Fault{Method: "graph/me/messages/{id}", Code: okerrors.CodePermissionDenied, Match: func(c oktest.Call) bool { return strings.Contains(c.Body, "blocked") }})
	b, err := newBot(okru.Config{GroupToken: bot.Token(), Base: fake.Transport()}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.handle(t.Context(), []byte(`{"webhookType":"CHAT_SYSTEM"}`)); err != nil {
		t.Errorf("another event: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- b.poll(t.Context()) }()
	bot.Write(users[0], "blocked")
	bot.Write(users[1], "hello")
	for len(bot.Messages("")) < 3 {
		time.Sleep(5 * time.Millisecond)
	}
	bot.NewToken()
	bot.Write(users[1], "one more") // ends the long poll
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "PARAM_SESSION_KEY") {
		t.Errorf("with a revoked token the bot ends with %v", err)
	}
}

// The webhook has one path, and accepts events from the networks of OK only.
func TestWebhookPathAndNetwork(t *testing.T) {
	b := &bot{log: quiet}
	h := only("https://bot.example.com/secret", b.webhook("X-Real-IP"))
	for _, test := range []struct {
		path, ip string
		want     int
	}{
		{"/secret", "217.20.145.193", 200},
		{"/secret", "203.0.113.7", 403},
		{"/secret", "", 403},
		{"/", "217.20.145.193", 404},
		{"/secret/x", "217.20.145.193", 404},
	} {
		r, _ := http.NewRequest("POST", "http://127.0.0.1"+test.path, strings.NewReader("{}"))
		r.Header.Set("X-Real-IP", test.ip)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != test.want {
			t.Errorf("%s from %q: status %d, want %d", test.path, test.ip, w.Code, test.want)
		}
	}
}

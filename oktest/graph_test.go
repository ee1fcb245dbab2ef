package oktest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oktest"
)

const teaGroup = "54000000000002"

// graph sends a Graph call with the token of a bot and returns the decoded
// response. The body is sent as JSON if it is not empty.
func graph(t *testing.T, rt http.RoundTripper, verb, path, token, body string, edit ...func(*http.Request)) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), verb, realAPI+"/graph/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		query := r.URL.Query()
		query.Set("access_token", token)
		r.URL.RawQuery = query.Encode()
	}
	if verb == "POST" {
		r.Header.Set("Content-Type", "application/json;charset=utf-8")
	} else if body == "" {
		r.Body = nil
	}
	for _, e := range edit {
		e(r)
	}
	resp, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("status %d: %s, %v", resp.StatusCode, text, err)
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var result map[string]any
	if err := d.Decode(&result); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return result
}

func text(v any, path ...string) string {
	for _, name := range path {
		v = v.(map[string]any)[name]
	}
	return fmt.Sprint(v)
}

// sayTo is the body of a message to a chat.
func sayTo(chatID, text string) string {
	return `{"recipient":{"chat_id":` + strconv.Quote(chatID) + `},"message":{"text":` + strconv.Quote(text) + `}}`
}

func TestGraphMessages(t *testing.T) {
	srv := newServer(t)

	for name, rt := range ways(srv) {
		t.Run(name, func(t *testing.T) {
			bot := srv.NewBot(teaGroup)
			anna := srv.NewUser("anna", "password")
			m1 := bot.Write(anna, "привет")
			if got := graph(t, rt, "GET", "me/info/", bot.Token(), ""); text(got, "group_id") != "group:"+teaGroup {
				t.Errorf("me/info: %v", got)
			}
			for _, path := range []string{"me/messages/" + m1.ChatID, "me/messages", m1.ChatID + "/messages"} {
				got := graph(t, rt, "POST", path, bot.Token(), sayTo(m1.ChatID, "hello"))
				all := bot.Messages(m1.ChatID)
				if last := all[len(all)-1]; got["success"] != true || text(got, "message_id") != last.ID || last.Text != "hello" || last.SenderID != "group:"+teaGroup {
					t.Errorf("%s: %v, and the last message is %+v", path, got, last)
				}
			}
			m2 := bot.Write(anna, "again")

			list := func(query string) (texts []string) {
				for _, m := range graph(t, rt, "GET", "me/messages/"+m1.ChatID+"?"+query, bot.Token(), "")["messages"].([]any) {
					texts = append(texts, text(m, "message", "text"))
				}
				return texts
			}
			ms := func(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }
			for query, want := range map[string]string{
				"": "again hello hello hello привет", "count=2": "again hello", "to=" + ms(m2.Time): "again",
				"from=" + ms(m1.Time): "привет", "count=1&from=" + ms(m2.Time) + "&to=" + ms(m1.Time): "again",
			} {
				if got := strings.Join(list(query), " "); got != want {
					t.Errorf("?%s: %s, want %s", query, got, want)
				}
			}
			first := graph(t, rt, "GET", "me/messages?count=1&chat_id="+m1.ChatID, bot.Token(), "")["messages"].([]any)[0]
			for want, path := range map[string][]string{
				"user:" + anna.ID(): {"sender", "user_id"}, m1.ChatID: {"recipient", "chat_id"}, m2.ID: {"message", "mid"},
				strconv.FormatInt(m2.Seq, 10): {"message", "seq"}, ms(m2.Time): {"timestamp"},
			} {
				if got := text(first, path...); got != want {
					t.Errorf("%v is %s, want %s", path, got, want)
				}
			}
		})
	}
}

// A message to several users fails for those who never wrote, in a response that
// is a success.
func TestGraphMessageToUsers(t *testing.T) {
	srv := newServer(t)
	bot, anna, boris := srv.NewBot(teaGroup), srv.NewUser("anna", ""), srv.NewUser("boris", "")
	m := bot.Write(anna, "x")
	body := `{"recipient":{"user_ids":["user:` + anna.ID() + `","` + boris.ID() + `"]},"message":{"text":"news"}}`
	got := graph(t, srv.Transport(), "POST", "me/messages", bot.Token(), body)
	if want := "map[chat_ids:[" + m.ChatID + " <nil>] success:[true false]]"; fmt.Sprint(got) != want || len(bot.Messages("")) != 2 {
		t.Errorf("%v, want %s; messages %v", got, want, bot.Messages(""))
	}
}

// Each page has the chats after those of the page before, and the last one no
// marker.
func TestGraphChats(t *testing.T) {
	srv := newServer(t)
	bot := srv.NewBot(teaGroup)
	for i := range 7 {
		bot.Write(srv.NewUser(fmt.Sprint("user", i), ""), "x")
	}
	seen, marker, pages := map[string]bool{}, "", 0
	for {
		page := graph(t, srv.Transport(), "GET", "me/chats?count=3&marker="+url.QueryEscape(marker), bot.Token(), "")
		pages++
		for _, c := range page["chats"].([]any) {
			seen[text(c, "chat_id")] = true
			if got := graph(t, srv.Transport(), "GET", "me/chat/"+text(c, "chat_id"), bot.Token(), ""); fmt.Sprint(got) != fmt.Sprint(c) {
				t.Errorf("me/chat: %v, want %v", got, c)
			}
		}
		if page["marker"] == nil {
			break
		}
		marker = text(page, "marker")
	}
	if pages != 3 || len(seen) != 7 {
		t.Errorf("%d chats on %d pages", len(seen), pages)
	}
}

func TestGraphRejects(t *testing.T) {
	srv := newServer(t)
	bot := srv.NewBot(teaGroup)
	chat := bot.Write(srv.NewUser("anna", ""), "x").ChatID
	other := srv.NewBot("54000000000001").Write(srv.NewUser("boris", ""), "x").ChatID
	good := sayTo(chat, "hi")
	kind := func(v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Type", v) }
	}
	none := func(*http.Request) {}
	for name, test := range map[string]struct {
		verb, path, token, body string
		edit                    func(*http.Request)
		want                    okerrors.Code
	}{
		"no token":            {"GET", "me/info", "", "", none, 100},
		"a wrong token":       {"GET", "me/info", bot.Token() + "x", "", none, 103},
		"a session":           {"GET", "me/info", srv.NewUser("x", "").Token().AccessToken, "", none, 103},
		"an application":      {"GET", "me/info?application_key=" + app.Key, bot.Token(), "", none, 2001},
		"a signature":         {"GET", "me/info?sig=x", bot.Token(), "", none, 2001},
		"a session key":       {"GET", "me/info?session_key=x", bot.Token(), "", none, 2001},
		"no such call":        {"GET", "me/nothing", bot.Token(), "", none, 3},
		"another verb":        {"POST", "me/info", bot.Token(), "{}", none, 3},
		"a GET with a body":   {"GET", "me/info", bot.Token(), "{}", none, 2001},
		"count 0":             {"GET", "me/chats?count=0", bot.Token(), "", none, 2001},
		"count 101":           {"GET", "me/chats?count=101", bot.Token(), "", none, 2001},
		"count no number":     {"GET", "me/chats?count=x", bot.Token(), "", none, 2001},
		"a wrong marker":      {"GET", "me/chats?marker=x", bot.Token(), "", none, 2001},
		"no chat":             {"GET", "me/messages", bot.Token(), "", none, 2001},
		"no such chat":        {"GET", "me/messages/chat:C1", bot.Token(), "", none, 705},
		"the chat of another": {"GET", "me/messages/" + other, bot.Token(), "", none, 705},
		"from before to":      {"GET", "me/messages/" + chat + "?from=1&to=2", bot.Token(), "", none, 2001},
		"a form":              {"POST", "me/messages", bot.Token(), "a=b", kind("application/x-www-form-urlencoded"), 2001},
		"no Content-Type":     {"POST", "me/messages", bot.Token(), good, func(r *http.Request) { r.Header.Del("Content-Type") }, 2001},
		"another charset":     {"POST", "me/messages", bot.Token(), good, kind("application/json;charset=cp1251"), 2001},
		"not JSON":            {"POST", "me/messages", bot.Token(), "{", none, 2001},
		"not an object":       {"POST", "me/messages", bot.Token(), "[]", none, 2001},
		"no message":          {"POST", "me/messages/" + chat, bot.Token(), "{}", none, 2001},
		"an empty message":    {"POST", "me/messages", bot.Token(), sayTo(chat, ""), none, 2001},
		"two chats":           {"POST", "me/messages/chat:C1", bot.Token(), good, none, 2001},
		"no recipient":        {"POST", "me/messages", bot.Token(), `{"message":{"text":"x"}}`, none, 2001},
		"an unknown action":   {"POST", "me/messages/" + chat, bot.Token(), `{"sender_action":"dance"}`, none, 2001},
		"no URL":              {"POST", "me/subscribe", bot.Token(), `{"url":"ftp://x/"}`, none, 2001},
		"nothing":             {"POST", "me/subscribe", bot.Token(), `{}`, none, 2001},
		"an unknown type":     {"POST", "me/subscribe", bot.Token(), `{"url":"http://x/","types":["X"]}`, none, 2001},
		"not subscribed":      {"POST", "me/unsubscribe", bot.Token(), `{"url":"http://x/"}`, none, 2001},
		"no long polling":     {"GET", "me/updates", bot.Token(), "", none, 2001},
	} {
		got := graph(t, srv.Transport(), test.verb, test.path, test.token, test.body, test.edit)
		if text(got, "error_code") != strconv.Itoa(int(test.want)) {
			t.Errorf("%s: %v, want code %d", name, got, test.want)
		}
		if c := last(t, srv); c.Code != test.want || c.Ran && test.want == 103 {
			t.Errorf("%s: the journal has %v", name, c)
		}
	}
	if all := bot.Messages(""); len(all) != 1 {
		t.Errorf("messages %v", all)
	}
}

// A token lives for 30 days after the last call, and until there is a new one.
func TestBotToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		bot := srv.NewBot(teaGroup)
		code := func(token string) string {
			return text(graph(t, srv.InProcess(), "GET", "me/info", token, ""), "error_code")
		}
		token := bot.Token()
		for range 3 {
			time.Sleep(29 * 24 * time.Hour)
			if got := code(token); got != "<nil>" {
				t.Errorf("after 29 days: code %s", got)
			}
		}
		time.Sleep(30 * 24 * time.Hour)
		if got := code(token); got != "102" {
			t.Errorf("after 30 days: code %s", got)
		}
		if fresh := bot.NewToken(); code(token) != "103" || code(fresh) != "<nil>" || !strings.Contains(fresh, ":") {
			t.Errorf("the old token gets %s, the new one %s", code(token), code(fresh))
		}
	})
}

func TestGraphJournalFaultsAndLimits(t *testing.T) {
	srv := newServer(t)
	bot := srv.NewBot(teaGroup)
	chat := bot.Write(srv.NewUser("anna", ""), "x").ChatID
	srv.Inject(oktest.Fault{
		Method: "graph/me/messages/{id}", Code: okerrors.CodeService, AfterRun: true, Times: 1,
		Match: func(c oktest.Call) bool { return strings.Contains(c.Body, "hi") },
	})
	if got := graph(t, srv.Transport(), "POST", "me/messages/"+chat, bot.Token(), sayTo(chat, "hi")); text(got, "error_code") != "2" {
		t.Errorf("a fault after it ran: %v", got)
	}
	c := last(t, srv)
	if !c.Ran || !c.Faulted || c.Code != 2 || c.Method != "graph/me/messages/{id}" || c.UserID != "group:"+teaGroup || c.Circuit != "" || len(bot.Messages(chat)) != 2 {
		t.Errorf("the journal has %v", c)
	}
	srv.Limit(oktest.Limit{Calls: 1, Window: time.Hour, Method: "graph/me/info"})
	graph(t, srv.Transport(), "GET", "me/info", bot.Token(), "")
	if got := graph(t, srv.Transport(), "GET", "me/info", bot.Token(), ""); text(got, "error_code") != "8" {
		t.Errorf("beyond the limit: %v", got)
	}
	graph(t, srv.Transport(), "POST", "me/subscribe", bot.Token(), `{"url":"http://127.0.0.1:1/CANARYPATH"}`)
	for _, v := range []any{bot, srv, c, last(t, srv)} {
		canary.Check(t, v, bot.Token())
	}
}

func TestLongPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		bot, anna := srv.NewBot(teaGroup), srv.NewUser("anna", "")
		poll := func(query string) (texts, marker string) {
			t.Helper()
			got := graph(t, srv.InProcess(), "GET", "me/updates?"+query, bot.Token(), "")
			for _, u := range got["updates"].([]any) {
				if text(u, "webhookType") != "MESSAGE_CREATED" {
					t.Errorf("the update is %v", u)
				}
				texts += text(u, "message", "text") + " "
			}
			return texts, text(got, "marker")
		}
		graph(t, srv.InProcess(), "POST", "me/subscribe", bot.Token(), `{"longPolling":true,"types":["MESSAGE_CREATED"]}`)
		began := time.Now()
		if texts, marker := poll("timeout=20"); texts != "" || marker != "0" || time.Since(began) != 20*time.Second {
			t.Errorf("without events: %q %s after %v", texts, marker, time.Since(began))
		}
		bot.Write(anna, "1")
		bot.Write(anna, "2")
		for range 2 { // nothing acknowledges the first
			if texts, marker := poll("count=1"); texts != "1 " || marker != "1" {
				t.Errorf("the first one: %q %s", texts, marker)
			}
		}
		if texts, marker := poll("marker=1"); texts != "2 " || marker != "2" {
			t.Errorf("after the first one: %q %s", texts, marker)
		}
		if texts, _ := poll(""); texts != "2 " {
			t.Errorf("without a marker: %q", texts)
		}
		go func() {
			time.Sleep(7 * time.Second)
			bot.Write(anna, "3")
		}()
		began = time.Now()
		if texts, marker := poll("marker=2"); texts != "3 " || marker != "3" || time.Since(began) != 7*time.Second {
			t.Errorf("an event meanwhile: %q %s after %v", texts, marker, time.Since(began))
		}
	})
}

// Close ends a long poll.
func TestCloseEndsALongPoll(t *testing.T) {
	srv := newServer(t)
	bot := srv.NewBot(teaGroup)
	graph(t, srv.Transport(), "POST", "me/subscribe", bot.Token(), `{"longPolling":true}`)
	for _, rt := range []http.RoundTripper{srv.Transport(), srv.InProcess()} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			r, _ := http.NewRequest("GET", realAPI+"/graph/me/updates?timeout=90&access_token="+url.QueryEscape(bot.Token()), nil)
			if resp, err := rt.RoundTrip(r); err == nil {
				resp.Body.Close()
			}
		}()
		defer func() { <-done }()
	}
	for len(srv.Calls()) < 3 {
		time.Sleep(time.Millisecond)
	}
	srv.Close()
}

package okru_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// Nothing that a program sees of its Graph calls shows the token: neither an
// error, a log, a trace, a header nor the request of the response, over HTTP/1.1
// and HTTP/2, whether the call succeeds or not.
func TestGraphWireShowsNoToken(t *testing.T) {
	for name, network := range map[string]func(*oktest.Server) http.RoundTripper{"HTTP/1.1": (*oktest.Server).Transport, "HTTP/2": (*oktest.Server).HTTP2} {
		for _, fault := range []oktest.Fault{
			{},
			{Error: &okerrors.Error{Code: okerrors.CodeParamSessionKey, Message: "PARAM_SESSION_KEY : Invalid TOKEN"}},
			{Status: 502, Body: "<html>/graph/me/chats?access_token=TOKEN"},
			{Body: `["TOKEN"]`, Header: http.Header{"X-Request": {"/graph/me/chats?access_token=TOKEN"}}},
			{Reset: true},
			{AfterRun: true, Reset: true},
		} {
			for _, verb := range []string{"GET", "POST"} {
				t.Run(fmt.Sprintf("%s %s %+v", name, verb, fault), func(t *testing.T) { checkGraphWire(t, network, fault, verb) })
			}
		}
	}
}

func checkGraphWire(t *testing.T, network func(*oktest.Server) http.RoundTripper, fault oktest.Fault, verb string) {
	fake, _ := newFake(t)
	bot := fake.NewBot("54000000000001")
	chatID := bot.Write(fake.NewUser("anna", "password"), "canary-text").ChatID
	inject(fake, fault, bot.Token())
	var logged bytes.Buffer
	client := newClient(t, okru.Config{
		GroupToken: bot.Token(), Base: network(fake), Retry: transport.Retry{Max: -1}, Logger: textLogger(&logged, slog.LevelDebug),
	})
	traced := new(traceLog)
	var seen []any
	ctx := transport.WithTrace(httptrace.WithClientTrace(t.Context(), traced.trace("inner")), &transport.Trace{
		Attempt: func(i transport.AttemptInfo) { seen = append(seen, i) },
		Done:    func(i transport.DoneInfo) { seen = append(seen, i) },
	})

	var body any
	if verb == "POST" {
		body = map[string]any{"recipient": map[string]string{"chat_id": chatID}, "message": map[string]string{"text": "canary-text"}}
	}
	_, err := okru.Graph[map[string]any](ctx, client, verb, "me/messages/"+chatID, body)
	seen = append(seen, err)
	resp, err := client.Do(must(http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/graph/me/chats?count=3", nil)))
	seen = append(seen, err)
	if resp != nil {
		seen = append(seen, resp.Header, resp.Request.URL, resp.Request.Header)
		if e, failed := okerrors.FromResponse(resp); failed {
			text, _ := io.ReadAll(resp.Body)
			seen = append(seen, e, string(text))
		}
		resp.Body.Close()
	}
	for _, v := range append(seen, logged.String(), traced.text()) {
		canary.Check(t, v, bot.Token())
	}
	for _, v := range seen[:4] { // hooks do not see the text, nor the chat
		canary.Check(t, v, "canary-text", strings.TrimPrefix(chatID, "chat:"))
	}
	if lines := strings.Split(strings.TrimSpace(logged.String()), "\n"); len(lines) != 2 || !strings.Contains(lines[0], "method=graph/me/messages/{id} attempts=1 ") {
		t.Errorf("the log is %s", logged.String())
	}
	path := fmt.Sprintf("inner WroteHeaderField :path [%q]", "/graph/me/chats?count=3")
	if isHTTP2 := network(fake).(*http.Transport).Protocols.HTTP2(); isHTTP2 && !slices.Contains(traced.lines, path) {
		t.Errorf("no %s in\n%s", path, traced.text())
	}
}

// inject makes all Graph calls fail by a fault, with the token in it.
func inject(fake *oktest.Server, f oktest.Fault, token string) {
	if f.Error == nil && f.Body == "" && !f.Reset {
		return
	}
	f.Body = strings.ReplaceAll(f.Body, "TOKEN", token)
	if f.Error != nil {
		f.Error = &okerrors.Error{Code: f.Error.Code, Message: strings.ReplaceAll(f.Error.Message, "TOKEN", token)}
	}
	f.Header = f.Header.Clone()
	for _, values := range f.Header {
		values[0] = strings.ReplaceAll(values[0], "TOKEN", token)
	}
	fake.Inject(f)
}

// must returns r, which has no error.
func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}

// One client serves several groups, each call with the token of its context.
func TestGraphOfSeveralGroups(t *testing.T) {
	fake, _ := newFake(t)
	bots := []*oktest.Bot{fake.NewBot("54000000000001"), fake.NewBot("54000000000002")}
	client := newClient(t, okru.Config{GroupToken: bots[0].Token(), Base: fake.Transport()})
	for _, bot := range bots {
		info, err := okru.Graph[map[string]string](transport.WithGroupToken(t.Context(), bot.Token()), client, "GET", "me/info", nil)
		if err != nil || info["group_id"] != "group:"+bot.GroupID() {
			t.Errorf("%v, %v; want %s", info, err, bot.GroupID())
		}
	}
	bots[0].NewToken()
	if _, err := okru.Graph[any](t.Context(), client, "GET", "me/info", nil); !strings.Contains(fmt.Sprint(err), "PARAM_SESSION_KEY") {
		t.Errorf("with a revoked token: %v", err)
	}
}

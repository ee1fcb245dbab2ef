package okru_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// The error of a message says what the chat has: nil that it was sent, any other
// error that it was not, unless it matches ErrOutcomeUnknown. No message is sent
// twice. The fake's list of messages is the judge.
func TestGraphErrorsTellTheOutcome(t *testing.T) {
	for name, fault := range map[string]oktest.Fault{
		"none":                {Times: 1},
		"reset":               {Reset: true},
		"reset after it ran":  {Reset: true, AfterRun: true},
		"cut after it ran":    {Truncate: true},
		"cut, length unknown": {Truncate: true, Chunked: true},
		"429":                 {Status: 429},
		"503":                 {Status: 503},
		"503 after it ran":    {Status: 503, AfterRun: true},
		"503 with a pause":    {Status: 503, RetryAfter: time.Second},
		"502 after it ran":    {Status: 502, AfterRun: true},
		"a page after it ran": {Body: oktest.HTMLPage, AfterRun: true},
		"code 1 after it ran": {Code: okerrors.CodeUnknown, AfterRun: true},
		"code 2":              {Code: okerrors.CodeService},
		"code 8":              {Code: okerrors.CodeFloodBlocked},
		"code 10":             {Code: okerrors.CodePermissionDenied},
		"late":                {Delay: 80 * time.Millisecond},
		"GOAWAY":              {Header: http.Header{"Connection": {"close"}}},
	} {
		for protocol, network := range map[string]func(*oktest.Server) http.RoundTripper{"HTTP/1.1": (*oktest.Server).Transport, "HTTP/2": (*oktest.Server).HTTP2} {
			t.Run(name+", "+protocol, func(t *testing.T) {
				t.Parallel()
				fake, _ := newFake(t)
				bot := fake.NewBot("54000000000001")
				chatID := bot.Write(fake.NewUser("anna", "password"), "hello").ChatID
				client := newClient(t, okru.Config{
					GroupToken: bot.Token(), Base: network(fake),
					Retry: transport.Retry{MinDelay: -1, MaxDelay: time.Millisecond, AttemptTimeout: 40 * time.Millisecond},
				})
				var n atomic.Int32 // attempts overlap: one that is late runs on
				injected := fault
				injected.Match = func(oktest.Call) bool { return n.Add(1)%3 == 0 }
				fake.Inject(injected)
				errs := make(map[string]error)
				for i := range 12 {
					text := fmt.Sprint("message ", i)
					_, errs[text] = okru.Graph[any](t.Context(), client, "POST", "me/messages/"+chatID, map[string]any{
						"recipient": map[string]string{"chat_id": chatID}, "message": map[string]string{"text": text},
					})
				}
				sent := make(map[string]int)
				for _, m := range bot.Messages(chatID) {
					sent[m.Text]++
				}
				if !slices.ContainsFunc(fake.Calls(), func(c oktest.Call) bool { return c.Faulted }) {
					t.Error("no call went wrong")
				}
				for text, err := range errs {
					isUnknown := errors.Is(err, okerrors.ErrOutcomeUnknown)
					if sent[text] > 1 || err == nil && sent[text] != 1 || err != nil && !isUnknown && sent[text] != 0 {
						t.Errorf("%s was sent %d times, error %v", text, sent[text], err)
					}
				}
			})
		}
	}
}

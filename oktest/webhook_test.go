package oktest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oktest"
)

const hookURL = "https://bot.example/CANARYPATH"

// A hooked program answers deliveries to its webhook.
type hooked struct {
	answer func(n int, r *http.Request) int // the status of the response to delivery n, from 1
	events []string
}

func (p *hooked) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	p.events = append(p.events, string(body))
	status := p.answer(len(p.events), r)
	if status == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func subscribed(t *testing.T, answer func(int, *http.Request) int) (*oktest.Bot, *oktest.User, *hooked) {
	srv := newServer(t)
	p := &hooked{answer: answer}
	srv.Configure(oktest.Settings{WebhookClient: &http.Client{Transport: p}, WebhookDelay: time.Minute})
	bot := srv.NewBot(teaGroup)
	graph(t, srv.InProcess(), "POST", "me/subscribe", bot.Token(), `{"url":"`+hookURL+`"}`)
	return bot, srv.NewUser("anna", ""), p
}

// An event is delivered until the response is 200 in time.
func TestWebhookIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bot, anna, p := subscribed(t, func(n int, _ *http.Request) int { return []int{503, 0, 302, 204, 200}[n-1] })
		began := time.Now()
		m := bot.Write(anna, "привет")
		time.Sleep(time.Hour)
		synctest.Wait()
		var got []string
		for _, d := range bot.Deliveries() {
			got = append(got, d.Time.Sub(began).String()+" "+strconv.Itoa(d.Status)+" "+d.Problem)
			if d.URL != hookURL || d.MessageID != m.ID {
				t.Errorf("delivered %+v", d)
			}
			canary.Check(t, d, "CANARYPATH")
		}
		if want := "0s 503 ,1m0s 0 context deadline exceeded,2m5s 302 ,3m5s 204 ,4m5s 200 "; strings.Join(got, ",") != want {
			t.Errorf("delivered %q, want %q", strings.Join(got, ","), want)
		}
		for _, event := range p.events {
			if event != p.events[0] || !strings.Contains(event, `"webhookType":"MESSAGE_CREATED"`) || !strings.Contains(event, m.ID) {
				t.Errorf("the event is %s", event)
			}
		}
		p.answer = func(int, *http.Request) int { return 200 }
		bot.Redeliver(m)
		synctest.Wait()
		if len(p.events) != 6 {
			t.Errorf("%d deliveries, want one more", len(p.events))
		}
	})
}

// It is given up after eight hours, and when the program unsubscribes.
func TestWebhookIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bot, anna, p := subscribed(t, func(int, *http.Request) int { return 500 })
		bot.Write(anna, "x")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if len(p.events) != 8*60 {
			t.Errorf("%d deliveries in 24 hours, want one per minute of 8", len(p.events))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		p := &hooked{answer: func(int, *http.Request) int { return 500 }}
		srv.Configure(oktest.Settings{WebhookClient: &http.Client{Transport: p}, WebhookDelay: time.Minute})
		bot := srv.NewBot(teaGroup)
		graph(t, srv.InProcess(), "POST", "me/subscribe", bot.Token(), `{"url":"`+hookURL+`","types":["CHAT_SYSTEM"]}`)
		anna := srv.NewUser("anna", "")
		bot.Write(anna, "not of this type")
		graph(t, srv.InProcess(), "POST", "me/subscribe", bot.Token(), `{"url":"`+hookURL+`"}`)
		if got := graph(t, srv.InProcess(), "GET", "me/subscriptions", bot.Token(), "")["subscriptions"].([]any); len(got) != 1 || text(got[0], "url") != hookURL {
			t.Errorf("subscriptions %v", got)
		}
		bot.Write(anna, "x")
		time.Sleep(150 * time.Second)
		graph(t, srv.InProcess(), "POST", "me/unsubscribe", bot.Token(), `{"url":"`+hookURL+`"}`)
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(p.events) != 3 {
			t.Errorf("%d deliveries, want those before the end of the subscription", len(p.events))
		}
	})
}

// Over a real connection, the bot's own messages are no events, and Close ends a
// delivery that hangs.
func TestWebhookOverTCP(t *testing.T) {
	srv := newServer(t)
	var n atomic.Int32
	hang := make(chan struct{})
	defer close(hang)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) > 1 {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}
	}))
	defer server.CloseClientConnections()
	bot, anna := srv.NewBot(teaGroup), srv.NewUser("anna", "")
	graph(t, srv.Transport(), "POST", "me/subscribe", bot.Token(), `{"url":"`+server.URL+`/hook"}`)
	m := bot.Write(anna, "x")
	for len(bot.Deliveries()) == 0 || bot.Deliveries()[0].Status != 200 {
		time.Sleep(time.Millisecond)
	}
	graph(t, srv.Transport(), "POST", "me/messages/"+m.ChatID, bot.Token(), sayTo(m.ChatID, "hi"))
	bot.Write(anna, "hangs")
	for n.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	srv.Close()
	if got := bot.Deliveries(); len(got) != 2 || got[1].Status != 0 {
		t.Errorf("delivered %v", got)
	}
}

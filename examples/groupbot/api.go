package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-okru/okru"
)

// This file has the calls of the Graph API that the bot makes, and what they
// return. See https://apiok.ru/en/dev/graph_api/bot_api.

// A message is a message in a chat. The event of a message has the same form.
type message struct {
	Type   string `json:"webhookType"` // of an event
	Sender struct {
		ID string `json:"user_id"`
	}
	Recipient struct {
		ChatID string `json:"chat_id"`
	}
	Message struct {
		ID   string `json:"mid"`
		Text string
	}
	Timestamp int64 // in milliseconds
}

// A chat is a chat of the group.
type chat struct {
	ID            string `json:"chat_id"`
	LastEventTime int64  // in milliseconds
}

// A marker is where the next page begins: a string or a number.
type marker string

func (m *marker) UnmarshalJSON(text []byte) error {
	*m = marker(strings.Trim(string(text), `"`))
	return nil
}

// chats returns the chats of the group, the one with the latest message first.
func chats(ctx context.Context, client *http.Client) iter.Seq2[chat, error] {
	return func(yield func(chat, error) bool) {
		query := url.Values{"count": {"100"}}
		for {
			page, err := okru.Graph[struct {
				Chats  []chat
				Marker marker
			}](ctx, client, "GET", "me/chats?"+query.Encode(), nil)
			if err != nil {
				yield(chat{}, err)
				return
			}
			for _, c := range page.Chats {
				if !yield(c, nil) {
					return
				}
			}
			if page.Marker == "" || page.Marker == "null" || string(page.Marker) == query.Get("marker") {
				return
			}
			query.Set("marker", string(page.Marker))
		}
	}
}

// messages returns the messages of a chat that are not older than since, the
// latest one first.
func messages(ctx context.Context, client *http.Client, chatID string, since int64) iter.Seq2[message, error] {
	return func(yield func(message, error) bool) {
		seen := make(map[string]bool) // the last message of a page is the first of the next one
		query := url.Values{"count": {"100"}, "to": {fmt.Sprint(since)}}
		for more := true; more; {
			page, err := okru.Graph[struct{ Messages []message }](ctx, client, "GET", "me/messages/"+chatID+"?"+query.Encode(), nil)
			if err != nil {
				yield(message{}, err)
				return
			}
			more = false
			for _, m := range page.Messages {
				if seen[m.Message.ID] {
					continue
				}
				if !yield(m, nil) {
					return
				}
				seen[m.Message.ID] = true
				more = m.Timestamp > since
				query.Set("from", fmt.Sprint(m.Timestamp))
			}
		}
	}
}

// updates returns the events of the group as they happen. The next long poll
// begins when the loop has handled all events of the one before, and its marker
// acknowledges them. After an error the loop may go on: updates tries again.
func updates(ctx context.Context, client *http.Client) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		query := url.Values{"timeout": {"25"}} // in seconds
		for {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			page, err := okru.Graph[struct {
				Updates []json.RawMessage
				Marker  marker
			}](ctx, client, "GET", "me/updates?"+query.Encode(), nil)
			cancel()
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			for _, event := range page.Updates {
				if !yield(event, nil) {
					return
				}
			}
			if page.Marker != "" && page.Marker != "null" {
				query.Set("marker", string(page.Marker))
			}
		}
	}
}

// subscribe makes OK send events: to a webhook, if url is not empty, or for long
// polls.
func subscribe(ctx context.Context, client *http.Client, url string) error {
	body := map[string]any{"types": []string{"MESSAGE_CREATED"}, "longPolling": true}
	if url != "" {
		body = map[string]any{"types": []string{"MESSAGE_CREATED"}, "url": url}
	}
	_, err := okru.Graph[any](ctx, client, "POST", "me/subscribe", body)
	return err
}

// send sends a text to a chat.
func send(ctx context.Context, client *http.Client, chatID, text string) error {
	_, err := okru.Graph[any](ctx, client, "POST", "me/messages/"+chatID, map[string]any{
		"recipient": map[string]string{"chat_id": chatID},
		"message":   map[string]string{"text": text},
	})
	return err
}

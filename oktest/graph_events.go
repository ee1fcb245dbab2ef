package oktest

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// messageCreated is the type of the event that a message is.
const messageCreated = "MESSAGE_CREATED"

var eventTypes = []string{messageCreated, "MESSAGE_CALLBACK", "CHAT_SYSTEM"}

// A hook is a subscription of a webhook.
type hook struct {
	url   string
	types []string // of events; empty: all
	time  time.Time
}

func (c *graphCall) subscriptions() (any, error) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	list := []any{}
	for _, h := range c.bot.hooks {
		list = append(list, map[string]any{"url": h.url, "time": h.time.UnixMilli()})
	}
	return map[string]any{"subscriptions": list}, nil
}

// subscribe subscribes a webhook or to long polling.
func (c *graphCall) subscribe() (any, error) {
	var body struct {
		URL         string
		Types       []string
		LongPolling bool
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	for _, t := range body.Types {
		if !slices.Contains(eventTypes, t) {
			return nil, badGraph("There is no type " + t)
		}
	}
	u, err := url.Parse(body.URL)
	if hasURL := err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"); !hasURL && (body.URL != "" || !body.LongPolling) {
		return nil, badGraph("url must be a URL with http or https")
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.bot.polling = c.bot.polling || body.LongPolling
	if body.URL != "" {
		c.bot.removeHook(body.URL)
		c.bot.hooks = append(c.bot.hooks, &hook{body.URL, body.Types, time.Now()})
	}
	return map[string]bool{"success": true}, nil
}

func (c *graphCall) unsubscribe() (any, error) {
	var body struct{ URL string }
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if !c.bot.removeHook(body.URL) {
		return nil, badGraph("No subscription has this url")
	}
	return map[string]bool{"success": true}, nil
}

// removeHook reports whether there was a subscription of the URL.
func (b *Bot) removeHook(url string) bool {
	n := len(b.hooks)
	b.hooks = slices.DeleteFunc(b.hooks, func(h *hook) bool { return h.url == url })
	return len(b.hooks) < n
}

// publish makes m an event.
func (b *Bot) publish(m Message) {
	if b.polling {
		b.updates = append(b.updates, m)
		close(b.newEvent)
		b.newEvent = make(chan struct{})
	}
	for _, h := range b.hooks {
		if len(h.types) == 0 || slices.Contains(h.types, messageCreated) {
			b.deliver(h, m)
		}
	}
}

// maxPoll is the longest timeout of a long poll, and usualPoll the usual one, in
// seconds.
const (
	maxPoll   = 90
	usualPoll = 30
)

// updates waits for an event, and returns those that there are.
func (c *graphCall) updates() (any, error) {
	count, err := c.count()
	if err != nil {
		return nil, err
	}
	timeout, err := c.number("timeout", usualPoll)
	if err != nil {
		return nil, err
	}
	marker, err := c.number("marker", -1)
	if err != nil {
		return nil, err
	}
	if timeout < 0 || timeout > maxPoll {
		return nil, badGraph("timeout must be from 0 to " + strconv.Itoa(maxPoll) + " seconds")
	}
	late := time.NewTimer(time.Duration(timeout) * time.Second)
	defer late.Stop()
	for waiting := timeout > 0; ; {
		page, n, next, err := c.bot.page(marker, count)
		if err != nil || n > 0 || !waiting {
			return page, err
		}
		select {
		case <-next:
		case <-late.C:
			waiting = false
		case <-c.request.Context().Done():
			waiting = false
		}
	}
}

// page returns the events after a marker and how many they are, and what is
// closed at the next event. A negative marker stands for none.
func (b *Bot) page(marker int64, count int) (page any, n int, next <-chan struct{}, err error) {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	switch {
	case !b.polling:
		return nil, 0, nil, badGraph("There is no subscription to long polling: POST me/subscribe with longPolling")
	case marker > int64(len(b.updates)):
		return nil, 0, nil, badGraph("marker is not one of a response")
	case marker >= 0:
		b.acked = max(b.acked, int(marker))
	default:
		marker = int64(b.acked)
	}
	found := b.updates[marker:]
	found = found[:min(len(found), count)]
	events := []json.RawMessage{}
	for _, m := range found {
		events = append(events, json.RawMessage(marshal(m.event())))
	}
	return map[string]any{"updates": events, "marker": strconv.FormatInt(marker+int64(len(found)), 10)}, len(found), b.newEvent, nil
}

package oktest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-okru/okru/internal/redact"
)

// What OK documents of webhooks. The time between two deliveries is assumed.
const (
	webhookTimeout = 5 * time.Second
	webhookPeriod  = 8 * time.Hour
	webhookDelay   = 5 * time.Second
)

// A Delivery is one request by which OK told a program of an event. It prints
// without the path of its URL, which may be a secret.
type Delivery struct {
	// Time is when the request was sent.
	Time time.Time

	// URL is that of the subscription.
	URL string

	// MessageID is the id of the [Message] that the event is about.
	MessageID string

	// Status is the HTTP status of the response, or 0 if there was none within
	// five seconds, or none yet.
	Status int

	// Problem is why there is no response, or empty.
	Problem string
}

// Deliveries returns every request to a webhook, in the order in which they were
// sent, those in progress included. It is a copy.
//
// A delivery that does not get status 200 within five seconds is repeated after
// [Settings.WebhookDelay], for eight hours, unless the program unsubscribes.
// Events are delivered at the same time, and in no order.
func (b *Bot) Deliveries() []Delivery {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	all := make([]Delivery, len(b.sent))
	for i, d := range b.sent {
		all[i] = *d
	}
	return all
}

// Redeliver delivers the event of a message of [Bot.Write] once more, to each
// webhook that is subscribed, as OK does if a response was lost on its way.
func (b *Bot) Redeliver(m Message) {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	for _, h := range b.hooks {
		b.deliver(h, m)
	}
}

// deliver delivers an event in a goroutine, until it succeeds. The caller has
// locked Server.mu.
func (b *Bot) deliver(h *hook, m Message) {
	s := b.server
	if s.closed {
		return
	}
	s.webhooks.open.Go(func() {
		end := time.Now().Add(webhookPeriod)
		for time.Now().Before(end) && b.isSubscribed(h) && !b.attempt(h, m) {
			if !sleep(s.webhooks.ctx, cmp.Or(s.config().WebhookDelay, webhookDelay)) {
				return
			}
		}
	})
}

func (b *Bot) isSubscribed(h *hook) bool {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	return slices.Contains(b.hooks, h)
}

// attempt delivers an event once, and reports whether the program has accepted
// it.
func (b *Bot) attempt(h *hook, m Message) bool {
	d := &Delivery{Time: time.Now(), URL: h.url, MessageID: m.ID}
	b.server.locked(func() { b.sent = append(b.sent, d) })
	status, problem := b.server.postWebhook(h.url, marshal(m.event()))
	b.server.locked(func() { d.Status, d.Problem = status, problem })
	return status == http.StatusOK
}

func (s *Server) postWebhook(url, event string) (status int, problem string) {
	ctx, cancel := context.WithTimeout(s.webhooks.ctx, webhookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(event))
	if err != nil {
		return 0, problemOf(err)
	}
	r.Header.Set("Content-Type", jsonType)
	resp, err := s.webhookClient().Do(r)
	if err != nil {
		return 0, problemOf(err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	return resp.StatusCode, ""
}

// webhookClient returns a client that follows no redirect. Its own transport
// reuses no connection.
func (s *Server) webhookClient() *http.Client {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if own := s.config().WebhookClient; own != nil {
		c = *own
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// view shows the fields without secrets.
func (d Delivery) view() redact.View {
	return redact.Show("oktest.Delivery",
		slog.Time("Time", d.Time),
		redact.Secret("URL", d.URL),
		slog.String("MessageID", d.MessageID),
		slog.Int("Status", d.Status),
		slog.String("Problem", d.Problem),
	)
}

// String returns the fields, the URL redacted.
func (d Delivery) String() string { return d.view().String() }

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (d Delivery) Format(f fmt.State, verb rune) { d.view().Format(f, verb) }

// LogValue implements [slog.LogValuer], the URL redacted.
func (d Delivery) LogValue() slog.Value { return d.view().LogValue() }

// MarshalJSON returns the fields, the URL redacted.
func (d Delivery) MarshalJSON() ([]byte, error) { return d.view().MarshalJSON() }

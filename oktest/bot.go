package oktest

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-okru/okru/internal/redact"
)

// botTokenLifetime is how long a token lives after the last call with it.
const botTokenLifetime = 30 * 24 * time.Hour

// A Bot is the bot of a group. [Server.NewBot] makes one. It has a token for the
// Graph API, chats with the users who wrote to the group, and subscriptions, by
// which a program learns of what they write. Bots are safe for concurrent use by
// multiple goroutines and print without their token.
//
// Of https://apiok.ru/en/dev/graph_api these calls work:
//
//	GET  me/info
//	GET  me/chats           count, marker
//	GET  me/chat/ID         or chat_id
//	GET  me/messages/ID     or chat_id; from, to, count
//	POST me/messages/ID     also me/messages and ID/messages
//	GET  me/subscriptions
//	POST me/subscribe       url, types, longPolling
//	POST me/unsubscribe     url
//	GET  me/updates         marker, timeout, count
//
// Assumed, since OK does not document it, are: the codes of errors, 2001 for
// what is wrong with a request and 705 for a chat that does not exist; that a
// missing token gets 100, an unknown one 103 and an expired one 102; that count
// is 1 to 100 everywhere, and 50 if it is not sent; that from and to are
// inclusive; that chats with users are of type DIALOG; that the sender of the
// bot's messages is group:ID; the response to a message,
// {"success":true,"message_id":"mid:…"}; that a second subscription of a URL
// changes the first; and all of me/updates: see [Bot.Write].
type Bot struct {
	server *Server
	group  group

	// Guarded by Server.mu.
	token    string
	expires  time.Time
	chats    []*chat
	last     time.Time // of the last message: no two have the same time
	hooks    []*hook
	sent     []*Delivery
	polling  bool
	updates  []Message     // for long polling
	acked    int           // how many of them a marker has acknowledged
	newEvent chan struct{} // closed at the next update
}

// NewBot gives a group of the fake's world a new bot. The groups have the ids
// 54000000000001 to 54000000000003; NewBot panics for any other.
func (s *Server) NewBot(groupID string) *Bot {
	g, ok := findGroup(groupID)
	if !ok {
		panic("okru: oktest: NewBot: there is no group " + strconv.Quote(groupID) + "; the first one is " + groups[0].id)
	}
	b := &Bot{server: s, group: g, newEvent: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	b.renew()
	s.bots = append(s.bots, b)
	return b
}

// GroupID returns the id of the group, such as "54000000000001".
func (b *Bot) GroupID() string { return b.group.id }

// Token returns the token of the bot. It is valid for 30 days after the last
// call with it.
func (b *Bot) Token() string {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	return b.token
}

// NewToken makes a new token, as the settings of the group do, and returns it.
// The previous one gets code 103 from then on.
func (b *Bot) NewToken() string {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	b.renew()
	return b.token
}

func (b *Bot) renew() {
	b.token = "tkn" + rand.Text() + ":" + rand.Text()[:16]
	b.expires = time.Now().Add(botTokenLifetime)
}

// A Message is a message in a chat of a [Bot].
type Message struct {
	ID       string    // such as "mid:C3ecb9d02a601.15cea67d78d2059"
	ChatID   string    // such as "chat:C3ecb9d02a601"
	SenderID string    // "user:" or "group:" and the id
	Text     string    // as sent; may be empty
	Seq      int64     // grows with each message; beyond what a float64 holds
	Time     time.Time // when it arrived

	senderName string
	attachment any // as sent; nil: none
}

// A chat is the dialog of a group with one user.
type chat struct {
	id       string
	user     *User
	messages []Message // in the order of their time, at least one
}

func (c *chat) lastTime() time.Time { return c.messages[len(c.messages)-1].Time }

// Write makes the user write to the group, and returns the message. The first
// message opens the chat with this user, and allows the group to write there.
//
// The message is an event. Each webhook that is subscribed gets it: see
// [Bot.Deliveries]. The updates of long polling, if that is subscribed, have it
// as well. Assumed is that they look like the events of webhooks; that a marker
// acknowledges the updates up to it, and a call without a marker returns those
// that none has acknowledged; that timeout is in seconds, at most 90, and 30 if
// it is not sent; and that a subscription to long polling is needed, and does
// not end that of a webhook.
func (b *Bot) Write(u *User, text string) Message {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	first, last := u.person().names()
	m := b.add(b.chatWith(u), Message{SenderID: "user:" + u.id, Text: text, senderName: first + " " + last})
	b.publish(m)
	return m
}

// Messages returns all messages of a chat, those of the user and of the bot, in
// their order; those of all chats if chatID is empty. It is a copy.
func (b *Bot) Messages(chatID string) []Message {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	var all []Message
	for _, c := range b.chats {
		if chatID == "" || c.id == chatID {
			all = append(all, c.messages...)
		}
	}
	slices.SortStableFunc(all, func(x, y Message) int { return x.Time.Compare(y.Time) })
	return all
}

// chatWith returns the chat with u, a new one if there is none.
func (b *Bot) chatWith(u *User) *chat {
	if c := b.findChat(func(c *chat) bool { return c.user == u }); c != nil {
		return c
	}
	b.server.lastID++
	c := &chat{id: fmt.Sprintf("chat:C%012x", 0x3ecb9d02a600+b.server.lastID), user: u}
	b.chats = append(b.chats, c)
	return c
}

// findChat returns the chat that is wanted, or nil.
func (b *Bot) findChat(isWanted func(*chat) bool) *chat {
	if i := slices.IndexFunc(b.chats, isWanted); i >= 0 {
		return b.chats[i]
	}
	return nil
}

// add adds m to c, with a time and an id of its own.
func (b *Bot) add(c *chat, m Message) Message {
	now := time.Now().Truncate(time.Millisecond)
	if !now.After(b.last) {
		now = b.last.Add(time.Millisecond)
	}
	b.last = now
	b.server.lastID++
	m.Time, m.ChatID = now, c.id
	m.Seq = now.UnixMilli()<<16 + b.server.lastID&0xffff
	m.ID = fmt.Sprintf("mid:%s.%x", strings.TrimPrefix(c.id, "chat:"), m.Seq)
	c.messages = append(c.messages, m)
	return m
}

// payload returns m as the Graph API shows it.
func (m Message) payload() map[string]any {
	content := map[string]any{"text": m.Text, "seq": m.Seq, "mid": m.ID}
	if m.attachment != nil {
		content["attachments"] = []any{m.attachment}
	}
	return map[string]any{
		"sender":    map[string]any{"user_id": m.SenderID, "name": m.senderName},
		"recipient": map[string]any{"chat_id": m.ChatID},
		"message":   content,
		"timestamp": m.Time.UnixMilli(),
	}
}

// event returns m as webhooks and long polls show it.
func (m Message) event() map[string]any {
	event := m.payload()
	event["webhookType"] = messageCreated
	return event
}

// view shows the fields without the token.
func (b *Bot) view() redact.View {
	return redact.Show("oktest.Bot", slog.String("GroupID", b.group.id), redact.Secret("Token", "set"))
}

// String returns the group, without the token.
func (b *Bot) String() string { return b.view().String() }

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (b *Bot) Format(f fmt.State, verb rune) { b.view().Format(f, verb) }

// LogValue implements [slog.LogValuer], without the token.
func (b *Bot) LogValue() slog.Value { return b.view().LogValue() }

// MarshalJSON returns what String shows.
func (b *Bot) MarshalJSON() ([]byte, error) { return b.view().MarshalJSON() }

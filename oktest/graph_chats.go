package oktest

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
)

// graphMethods are the calls of the Graph API that oktest has.
var graphMethods = map[string]func(*graphCall) (any, error){
	"GET graph/me/info":           (*graphCall).info,
	"GET graph/me/chats":          (*graphCall).chats,
	"GET graph/me/chat":           (*graphCall).chat,
	"GET graph/me/chat/{id}":      (*graphCall).chat,
	"GET graph/me/messages":       (*graphCall).messages,
	"GET graph/me/messages/{id}":  (*graphCall).messages,
	"POST graph/me/messages":      (*graphCall).post,
	"POST graph/me/messages/{id}": (*graphCall).post,
	"POST graph/{id}/messages":    (*graphCall).post,
	"GET graph/me/subscriptions":  (*graphCall).subscriptions,
	"POST graph/me/subscribe":     (*graphCall).subscribe,
	"POST graph/me/unsubscribe":   (*graphCall).unsubscribe,
	"GET graph/me/updates":        (*graphCall).updates,
}

func (c *graphCall) info() (any, error) {
	return map[string]string{"name": c.bot.group.name, "group_id": "group:" + c.bot.group.id}, nil
}

// chats returns a page of the chats, the one with the latest message first. The
// marker has the time of that of the last chat on the page.
func (c *graphCall) chats() (any, error) {
	count, err := c.count()
	if err != nil {
		return nil, err
	}
	before, err := chatMarker(c.Params.Get("marker"))
	if err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	all := slices.SortedFunc(slices.Values(c.bot.chats), func(x, y *chat) int { return y.lastTime().Compare(x.lastTime()) })
	all = slices.DeleteFunc(all, func(x *chat) bool { return x.lastTime().UnixMilli() >= before })
	page := map[string]any{}
	if len(all) > count {
		all = all[:count]
		last := all[count-1].lastTime().UnixMilli()
		page["marker"] = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "-%d:-%d", last, last))
	}
	objects := []any{}
	for _, x := range all {
		objects = append(objects, c.bot.object(x))
	}
	page["chats"] = objects
	return page, nil
}

// chatMarker returns the time in a marker of chats.
func chatMarker(marker string) (before int64, err error) {
	if marker == "" {
		return math.MaxInt64, nil
	}
	var again int64
	text, err := base64.StdEncoding.DecodeString(marker)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "-%d:-%d", &before, &again)
	}
	if err != nil {
		return 0, badGraph("marker is not one of a response; it is base64, and + must be sent as %2B")
	}
	return before, nil
}

// object returns a chat as the Graph API shows it.
func (b *Bot) object(x *chat) map[string]any {
	last := x.lastTime().UnixMilli()
	first, surname := x.user.person().names()
	return map[string]any{
		"type": "DIALOG", "status": "ACTIVE", "title": first + " " + surname,
		"participants":  map[string]int64{"user:" + x.user.id: last},
		"lastEventTime": last,
		"chat_id":       x.id,
		"owner_id":      "user:" + x.user.id,
		"group_id":      "group:" + b.group.id,
	}
}

func (c *graphCall) chat() (any, error) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	x, err := c.wantedChat("")
	if err != nil {
		return nil, err
	}
	return c.bot.object(x), nil
}

// wantedChat returns the chat that the path, the query or the body names, by the
// id in the body.
func (c *graphCall) wantedChat(inBody string) (*chat, error) {
	id := ""
	for _, named := range append(slices.Clone(c.path), c.Params.Get("chat_id"), inBody) {
		if named == "" || !strings.Contains(named, ":") && named != inBody {
			continue
		}
		if id != "" && named != id {
			return nil, badGraph("The call names two chats, " + id + " and " + named)
		}
		id = named
	}
	if id == "" {
		return nil, badGraph("The call names no chat: write its id, chat:ID, into the path")
	}
	if x := c.bot.findChat(func(x *chat) bool { return x.id == id }); x != nil {
		return x, nil
	}
	return nil, fail(okerrors.CodeChatNotFound, "Chat "+id+" not found")
}

// messages returns the messages of a chat, the latest one first.
func (c *graphCall) messages() (any, error) {
	count, err := c.count()
	if err != nil {
		return nil, err
	}
	from, err := c.number("from", math.MaxInt64)
	if err != nil {
		return nil, err
	}
	to, err := c.number("to", 0)
	if err != nil {
		return nil, err
	}
	if from <= to {
		return nil, badGraph("from must be greater than to: the latest message comes first")
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	x, err := c.wantedChat("")
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, m := range slices.Backward(x.messages) {
		if at := m.Time.UnixMilli(); at <= from && at >= to && len(list) < count {
			list = append(list, m.payload())
		}
	}
	return map[string]any{"messages": list}, nil
}

// A posting is the body of a POST of me/messages.
type posting struct {
	Recipient struct {
		ChatID  string   `json:"chat_id"`
		UserID  string   `json:"user_id"`
		UserIDs []string `json:"user_ids"`
	}
	Message *struct {
		Text       string
		Attachment any
	}
	Action  string `json:"sender_action"`
	Control any    `json:"chat_control"`
}

var senderActions = []string{"mark_seen", "typing_on", "sending_photo", "sending_video", "sending_audio"}

// post sends a message to a chat or to users, or shows what the bot does.
func (c *graphCall) post() (any, error) {
	var p posting
	if err := c.decode(&p); err != nil {
		return nil, err
	}
	switch {
	case p.Control != nil:
		return nil, badGraph("oktest has no chat_control: its chats are dialogs")
	case p.Message == nil && !slices.Contains(senderActions, p.Action):
		return nil, badGraph("The body has neither a message nor a known sender_action")
	case p.Message != nil && p.Message.Text == "" && p.Message.Attachment == nil:
		return nil, badGraph("The message has neither a text nor an attachment")
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if p.Recipient.UserIDs != nil {
		return c.postToUsers(p)
	}
	id := p.Recipient.ChatID
	if id == "" {
		id = p.Recipient.UserID // an example of the documentation has the chat there
	}
	x, err := c.wantedChat(id)
	if err != nil {
		return nil, err
	}
	if p.Message == nil {
		return map[string]any{"success": true}, nil
	}
	return map[string]any{"success": true, "message_id": c.bot.say(x, p).ID}, nil
}

// postToUsers sends a message to users. Each of them must have written before.
func (c *graphCall) postToUsers(p posting) (any, error) {
	if len(c.path) > 2 || p.Message == nil {
		return nil, badGraph("A message to user_ids is a POST of me/messages with a message")
	}
	success, chatIDs := []bool{}, []any{}
	for _, id := range p.Recipient.UserIDs {
		x := c.bot.findChat(func(x *chat) bool { return x.user.id == strings.TrimPrefix(id, "user:") })
		success = append(success, x != nil)
		if x == nil {
			chatIDs = append(chatIDs, nil)
			continue
		}
		c.bot.say(x, p)
		chatIDs = append(chatIDs, x.id)
	}
	return map[string]any{"success": success, "chat_ids": chatIDs}, nil
}

// say adds a message of the bot to a chat. It is no event: OK does not send a
// bot its own messages.
func (b *Bot) say(x *chat, p posting) Message {
	return b.add(x, Message{SenderID: "group:" + b.group.id, senderName: b.group.name, Text: p.Message.Text, attachment: p.Message.Attachment})
}

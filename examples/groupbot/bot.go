package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
)

// A bot answers each message once. It stores nothing: the chat itself shows what
// was answered, since each answer has the number of its message. Before the bot
// answers, it always reads the chat. So it does not matter
//
//   - how often OK repeats an event;
//   - whether the bot was killed while it answered;
//   - whether an answer that failed with okerrors.ErrOutcomeUnknown was sent.
//
// Events may be lost, for example while the bot is down for longer than OK
// repeats them. So the bot also reads all chats when it starts.
//
// Two processes must not run for one group at the same time: both could read the
// chat before either answers.
type bot struct {
	client *http.Client
	log    *slog.Logger
	chats  sync.Map // of *sync.Mutex by chat id: answers in a chat are sent one by one
}

// newBot returns the bot of the group whose token is in cfg.
func newBot(cfg okru.Config, log *slog.Logger) (*bot, error) {
	cfg.Logger = log
	cfg.Retry.AttemptTimeout = 3 * time.Second // OK waits 5 seconds for a webhook
	client, err := okru.NewClient(cfg)
	return &bot{client: client, log: log}, err
}

// memory is how far back the bot looks for messages without an answer when it
// starts: longer than OK repeats an event.
const memory = 9 * time.Hour

// catchUpAll answers what was written while the bot did not run.
func (b *bot) catchUpAll(ctx context.Context) error {
	since := time.Now().Add(-memory).UnixMilli()
	for c, err := range chats(ctx, b.client) {
		if err != nil {
			return err
		}
		if c.LastEventTime < since {
			return nil // and so are all that follow
		}
		if err := b.catchUp(ctx, c.ID, since); err != nil && !b.isPermanent(err) {
			return err
		}
	}
	return nil
}

// handle handles an event. Until it returns nil, the event has to be repeated.
func (b *bot) handle(ctx context.Context, event json.RawMessage) error {
	var m message
	if err := json.Unmarshal(event, &m); err != nil || m.Recipient.ChatID == "" {
		b.log.Warn("an event is no message", "error", err)
		return nil // a repeat would be the same
	}
	err := b.catchUp(ctx, m.Recipient.ChatID, m.Timestamp)
	if b.isPermanent(err) {
		return nil
	}
	return err
}

// isPermanent reports whether OK rejects a call for a reason that a repeat does
// not remove: the chat is gone, the user has blocked the group, a text is too
// long. The bot then leaves the message without an answer.
func (b *bot) isPermanent(err error) bool {
	if errors.Is(err, okerrors.ErrSession) { // the token
		return false
	}
	for _, class := range []error{okerrors.ErrNotFound, okerrors.ErrPermission, okerrors.ErrInvalid, okerrors.ErrUserAction, okerrors.ErrRule} {
		if errors.Is(err, class) {
			b.log.Error("no answer", "error", err)
			return true
		}
	}
	return false
}

// catchUp answers the messages of a chat that were written at the time since or
// later, and have no answer. After an error it has to be called again.
func (b *bot) catchUp(ctx context.Context, chatID string, since int64) error {
	lock, _ := b.chats.LoadOrStore(chatID, new(sync.Mutex))
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()

	var asked []message
	answered := make(map[string]bool) // by the number of the request
	for m, err := range messages(ctx, b.client, chatID, since) {
		switch {
		case err != nil:
			return err
		case !isFromUser(m):
			answered[requestIn(m.Message.Text)] = true
		default:
			asked = append(asked, m)
		}
	}
	for _, m := range slices.Backward(asked) { // the oldest one first
		if answered[requestOf(m)] {
			continue
		}
		if err := b.answer(ctx, m); err != nil && !b.isPermanent(err) {
			return err
		}
	}
	return nil
}

// settle is how long an answer of unknown outcome may still take to appear in
// the chat. One that OK delays for longer would be sent again.
var settle = time.Second

// answer answers one message.
func (b *bot) answer(ctx context.Context, m message) error {
	err := send(ctx, b.client, m.Recipient.ChatID, answerTo(m))
	if errors.Is(err, okerrors.ErrOutcomeUnknown) {
		wait(ctx, settle)
	}
	return err
}

// isFromUser reports whether a user wrote m, and not the group.
func isFromUser(m message) bool { return strings.HasPrefix(m.Sender.ID, "user:") }

// requestOf returns the number of the request that m is: the end of its id.
func requestOf(m message) string {
	return m.Message.ID[strings.LastIndexByte(m.Message.ID, '.')+1:]
}

// answerTo returns the answer to m. A bot that does more puts it here.
func answerTo(m message) string {
	return fmt.Sprintf("Request %s: thank you, we have read %.100q.", requestOf(m), m.Message.Text)
}

// requestIn returns the number of the request that an answer is about, or "".
func requestIn(answer string) string {
	rest, _ := strings.CutPrefix(answer, "Request ")
	number, _, _ := strings.Cut(rest, ":")
	return number
}

// wait waits for d, or for the end of ctx.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

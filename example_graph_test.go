package okru_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// The bot of a group reads a chat and answers there.
func ExampleGraph() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	bot := fake.NewBot("54000000000001")
	bot.Write(fake.NewUser("anna", "her password"), "Are you open on Sunday?")

	ctx := context.Background()
	client, err := okru.NewClient(okru.Config{GroupToken: bot.Token(), Base: fake.Transport()})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := okru.Graph[struct {
		Chats []struct {
			ID string `json:"chat_id"`
		}
	}](ctx, client, "GET", "me/chats?count=10", nil)
	if err != nil || len(page.Chats) == 0 {
		fmt.Println("no chats", err)
		return
	}
	chatID := page.Chats[0].ID
	_, err = okru.Graph[any](ctx, client, "POST", "me/messages/"+chatID, map[string]any{
		"recipient": map[string]string{"chat_id": chatID},
		"message":   map[string]string{"text": "Yes, from ten to six."},
	})
	fmt.Println(len(page.Chats), err)
	for _, m := range bot.Messages(chatID) {
		fmt.Println(m.Text)
	}
	// Output:
	// 1 <nil>
	// Are you open on Sunday?
	// Yes, from ten to six.
}

// A message was sent, and the response was lost. The error says that the message
// may have been sent: a bot reads the chat before it sends the message again. See
// examples/groupbot.
func ExampleGraph_outcome() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	bot := fake.NewBot("54000000000001")
	chatID := bot.Write(fake.NewUser("anna", "her password"), "hello").ChatID
	fake.Inject(oktest.Fault{Method: "graph/me/messages/{id}", AfterRun: true, Reset: true, Times: 1})

	client, err := okru.NewClient(okru.Config{GroupToken: bot.Token(), Base: fake.Transport()})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = okru.Graph[any](context.Background(), client, "POST", "me/messages/"+chatID, map[string]any{
		"recipient": map[string]string{"chat_id": chatID},
		"message":   map[string]string{"text": "hello, anna"},
	})
	fmt.Println(errors.Is(err, okerrors.ErrOutcomeUnknown), len(bot.Messages(chatID)))
	// Output:
	// true 2
}

package transport_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// A client of plain net/http for the bot of a group. The URL of the request, which
// errors and logs show, has no token.
func ExampleGroup() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	bot := fake.NewBot("54000000000001")

	client := &http.Client{Transport: transport.Group{Token: bot.Token()}.Wrap(fake.Transport())}
	resp, err := client.Get("https://api.ok.ru/graph/me/chats?count=10")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status, resp.Request.URL)
	// Output:
	// 200 OK https://api.ok.ru/graph/me/chats?count=10
}

// A program that serves several groups has one client, and the group of each
// call in its context.
func ExampleWithGroupToken() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	bots := []*oktest.Bot{fake.NewBot("54000000000001"), fake.NewBot("54000000000002")}

	client := &http.Client{Transport: transport.Group{}.Wrap(fake.Transport())}
	for _, bot := range bots {
		ctx := transport.WithGroupToken(context.Background(), bot.Token())
		info, err := okru.Graph[struct {
			GroupID string `json:"group_id"`
		}](ctx, client, "GET", "me/info", nil)
		fmt.Println(info.GroupID, err)
	}
	_, err := okru.Graph[any](context.Background(), client, "GET", "me/info", nil)
	fmt.Println(err)
	// Output:
	// group:54000000000001 <nil>
	// group:54000000000002 <nil>
	// okru: graph/me/info: a Graph call needs the token of a group's bot: set GroupToken, or use transport.WithGroupToken
}

package oktest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"syscall"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/callback"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// newClient returns a client as a program would make it, with the fake below.
func newClient(srv *oktest.Server, token *oauth2.Token) *http.Client {
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    srv.App().Key,
		ApplicationSecret: srv.App().Secret,
		TokenSource:       oauth2.StaticTokenSource(token),
		Retry:             transport.Retry{Max: -1},
		Base:              srv.Transport(),
	})
	if err != nil {
		panic(err)
	}
	return client
}

// A program under test makes its client as ever, with the fake as the base.
func Example() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	client := newClient(srv, srv.NewUser("anna", "her password").Token())

	friends, err := okru.Call[[]string](context.Background(), client, "friends.get", nil)
	fmt.Println(len(friends), friends[0], err)

	_, err = okru.Call[bool](context.Background(), client, "users.setStatus", url.Values{"status": {"Привет"}})
	fmt.Println(errors.Is(err, okerrors.CodePermissionDenied))

	for _, call := range srv.Calls() {
		fmt.Println(call.Method, call.Circuit, call.UserID, call.Ran)
	}
	// Output:
	// 7 570000000001 <nil>
	// true
	// friends.get server 580000000001 true
	// users.setStatus server 580000000001 false
}

// A test of a program: the server ends with the test, and if the test fails, its
// log shows which calls the server rejected, and why.
func ExampleNew() {
	testFriends := func(t *testing.T) {
		srv := oktest.New(t)
		anna := srv.NewUser("anna", "her password")
		client := newClient(srv, anna.Token()) // as the program makes it
		friends, err := okru.Call[[]string](t.Context(), client, "friends.get", nil)
		if err != nil || len(friends) != 7 {
			t.Errorf("%d friends, %v", len(friends), err)
		}
		if calls := srv.Calls(); len(calls) != 1 || calls[0].UserID != anna.ID() {
			t.Errorf("calls are %v", calls)
		}
	}
	_ = testFriends // func TestFriends(t *testing.T) in a file of tests
}

// A method of the program's own, or another implementation than that of the fake.
func ExampleServer_Handle() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	srv.Handle("market.getProducts", func(params url.Values) (any, error) {
		if params.Get("gid") != "54000000000001" {
			return nil, &okerrors.Error{Code: okerrors.CodeParamGroupID, Message: "PARAM_GROUP_ID : No such group"}
		}
		return map[string]any{"products": []string{"samovar"}}, nil
	})
	client := newClient(srv, srv.NewUser("anna", "her password").Token("GROUP_CONTENT"))

	type catalog struct{ Products []string }
	for _, gid := range []string{"54000000000001", "1"} {
		a, err := okru.Call[catalog](context.Background(), client, "market.getProducts", url.Values{"gid": {gid}})
		fmt.Println(a.Products, errors.Is(err, okerrors.CodeParamGroupID))
	}
	// Output:
	// [samovar] false
	// [] true
}

// A connection that breaks after the method ran leaves the caller in doubt.
// The server knows whether the write ran more than once.
func ExampleServer_Inject() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	srv.Inject(oktest.Fault{Method: "users.setStatus", Reset: true, AfterRun: true, Times: 1})
	client := newClient(srv, srv.NewUser("anna", "her password").Token("SET_STATUS"))

	params := url.Values{"status": {"Привет"}, "call_id": {"1"}}
	_, err := okru.Call[bool](context.Background(), client, "users.setStatus", params)
	fmt.Println("reset:", errors.Is(err, syscall.ECONNRESET))
	fmt.Println("ran:", srv.Calls()[0].Ran, "duplicates:", srv.Duplicates("call_id"))

	_, err = okru.Call[bool](context.Background(), client, "users.setStatus", params)
	fmt.Println("again:", err)
	fmt.Println("duplicates:", srv.Duplicates("call_id"))
	// Output:
	// reset: true
	// ran: true duplicates: 0
	// again: <nil>
	// duplicates: 1
}

// Two calls a day, as a quota.
func ExampleServer_Limit() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	srv.Limit(oktest.Limit{Calls: 2, Window: 24 * time.Hour, Code: okerrors.CodeLimitReached})
	client := newClient(srv, srv.NewUser("anna", "her password").Token())

	for range 3 {
		_, err := okru.Call[string](context.Background(), client, "users.getLoggedInUser", nil)
		fmt.Println(errors.Is(err, okerrors.CodeLimitReached))
	}
	// Output:
	// false
	// false
	// true
}

// Clients in other languages use the fake in plain http.
func ExampleServer_URL() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	srv.Configure(oktest.Settings{AllowUnsigned: true}) // OK itself would send code 104

	resp, err := http.Get(srv.URL() + "/fb.do?method=group.getInfo&uids=54000000000002&fields=name&application_key=" + srv.App().Key)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(string(body))
	// Output: [{"name":"Утренний чай","uid":"54000000000002"}]
}

// A code as the redirect of the authorize page brings it, without the pages.
func ExampleUser_AuthCode() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	anna := srv.NewUser("anna", "her password")

	const redirectURL = "https://example.com/callback"
	config := oauth2.Config{
		ClientID:     srv.App().ID,
		ClientSecret: srv.App().Secret,
		RedirectURL:  redirectURL,
		Endpoint:     oauth2.Endpoint{TokenURL: "https://api.ok.ru/oauth/token.do", AuthStyle: oauth2.AuthStyleInParams},
	}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: srv.Transport()})
	code := anna.AuthCode(redirectURL, "PHOTO_CONTENT")

	token, err := config.Exchange(ctx, code)
	fmt.Println(token.Type(), token.RefreshToken != "", err)
	_, err = config.Exchange(ctx, code)
	fmt.Println(err)
	// Output:
	// session true <nil>
	// oauth2: "invalid_grant" "Unknown, used or expired code"
}

// A payment whose first response is lost: OK sends it again, and the program,
// here one that books everything, must recognize it. Then a forgery.
func ExampleServer_Pay() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	anna := srv.NewUser("anna", "her password")
	game := httptest.NewServer(callback.Payments{
		ApplicationKey:    srv.App().Key,
		ApplicationSecret: srv.App().Secret,
		Accept:            func(context.Context, callback.Payment) error { return nil },
	})
	defer game.Close()

	order := anna.Payment("sword", 100)
	tx, err := srv.Pay(context.Background(), oktest.PaymentRequest{URL: game.URL, Params: order, Lost: 1, Delay: -1})
	fmt.Println(tx.Accepted, len(tx.Attempts), err)

	order.Add("amount", "1")
	tx, err = srv.Pay(context.Background(), oktest.PaymentRequest{URL: game.URL, Params: order})
	fmt.Println(tx.Canceled, tx.Attempts[0].Code, err)
	// Output:
	// true 2 <nil>
	// true PARAM_SIGNATURE (104) <nil>
}

// A bot that echoes what a user writes. The real one is in examples/groupbot.
func ExampleServer_NewBot() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	bot := srv.NewBot("54000000000001")
	hello := bot.Write(srv.NewUser("anna", "her password"), "hello")

	client, err := okru.NewClient(okru.Config{GroupToken: bot.Token(), Base: srv.Transport()})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = okru.Graph[any](context.Background(), client, "POST", "me/messages/"+hello.ChatID, map[string]any{
		"recipient": map[string]string{"chat_id": hello.ChatID},
		"message":   map[string]string{"text": "you wrote: hello"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range bot.Messages(hello.ChatID) {
		fmt.Println(m.SenderID, m.Text)
	}
	// Output:
	// user:580000000001 hello
	// group:54000000000001 you wrote: hello
}

package oktest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/callback"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// The journal says what each call was, and why it was rejected. A Call prints
// without secrets.
func ExampleCall() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	client := newClient(srv, srv.NewUser("anna", "her password").Token())
	_, _ = okru.Call[any](context.Background(), client, "users.setStatus", url.Values{"status": {"hello"}})

	call := srv.Calls()[0]
	fmt.Println(call.Method, call.Circuit, call.Ran, call.Code)
	fmt.Println(strings.Contains(fmt.Sprint(call), call.Params.Get("sig")))
	// Output:
	// users.setStatus server false PERMISSION_DENIED (10)
	// false
}

// Each user may make one call in a minute, and so may the other.
func ExampleScope() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	srv.Limit(oktest.Limit{PerSecond: 1. / 60, Per: oktest.PerUser})
	anna := newClient(srv, srv.NewUser("anna", "password").Token())
	boris := newClient(srv, srv.NewUser("boris", "password").Token())
	for _, client := range []*http.Client{anna, anna, boris} {
		_, err := okru.Call[string](context.Background(), client, "users.getLoggedInUser", nil)
		fmt.Println(errors.Is(err, okerrors.ErrThrottled))
	}
	// Output:
	// false
	// true
	// false
}

// What the methods of OK need, as its documentation says.
func ExampleMethods() {
	methods := oktest.Methods()
	i := slices.IndexFunc(methods, func(m oktest.Method) bool { return m.Name == "users.setStatus" })
	fmt.Println(methods[i].Session, methods[i].Scopes)
	// Output: required [SET_STATUS]
}

// A user from whom OK wants a captcha cannot sign in by a program.
func ExampleCheck() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	anna := srv.NewUser("anna", "her password")
	grant := oauth.Password{ApplicationKey: srv.App().Key, Login: "anna", Password: "her password", HTTPClient: &http.Client{Transport: srv.Transport()}}
	for _, check := range []oktest.Check{oktest.NoCheck, oktest.Captcha, oktest.Blocked} {
		anna.Require(check)
		_, err := grant.Token(context.Background())
		fmt.Println(errors.Is(err, oauth.ErrSignIn), errors.Is(err, okerrors.CodeAuthLoginCaptcha))
	}
	// Output:
	// false false
	// true true
	// true false
}

// Clients must read the lifetime of a session in each form that was seen.
func ExampleExpiresIn() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	anna := srv.NewUser("anna", "her password")
	for _, form := range []oktest.ExpiresIn{oktest.ExpiresString, oktest.ExpiresNumber, oktest.ExpiresAbsent} {
		srv.Configure(oktest.Settings{ExpiresIn: form})
		token, err := oauth.Code{
			ClientID: srv.App().ID, ClientSecret: srv.App().Secret, Code: anna.AuthCode(""),
			HTTPClient: &http.Client{Transport: srv.Transport()},
		}.Token(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("has an expiry:", !token.Expiry.IsZero())
	}
	// Output:
	// has an expiry: true
	// has an expiry: true
	// has an expiry: false
}

// What was posted and uploaded can be looked at.
func ExampleTopic() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	const group = "54000000000001"
	client, ctx := newClient(srv, srv.NewUser("anna", "password").Token("GROUP_CONTENT", "PHOTO_CONTENT", "VIDEO_CONTENT")), context.Background()

	place, err := okru.Call[struct {
		URL string `json:"upload_url"`
	}](ctx, client, "photosV2.getUploadUrl", url.Values{"gid": {group}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := okru.Upload(ctx, client, place.URL, okru.File{Name: "cat.jpg", Content: bytes.NewReader(make([]byte, 500))}); err != nil {
		log.Fatal(err)
	}
	if _, err := okru.Call[any](ctx, client, "video.getUploadUrl", url.Values{"gid": {group}, "file_name": {"film.mp4"}, "file_size": {"0"}}); err != nil {
		log.Fatal(err)
	}
	if _, err := okru.Call[any](ctx, client, "mediatopic.post", url.Values{
		"gid": {group}, "type": {"GROUP_THEME"}, "attachment": {`{"media": [{"type": "text", "text": "hello"}]}`},
	}); err != nil {
		log.Fatal(err)
	}

	topic := srv.Topics(group)[0]
	var photo oktest.Photo = srv.Photos()[0]
	var video oktest.Video = srv.Videos()[0]
	for _, file := range []oktest.File{photo.File, video.File} {
		fmt.Println(file.Size)
	}
	fmt.Println(topic.Texts, photo.Name, video.Title, video.Complete)
	// Output:
	// 500
	// 0
	// [hello] cat.jpg film.mp4 false
}

// A program that rejects a payment, and what OK makes of that.
func ExampleTransaction() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	shop := httptest.NewServer(callback.Payments{
		ApplicationSecret: srv.App().Secret,
		Accept: func(_ context.Context, p callback.Payment) error {
			if p.Amount != "100" {
				return okerrors.CodeCallbackInvalidPayment
			}
			return nil
		},
	})
	defer shop.Close()
	anna := srv.NewUser("anna", "her password")
	tx, err := srv.Pay(context.Background(), oktest.PaymentRequest{URL: shop.URL, Params: anna.Payment("sword", 1)})
	if err != nil {
		log.Fatal(err)
	}
	var first oktest.PaymentAttempt = tx.Attempts[0]
	fmt.Println(tx.Canceled, first.Accepted, first.Code)
	// Output: true false CALLBACK_INVALID_PAYMENT (1001)
}

// A user writes to a group, and the event reaches the program that subscribed.
func ExampleBot() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	bot := srv.NewBot("54000000000001")
	arrived := make(chan string)
	program := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event struct{ Message struct{ Text string } }
		_ = json.NewDecoder(r.Body).Decode(&event)
		arrived <- event.Message.Text
	}))
	defer program.Close()
	client, err := okru.NewClient(okru.Config{ApplicationKey: srv.App().Key, GroupToken: bot.Token(), Base: srv.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := okru.Graph[any](context.Background(), client, "POST", "me/subscribe", map[string]string{"url": program.URL}); err != nil {
		log.Fatal(err)
	}

	var message oktest.Message = bot.Write(srv.NewUser("anna", "her password"), "hello")
	fmt.Println(<-arrived)
	var delivery oktest.Delivery = bot.Deliveries()[0]
	fmt.Println(delivery.MessageID == message.ID)
	// Output:
	// hello
	// true
}

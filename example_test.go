package okru_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// The whole stack, against the fake of package oktest.
func Example() {
	fake := oktest.NewServer(oktest.App{Key: "CBAEXAMPLEKEY", Secret: "example secret"})
	defer fake.Close()
	session := fake.NewUser("alice", "password").Token()

	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    "CBAEXAMPLEKEY",
		ApplicationSecret: "example secret",
		TokenSource:       oauth.Static(session.AccessToken, ""),
		Limiter:           rate.NewLimiter(10, 1),
		Base:              fake.Transport(),
	})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Get("https://api.ok.ru/fb.do?method=users.isAppUser")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	fmt.Println(string(text), err)

	_, err = client.Get("https://api.ok.ru/fb.do?method=users.getNothing")
	fmt.Println(errors.Is(err, okerrors.ErrInvalid), errors.Is(err, okerrors.CodeMethod))
	// Output:
	// true <nil>
	// true true
}

func ExampleCall() {
	fake := oktest.NewServer(oktest.App{Key: "CBAEXAMPLEKEY", Secret: "example secret"})
	defer fake.Close()
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    "CBAEXAMPLEKEY",
		ApplicationSecret: "example secret",
		TokenSource:       oauth.Static(fake.NewUser("alice", "password").Token().AccessToken, ""),
		Base:              fake.Transport(),
	})
	if err != nil {
		log.Fatal(err)
	}
	friends, err := okru.Call[[]string](context.Background(), client, "friends.get", nil)
	fmt.Println(len(friends), err)
	_, err = okru.Call[any](context.Background(), client, "users.getInfo", url.Values{"uids": {""}})
	fmt.Println(errors.Is(err, okerrors.ErrInvalid))
	// Output:
	// 7 <nil>
	// true
}

// A server of many users gives each call its session.
func ExampleConfig_manyUsers() {
	fake := oktest.NewServer(oktest.App{Key: "CBAEXAMPLEKEY", Secret: "example secret"})
	defer fake.Close()
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    "CBAEXAMPLEKEY",
		ApplicationSecret: "example secret",
		Base:              fake.Transport(),
	})
	if err != nil {
		log.Fatal(err)
	}
	alice, bob := fake.NewUser("alice", "password"), fake.NewUser("bob", "password")
	for _, session := range []*oauth2.Token{alice.Token(), bob.Token()} {
		ctx := transport.WithToken(context.Background(), session)
		id, err := okru.Call[string](ctx, client, "users.getLoggedInUser", nil)
		fmt.Println(id == alice.ID(), id == bob.ID(), err)
	}
	// Output:
	// true false <nil>
	// false true <nil>
}

// show is a layer that prints its name when a request passes it.
func show(name string) transport.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return transport.Func(func(r *http.Request) (*http.Response, error) {
			fmt.Println(name)
			return next.RoundTrip(r)
		})
	}
}

// The order of the layers, by hand. NewTransport stacks them in the same
// order: the limit inside the retry, since a server counts attempts; the
// signature last, since nothing may touch parameters after it.
func Example_order() {
	fake := oktest.NewServer(oktest.App{Key: "CBAEXAMPLEKEY", Secret: "example secret"})
	defer fake.Close()
	fake.Inject(oktest.Fault{Times: 1, Status: 503})
	limit := ratelimit.Limit{Limiter: rate.NewLimiter(rate.Inf, 1)}
	signer := transport.Signer{ApplicationKey: "CBAEXAMPLEKEY", ApplicationSecret: "example secret", BeforeRepeat: limit.Charge}
	client := &http.Client{Transport: transport.Chain(fake.Transport(),
		show("errors"), okerrors.Decode,
		show("retry"), transport.Retry{MinDelay: 1}.Wrap,
		show("limit"), limit.Wrap,
		show("sign"), signer.Wrap,
	)}
	_, err := okru.Call[any](context.Background(), client, "group.getInfo", url.Values{"uids": {"1"}, "fields": {"uid"}})
	fmt.Println(err)
	// Output:
	// errors
	// retry
	// limit
	// sign
	// limit
	// sign
	// <nil>
}

// A limit outside of the retry counts calls, not attempts: here three
// attempts, which the server counts, cost one token.
func Example_order_incorrect() {
	fake := oktest.NewServer(oktest.App{Key: "CBAEXAMPLEKEY", Secret: "example secret"})
	defer fake.Close()
	fake.Inject(oktest.Fault{Times: 2, Status: 503})
	tokens := rate.NewLimiter(0, 10)
	signer := transport.Signer{ApplicationKey: "CBAEXAMPLEKEY", ApplicationSecret: "example secret"}
	client := &http.Client{Transport: transport.Chain(fake.Transport(),
		ratelimit.Limit{Limiter: tokens}.Wrap, // wrong: belongs inside the retry
		transport.Retry{MinDelay: 1}.Wrap,
		signer.Wrap,
	)}
	_, err := okru.Call[any](context.Background(), client, "group.getInfo", url.Values{"uids": {"1"}, "fields": {"uid"}})
	fmt.Println("attempts:", len(fake.Calls()), "tokens spent:", 10-int(tokens.Tokens()), err)
	// Output:
	// attempts: 3 tokens spent: 1 <nil>
}

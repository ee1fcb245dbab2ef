package transport_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// printing is a base that prints the URL of each request and returns text.
func printing(text string) transport.Func {
	return func(r *http.Request) (*http.Response, error) {
		fmt.Println(r.Method, r.URL)
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
}

// getURL makes a request and drops its response.
func getURL(ctx context.Context, client *http.Client, address string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
}

// A Signer alone, over a base that shows what is sent. The values are those of
// the documentation of aiookru.
func ExampleSigner() {
	signer := transport.Signer{
		ApplicationKey:    "ABCDEFGHIGKLMNOPK",
		ApplicationSecret: "ABC123DEF456GHI789JKL123",
		TokenSource:       oauth.Static("-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7", ""),
	}
	client := &http.Client{Transport: signer.Wrap(printing("[]"))}
	getURL(context.Background(), client, "https://api.ok.ru/fb.do?method=events.get")
	getURL(context.Background(), client, "https://example.com/fb.do?method=events.get") // not OK, so it is left alone
	// Output:
	// GET https://api.ok.ru/fb.do?application_key=ABCDEFGHIGKLMNOPK&format=json&method=events.get&sig=232c8eb921951c4dba9b72606f9ddb4c&access_token=-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7
	// GET https://example.com/fb.do?method=events.get
}

// The signature of a call, computed without a Signer.
func ExampleSignature() {
	params := url.Values{"application_key": {"ABCDEFGHIGKLMNOPK"}, "format": {"json"}, "method": {"events.get"}}
	secret := transport.DeriveSecret("-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7", "ABC123DEF456GHI789JKL123")
	fmt.Println(secret)
	fmt.Println(transport.Signature(params, secret))
	// Output:
	// b1a2b89707a94624c43afae67d59274c
	// 232c8eb921951c4dba9b72606f9ddb4c
}

// One call on another circuit than that of the Signer.
func ExampleCircuit() {
	signer := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "secret", TokenSource: oauth.Static("token", "")}
	client := &http.Client{Transport: signer.Wrap(printing("[]"))}
	for _, c := range []transport.Circuit{transport.Sessionless, transport.Unsigned} {
		fmt.Println(c)
		getURL(transport.WithCircuit(context.Background(), c), client, "https://api.ok.ru/fb.do?method=group.getInfo")
	}
	// Output:
	// Sessionless
	// GET https://api.ok.ru/fb.do?application_key=KEY&format=json&method=group.getInfo&sig=c931bc1812d873892f97b0cd3a12e858
	// Unsigned
	// GET https://api.ok.ru/fb.do?application_key=KEY&format=json&method=group.getInfo
}

// A server gives each call the session of its user.
func ExampleWithToken() {
	server := oktest.NewServer(oktest.App{})
	defer server.Close()
	app := server.App()
	client := &http.Client{Transport: transport.Signer{ApplicationKey: app.Key, ApplicationSecret: app.Secret}.Wrap(server.Transport())}
	for _, user := range []*oktest.User{server.NewUser("anna", "password"), server.NewUser("boris", "password")} {
		ctx := transport.WithToken(context.Background(), user.Token())
		getURL(ctx, client, "https://api.ok.ru/fb.do?method=users.getLoggedInUser")
	}
	for _, call := range server.Calls() {
		fmt.Println(call.UserID)
	}
	// Output:
	// 580000000001
	// 580000000002
}

// A layer of one's own, from a function. As any RoundTripper it must not change
// the request that it is given.
func ExampleMiddleware() {
	var language transport.Middleware = func(next http.RoundTripper) http.RoundTripper {
		return transport.Func(func(r *http.Request) (*http.Response, error) {
			sent := r.Clone(r.Context())
			sent.Header.Set("Accept-Language", "ru")
			return next.RoundTrip(sent)
		})
	}
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		fmt.Println(r.Header.Get("Accept-Language"))
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})
	client := &http.Client{Transport: transport.Chain(base, language)}
	getURL(context.Background(), client, "https://api.ok.ru/fb.do?method=users.getCurrentUser")
	// Output: ru
}

// A Func is handy as the network of a test.
func ExampleFunc() {
	network := transport.Func(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("no route to %s", r.URL.Host)
	})
	client := &http.Client{Transport: network}
	_, err := client.Get("https://api.ok.ru/")
	fmt.Println(err)
	// Output: Get "https://api.ok.ru/": no route to api.ok.ru
}

// The method of a request, wherever the request names it.
func ExampleMethod() {
	for _, address := range []string{
		"https://api.ok.ru/fb.do?method=users.getInfo",
		"https://api.ok.ru/api/users/getInfo",
		"https://api.ok.ru/graph/me/messages/chat:C1",
		"https://example.com/",
	} {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q\n", transport.Method(r))
	}
	// Output:
	// "users.getInfo"
	// "users.getInfo"
	// "graph/me/messages/{id}"
	// ""
}

// A write that may run twice without harm is repeated like a read.
func ExampleWithIdempotent() {
	server := oktest.NewServer(oktest.App{})
	defer server.Close()
	app := server.App()
	client := &http.Client{Transport: transport.Chain(server.Transport(), transport.Retry{MinDelay: -1}.Wrap, transport.Signer{
		ApplicationKey: app.Key, ApplicationSecret: app.Secret,
		TokenSource: oauth2.StaticTokenSource(server.NewUser("anna", "password").Token("SET_STATUS")),
	}.Wrap)}
	for _, safe := range []bool{false, true} {
		server.Inject(oktest.Fault{Method: "users.setStatus", Status: 502, Times: 1})
		ctx := transport.WithIdempotent(context.Background(), safe)
		getURL(ctx, client, "https://api.ok.ru/fb.do?method=users.setStatus&status=hello")
		fmt.Println(safe, len(server.Calls()))
		server.ForgetCalls()
	}
	// Output:
	// false 1
	// true 2
}

// What happened to a call: its session has expired, and was renewed.
func ExampleTrace() {
	server := oktest.NewServer(oktest.App{})
	defer server.Close()
	app, token := server.App(), server.NewUser("anna", "password").Token()
	server.Expire(token.AccessToken)
	plain := &http.Client{Transport: server.Transport()}
	client := &http.Client{Transport: transport.Signer{
		ApplicationKey: app.Key, ApplicationSecret: app.Secret,
		TokenSource: renewing(plain, app, token),
	}.Wrap(server.Transport())}

	ctx := transport.WithTrace(context.Background(), &transport.Trace{
		Limited: func(i transport.LimitedInfo) { fmt.Println("waited", i.Wait) }, // not here: there is no limiter
		Attempt: func(i transport.AttemptInfo) { fmt.Println("attempt", i.N, i.Verb, i.Circuit, i.URL) },
		Renewed: func(i transport.RenewedInfo) { fmt.Println("renewed after", i.Code, i.Repeated, i.Err) },
		Done:    func(i transport.DoneInfo) { fmt.Println("done", i.N, i.Method, i.Status, i.Err) },
	})
	getURL(ctx, client, "https://api.ok.ru/fb.do?method=users.getInfo&uids=570000000001&fields=uid")
	// Output:
	// attempt 1 GET ServerServer https://api.ok.ru/fb.do?method=users.getInfo&uids=REDACTED&fields=uid
	// renewed after PARAM_SESSION_EXPIRED (102) true <nil>
	// done 1 users.getInfo 200 <nil>
}

// renewing returns a source that has token, which can be renewed.
func renewing(plain *http.Client, app oktest.App, token *oauth2.Token) oauth2.TokenSource {
	source := oauth.NewSource(oauth.Refresh{ClientID: app.ID, ClientSecret: app.Secret, HTTPClient: plain}, oauth.Options{Timeout: time.Minute})
	source.Replace(nil, token)
	return source
}

package transport_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"sync/atomic"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// A service that fails twice, and a caller who does not notice.
func ExampleRetry() {
	server := oktest.NewServer(oktest.App{})
	defer server.Close()
	server.Inject(oktest.Fault{Code: okerrors.CodeService, Times: 2})
	user := server.NewUser("user", "password")

	app := server.App()
	client := &http.Client{Transport: transport.Chain(server.Transport(),
		transport.Retry{
			OnRetry: func(a transport.Attempt) {
				e, _ := okerrors.FromResponse(a.Response)
				fmt.Println("attempt", a.N, "failed:", e.Code)
			},
		}.Wrap,
		transport.Signer{
			ApplicationKey: app.Key, ApplicationSecret: app.Secret,
			TokenSource: oauth2.StaticTokenSource(user.Token("VALUABLE_ACCESS")),
		}.Wrap,
	)}

	var attempts atomic.Int32
	ctx := transport.WithAttempts(context.Background(), &attempts)
	r, err := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/fb.do?method=users.getLoggedInUser", nil)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println("status", resp.StatusCode, "after", attempts.Load(), "attempts")

	// Output:
	// attempt 1 failed: SERVICE (2)
	// attempt 2 failed: SERVICE (2)
	// status 200 after 3 attempts
}

// A policy of one's own that begins with the default one.
func ExampleRetry_if() {
	retry := transport.Retry{
		If: func(a transport.Attempt) bool {
			accepted := a.Response != nil && a.Response.StatusCode == http.StatusAccepted
			return accepted || transport.Retryable(a)
		},
	}
	client := &http.Client{Transport: retry.Wrap(nil)}
	fmt.Println(client.Transport)

	// Output:
	// transport.Retry(*http.Transport)
}

package interop_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"resty.dev/v3"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// Resty v3 over our client. Its retries, hedging, circuit breaker and load
// balancer are off unless asked for: leave retries and hedging so, since our
// stack repeats what may be repeated.
func Example_restyV3() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	client := resty.NewWithClient(newClient(config(srv)))
	defer client.Close()

	var friends []string
	_, err := client.R().SetResult(&friends).Get(friendsURL)
	fmt.Println(len(friends), err)

	_, err = client.R().SetFormData(map[string]string{"status": "Привет"}).Post("https://api.ok.ru/api/users/setStatus")
	fmt.Println(errors.Is(err, okerrors.ErrPermission))
	// Output:
	// 7 <nil>
	// true
}

func restyV3(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	client := resty.New().SetTransport(newTransport(over(srv, base, scopes...))).SetLogger(silent{})
	return caller{
		friends: func(ctx context.Context) error {
			resp, err := client.R().SetContext(ctx).Get(friendsURL)
			if resp != nil && resp.Body != nil { // without SetResult resty leaves it to its caller
				defer resp.Body.Close()
			}
			return err
		},
		setStatus: func(ctx context.Context) error {
			_, err := client.R().SetContext(ctx).SetFormData(map[string]string{"method": "users.setStatus", "status": "Привет"}).Post("https://api.ok.ru/fb.do")
			return err
		},
		closeIdle: client.Client().CloseIdleConnections,
	}
}

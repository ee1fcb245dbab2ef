package interop_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-resty/resty/v2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// Resty v2 over our client. Leave its retries off: it knows neither which
// methods are safe to repeat nor API errors in a response with status 200.
func Example_restyV2() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	client := resty.NewWithClient(newClient(config(srv)))

	var friends []string
	_, err := client.R().SetResult(&friends).Get(friendsURL)
	fmt.Println(len(friends), err)

	_, err = client.R().SetFormData(map[string]string{"status": "Привет"}).Post("https://api.ok.ru/api/users/setStatus")
	fmt.Println(errors.Is(err, okerrors.ErrPermission))
	// Output:
	// 7 <nil>
	// true
}

func restyV2(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	client := resty.New().SetTransport(newTransport(over(srv, base, scopes...))).SetLogger(silent{})
	return caller{
		friends: func(ctx context.Context) error {
			_, err := client.R().SetContext(ctx).Get(friendsURL)
			return err
		},
		setStatus: func(ctx context.Context) error {
			_, err := client.R().SetContext(ctx).SetFormData(map[string]string{"method": "users.setStatus", "status": "Привет"}).Post("https://api.ok.ru/fb.do")
			return err
		},
		closeIdle: client.GetClient().CloseIdleConnections,
	}
}

// silent logs nothing: resty writes errors to stderr otherwise.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

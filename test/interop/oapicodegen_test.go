package interop_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/test/interop/okapi"
)

// A client that oapi-codegen generated from an OpenAPI document. The document
// has no parameters for sessions and signatures: our client is its
// HttpRequestDoer and adds them.
func Example_oapiCodegen() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	client, err := okapi.NewClientWithResponses("https://api.ok.ru", okapi.WithHTTPClient(newClient(config(srv))))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()

	fields := "uid"
	user, err := client.UsersGetCurrentUserWithResponse(ctx, &okapi.UsersGetCurrentUserParams{Fields: &fields})
	fmt.Println(*user.JSON200.Uid, err)

	friends, err := client.FriendsGetWithResponse(ctx)
	fmt.Println(len(*friends.JSON200), err)

	_, err = client.UsersSetStatusWithFormdataBodyWithResponse(ctx, okapi.UsersSetStatusFormdataRequestBody{Status: "Привет"})
	fmt.Println(errors.Is(err, okerrors.ErrPermission))
	// Output:
	// 580000000001 <nil>
	// 7 <nil>
	// true
}

func generated(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	doer := newClient(over(srv, base, scopes...))
	client, err := okapi.NewClientWithResponses("https://api.ok.ru", okapi.WithHTTPClient(doer))
	if err != nil {
		panic(err)
	}
	return caller{
		friends: func(ctx context.Context) error {
			_, err := client.FriendsGetWithResponse(ctx)
			return err
		},
		setStatus: func(ctx context.Context) error {
			_, err := client.UsersSetStatusWithFormdataBodyWithResponse(ctx, okapi.UsersSetStatusFormdataRequestBody{Status: "Привет"})
			return err
		},
		closeIdle: doer.CloseIdleConnections,
	}
}

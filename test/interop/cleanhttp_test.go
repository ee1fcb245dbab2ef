package interop_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hashicorp/go-cleanhttp"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oktest"
)

// A transport of one's own from go-cleanhttp, instead of the global one of
// net/http. Take the pooled one: the other makes a connection per call.
func Example_cleanhttp() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	base := cleanhttp.DefaultPooledTransport()
	defer base.CloseIdleConnections()
	lead(base, srv) // for the fake only

	client := newClient(over(srv, base))
	for range 3 {
		friends, err := okru.Call[[]string](context.Background(), client, "friends.get", nil)
		fmt.Println(len(friends), err)
	}
	fmt.Println("connections:", srv.Connections())
	// Output:
	// 7 <nil>
	// 7 <nil>
	// 7 <nil>
	// connections: 1
}

// lead makes t lead to the fake.
func lead(t *http.Transport, srv *oktest.Server) {
	fake := srv.Transport().(*http.Transport)
	t.DialContext, t.TLSClientConfig = fake.DialContext, fake.TLSClientConfig
}

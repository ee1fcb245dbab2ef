package interop_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gregjones/httpcache"

	"github.com/go-okru/okru/oktest"
)

// maxAge makes responses cacheable: OK forbids it for all of them.
type maxAge struct {
	next    http.RoundTripper
	seconds int
}

func (m maxAge) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(r)
	if err == nil {
		resp.Header.Set("Cache-Control", fmt.Sprintf("max-age=%d", m.seconds))
	}
	return resp, err
}

// A cache above the stack keeps responses to GETs under the URL that the program
// asked for. API errors do not get into it, being errors. It knows nothing of
// sessions: use one per user, or for calls that need no session.
func Example_httpcache() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	cache := httpcache.NewMemoryCacheTransport()
	cache.Transport = maxAge{newTransport(config(srv)), 60}
	client := cache.Client()
	for range 3 {
		fmt.Println(drain(client.Get(friendsURL)))
	}
	fmt.Println("calls:", len(srv.Calls()))
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// calls: 1
}

// keyed notes under which keys responses are stored.
type keyed struct {
	httpcache.Cache
	keys []string
}

func (k *keyed) Set(key string, response []byte) {
	k.keys = append(k.keys, key)
	k.Cache.Set(key, response)
}

// Below the stack the keys are signed URLs: sessions get into the store, and a
// renewed session finds nothing there.
func TestCacheKeys(t *testing.T) {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	for name, test := range map[string]struct {
		client func(*httpcache.Transport) *http.Client
		signed bool
	}{
		"above": {func(cache *httpcache.Transport) *http.Client {
			cache.Transport = maxAge{newTransport(config(srv)), 60}
			return cache.Client()
		}, false},
		"below": {func(cache *httpcache.Transport) *http.Client {
			cache.Transport = maxAge{srv.Transport(), 60}
			return newClient(over(srv, cache))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			cache := &keyed{Cache: httpcache.NewMemoryCache()}
			client := test.client(httpcache.NewTransport(cache))
			if err := drain(client.Get(friendsURL)); err != nil {
				t.Fatal(err)
			}
			if len(cache.keys) != 1 || strings.Contains(cache.keys[0], "access_token") != test.signed {
				t.Errorf("keys: %q", cache.keys)
			}
		})
	}
}

func cacheAbove(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	cache := httpcache.NewMemoryCacheTransport()
	cache.Transport = newTransport(over(srv, base, scopes...))
	return by(cache.Client())
}

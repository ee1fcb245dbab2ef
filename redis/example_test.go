package okredis_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/ratelimit"
	okredis "github.com/go-okru/okru/redis"
	"github.com/go-okru/okru/transport"
)

// All processes of an application stay within 100 calls per second.
func Example() {
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	limiter := okredis.NewBucket(rdb, "okru:limit", 100, 10)
	limiter.OnError = func(err error) { log.Print(err) }
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    "CBAXXXXXXXXXXXXXXX",
		ApplicationSecret: "…",
		TokenSource:       oauth.NewSource(oauth.Refresh{}, oauth.Options{Store: okredis.NewStore(rdb, "okru:session", okredis.StoreOptions{})}),
		Limiter:           limiter,
	})
	if err != nil {
		log.Fatal(err)
	}
	friends, err := okru.Call[[]string](context.Background(), client, "friends.get", nil)
	fmt.Println(friends, err)
}

// Without Redis, calls go on within the share of this process: half of 1000
// calls per second.
func ExampleBucket() {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer rdb.Close()
	limiter := okredis.NewBucket(rdb, "okru:limit", 1000, 10)
	limiter.Share = 0.5
	limiter.OnError = func(error) { fmt.Println("Redis is unavailable") }
	for range 3 {
		fmt.Println(limiter.Wait(context.Background()))
	}
	// Output:
	// Redis is unavailable
	// <nil>
	// <nil>
	// <nil>
}

// The limit of a user needs a key that means the same in all processes. Here a
// LimitKey takes it from the context of the request.
func ExampleKeyed() {
	type userID struct{}
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	limiter := okredis.NewKeyed(rdb, "okru:limits", 3, 5)
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    "CBAXXXXXXXXXXXXXXX",
		ApplicationSecret: "…",
		Limiter:           limiter,
		LimitKey:          func(r *http.Request) string { return r.Context().Value(userID{}).(string) },
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = client // calls with context.WithValue(ctx, userID{}, "42") wait for the limit of user 42

	// A default key would mean another session in each process.
	ctx := transport.WithToken(context.Background(), &oauth2.Token{AccessToken: "…"})
	fmt.Println(limiter.Wait(ctx) != nil)
	// Output: true
}

// A limit for each method, which all processes share.
func ExampleKeyed_byMethod() {
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    "CBAXXXXXXXXXXXXXXX",
		ApplicationSecret: "…",
		Limiter:           okredis.NewKeyed(rdb, "okru:methods", 50, 10),
		LimitKey:          ratelimit.ByMethod,
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = client
}

// An Adaptive in each process finds out when OK allows less than the limit that
// all processes share. That limit is a layer below it.
func ExampleNewBucket_adaptive() {
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	shared := ratelimit.Limit{Limiter: okredis.NewBucket(rdb, "okru:limit", 100, 10)}
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    "CBAXXXXXXXXXXXXXXX",
		ApplicationSecret: "…",
		Limiter:           ratelimit.NewAdaptive(1, 100),
		Layers:            []transport.Middleware{shared.Wrap},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = client
}

// Encryption keys are rotated: what was stored with the previous key, or
// without one, can still be read.
func ExampleNewStore() {
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	key, previous := make([]byte, 32), make([]byte, 32) // from a secret manager
	store := okredis.NewStore(rdb, "okru:session:42", okredis.StoreOptions{
		Expire:  90 * 24 * time.Hour,
		Encrypt: key,
		Decrypt: [][]byte{previous, nil},
	})
	fmt.Println(store)
	// Output: okredis.NewStore("okru:session:42")
}

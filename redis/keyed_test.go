package okredis_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru/ratelimit"
	okredis "github.com/go-okru/okru/redis"
	"github.com/go-okru/okru/transport"
)

// Each key has a limit of its own, which processes share.
func TestKeyed(t *testing.T) {
	noGoroutines(t)
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: startCluster(t)})
	t.Cleanup(func() { cluster.Close() })
	for name, c := range map[string]redis.UniversalClient{"server": startRedis(t).client(), "cluster": cluster} {
		t.Run(name, func(t *testing.T) {
			a, b := okredis.NewKeyed(c, "keyed", 50, 1), okredis.NewKeyed(c, "keyed", 50, 1)
			for i := range 5 {
				key := fmt.Sprint("user ", i)
				t.Run(key, func(t *testing.T) {
					t.Parallel()
					times := passes(t, 21, a.For(key), b.For(key))
					if got := times[20]; got < 380*time.Millisecond || got > 2*time.Second {
						t.Errorf("21 calls at 50/s took %v", got)
					}
				})
			}
		})
	}
}

// A key that means something in this process only is rejected, and the error
// names what to set.
func TestKeyedDefaultKeys(t *testing.T) {
	s := startRedis(t)
	k := okredis.NewKeyed(s.client(), "default", 1000, 100)
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "secret"})
	for name, ctx := range map[string]context.Context{
		"token":  transport.WithToken(t.Context(), &oauth2.Token{AccessToken: "secret"}),
		"source": transport.WithTokenSource(t.Context(), source),
	} {
		if err := k.Wait(ctx); err == nil || !strings.Contains(err.Error(), "LimitKey") {
			t.Errorf("%s: Wait: %v, want an error that names LimitKey", name, err)
		}
		sent := false
		layer := ratelimit.Limit{Limiter: k}.Wrap(transport.Func(func(*http.Request) (*http.Response, error) {
			sent = true
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		}))
		r, _ := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/fb.do?method=users.getInfo", nil)
		if _, err := layer.RoundTrip(r); err == nil || !strings.Contains(err.Error(), "LimitKey") || sent {
			t.Errorf("%s: RoundTrip: %v, sent %v; want an error that names LimitKey", name, err, sent)
		}
	}
	if err := k.Wait(t.Context()); err != nil {
		t.Errorf("no session: Wait: %v", err)
	}
	for key, ok := range map[string]bool{
		"": true, "anna": true, "users.getInfo": true, "session": true, "session 42": true, "my session of 16 digits 0123456789abcdef": true,
		"user 0123456789abcdef": true, "session 0123456789abcdeX": true,
		"session 0123456789abcdef": false, "users.getInfo session 0123456789abcdef": false,
	} {
		if err := k.For(key).Wait(t.Context()); (err == nil) != ok {
			t.Errorf("key %q: Wait: %v, want ok %v", key, err, ok)
		}
	}
}

// Only Max keys are kept, and Redis forgets keys soon.
func TestKeyedBounds(t *testing.T) {
	s := startRedis(t)
	c := s.client()
	k := okredis.NewKeyed(c, "bounds", 100, 1)
	k.Max = 10
	for i := range 200 {
		if err := k.For(fmt.Sprint(i)).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, 3*time.Second, "Redis has forgotten all keys but the processes", func() bool {
		n, err := c.DBSize(t.Context()).Result()
		return err == nil && n == 1
	})
}

// An outage is reported once, whatever the number of keys.
func TestKeyedOutage(t *testing.T) {
	noGoroutines(t)
	s := startRedis(t)
	k := okredis.NewKeyed(s.client(), "outage", 100, 1)
	var outages atomic.Int32
	k.OnError = func(error) { outages.Add(1) }
	var limiters []ratelimit.Limiter
	for i := range 10 {
		limiters = append(limiters, k.For(fmt.Sprint(i)))
	}
	stop := load(t, 20, limiters...)
	time.Sleep(500 * time.Millisecond)
	s.kill()
	time.Sleep(1500 * time.Millisecond)
	s.start()
	start := time.Now()
	eventually(t, 5*time.Second, "Redis is used again", func() bool {
		n, err := s.client().DBSize(t.Context()).Result()
		return err == nil && n == 11
	})
	t.Logf("all keys are back after %v", time.Since(start))
	stop()
	if n := outages.Load(); n != 1 {
		t.Errorf("OnError was called %d times, want once", n)
	}
}

func TestKeyedBadInput(t *testing.T) {
	c := newClient(t, &redis.Options{Addr: "127.0.0.1:1"})
	for want, k := range map[string]*okredis.Keyed{
		"use NewKeyed": new(okredis.Keyed),
		"prefix":       okredis.NewKeyed(c, "", 1, 1),
		"rate":         okredis.NewKeyed(c, "p", 0, 1),
		"burst":        okredis.NewKeyed(c, "p", 1, 0),
	} {
		if err := k.For("anna").Wait(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Wait: %v, want an error about %q", err, want)
		}
		if err := k.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Wait: %v, want an error about %q", err, want)
		}
	}
}

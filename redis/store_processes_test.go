package okredis_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	okredis "github.com/go-okru/okru/redis"
	"github.com/go-okru/okru/transport"
)

// Variables of the processes that tests of stores start.
const (
	envStoreRedis = "OKRU_TEST_STORE_REDIS"
	envEndpoint   = "OKRU_TEST_TOKEN_ENDPOINT"
)

const testLease = time.Second

func init() { roles["renew"] = runRenew }

// runRenew gets a session as one of many processes that share a store, and
// prints its access token.
func runRenew() int {
	c := redis.NewClient(&redis.Options{Addr: os.Getenv(envStoreRedis)})
	defer c.Close()
	local := transport.Func(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = "http", os.Getenv(envEndpoint)
		return http.DefaultTransport.RoundTrip(r)
	})
	s := oauth.NewSource(
		oauth.Refresh{ClientID: "1", ClientSecret: "2", HTTPClient: &http.Client{Transport: local}},
		oauth.Options{Store: okredis.NewStore(c, "session", okredis.StoreOptions{Lease: testLease})})
	t, err := s.Token()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(t.AccessToken)
	return 0
}

// expire makes the session in the store an expired one.
func expire(t *testing.T, s *redisServer) {
	t.Helper()
	store := okredis.NewStore(s.client(), "session", okredis.StoreOptions{})
	old := &oauth2.Token{AccessToken: "old", RefreshToken: "R", Expiry: time.Now().Add(-time.Minute)}
	if err := store.Save(t.Context(), old); err != nil {
		t.Fatal(err)
	}
}

// Eight processes that share a store with an expired session renew it once.
func TestProcessesRenewOnce(t *testing.T) {
	s := startRedis(t)
	expire(t, s)
	var requests atomic.Int32
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(200 * time.Millisecond) // so that the others come in the meantime
		fmt.Fprintf(w, `{"access_token":"T%d","refresh_token":"R","expires_in":"1800"}`, requests.Add(1))
	}))
	defer endpoint.Close()
	var processes []*process
	for range 8 {
		processes = append(processes, startProcess(t, "renew",
			envStoreRedis+"="+s.addr, envEndpoint+"="+strings.TrimPrefix(endpoint.URL, "http://")))
	}
	for _, p := range processes {
		if out := strings.TrimSpace(p.wait(t, 30*time.Second)); out != "T1" {
			t.Errorf("a process has the session %q, want T1", out)
		}
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d renewals, want 1", n)
	}
}

// If the process that renews is killed, the next one renews after the lease.
func TestProcessesKilledHolder(t *testing.T) {
	s := startRedis(t)
	expire(t, s)
	var requests atomic.Int32
	first := make(chan struct{})
	release := make(chan struct{})
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := requests.Add(1)
		if n == 1 {
			close(first)
			<-release
		}
		fmt.Fprintf(w, `{"access_token":"T%d","refresh_token":"R","expires_in":"1800"}`, n)
	}))
	defer endpoint.Close()
	defer sync.OnceFunc(func() { close(release) })()
	env := []string{envStoreRedis + "=" + s.addr, envEndpoint + "=" + strings.TrimPrefix(endpoint.URL, "http://")}
	holder := startProcess(t, "renew", env...)
	<-first
	time.Sleep(2 * testLease) // its lease is renewed in the meantime
	next := startProcess(t, "renew", env...)
	time.Sleep(testLease / 2)
	if n := requests.Load(); n != 1 {
		t.Errorf("%d renewals while the first process holds the lock, want 1", n)
	}
	_ = holder.cmd.Process.Kill()
	killed := time.Now()
	if out := strings.TrimSpace(next.wait(t, 30*time.Second)); out != "T2" {
		t.Errorf("the next process has the session %q, want T2", out)
	}
	t.Logf("the next process had a session %v after the first was killed, with a lease of %v", time.Since(killed), testLease)
	if after := time.Since(killed); after > 3*testLease {
		t.Errorf("the next process had a session after %v, want about %v", after, testLease)
	}
}

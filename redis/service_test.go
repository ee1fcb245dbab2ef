package okredis_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	okredis "github.com/go-okru/okru/redis"
	"github.com/go-okru/okru/transport"
)

// serviceApp is the application of the service.
var serviceApp = oktest.App{ID: "512000000001", Key: "CBASERVICEKEY", Secret: "secret of the service"}

// Calls that a user of the service makes.
const (
	userRate  = 20
	userBurst = 3
)

// A service is what each of its processes has: the sessions of its users in
// Redis, and a client that keeps each user within a limit, in all processes
// together.
type service struct {
	sessions *oauth.Sessions
	client   *http.Client
}

// newService returns the service of a process. In a program, base is nil.
func newService(rdb redis.UniversalClient, base http.RoundTripper) (*service, error) {
	limiter := okredis.NewKeyed(rdb, "okru:limits", userRate, userBurst)
	limiter.OnError = func(err error) { log.Print(err) }
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    serviceApp.Key,
		ApplicationSecret: serviceApp.Secret,
		Limiter:           limiter, // without a LimitKey, by the session: the Sources below have the same key in all processes
		Base:              base,
	})
	grant := oauth.Refresh{ClientID: serviceApp.ID, ClientSecret: serviceApp.Secret, HTTPClient: &http.Client{Transport: base}}
	sessions := oauth.NewSessions(oauth.SessionsOptions{
		Grant: func(string) oauth.Grant { return grant },
		Store: func(user string) oauth.Store {
			return okredis.NewStore(rdb, "okru:session:"+user, okredis.StoreOptions{Expire: 90 * 24 * time.Hour})
		},
	})
	return &service{sessions, client}, err
}

// friends calls OK for a user.
func (s *service) friends(ctx context.Context, user string) ([]string, error) {
	ctx = transport.WithTokenSource(ctx, s.sessions.Source(user))
	return okru.Call[[]string](ctx, s.client, "friends.get", nil)
}

// A user signs in at one process of a service. Any other process can then make
// calls for the user: it finds the session in Redis, and waits for the limit
// that all processes share.
func Example_service() {
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	s, err := newService(rdb, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	code := oauth.Code{ClientID: serviceApp.ID, ClientSecret: serviceApp.Secret, RedirectURL: "https://example.org/back", Code: "…"}
	token, err := code.Token(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.sessions.Admit(ctx, "anna", token); err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.friends(ctx, "anna"))
}

const envFake = "OKRU_TEST_FAKE"

const (
	serviceUsers = 3
	serviceCalls = 30 // of each user in each process
)

func init() { roles["service"] = runServiceProcess }

// runServiceProcess makes calls for all users at once.
func runServiceProcess() int {
	rdb := redis.NewClient(&redis.Options{Addr: os.Getenv(envStoreRedis)})
	defer rdb.Close()
	s, err := newService(rdb, transport.Func(func(r *http.Request) (*http.Response, error) {
		own := r.Clone(r.Context())
		own.URL.Scheme, own.URL.Host = "http", os.Getenv(envFake)
		return http.DefaultTransport.RoundTrip(own)
	}))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	var calling sync.WaitGroup
	for n := range serviceUsers * serviceCalls {
		calling.Go(func() {
			if _, err := s.friends(context.Background(), fmt.Sprint("user", n%serviceUsers)); err != nil {
				fmt.Println(err)
			}
		})
	}
	calling.Wait()
	return 0
}

// Two processes make calls for the same users, whose sessions have all expired.
// By the journal of the fake, each session is renewed once, every call succeeds
// in the end, and each user stays within one limit, whatever the others do.
func TestServiceInTwoProcesses(t *testing.T) {
	s := startRedis(t)
	fake := oktest.NewServer(serviceApp)
	defer fake.Close()
	first, err := newService(s.client(), fake.Transport())
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]string)
	for i := range serviceUsers {
		name := fmt.Sprint("user", i)
		user := fake.NewUser(name, "password")
		ids[user.ID()] = name
		signIn(t, fake, first, name, user.Token())
	}
	var processes []*process
	for range 2 {
		processes = append(processes, startProcess(t, "service",
			envStoreRedis+"="+s.addr, envFake+"="+strings.TrimPrefix(fake.URL(), "http://")))
	}
	for _, p := range processes {
		if out := p.wait(t, 60*time.Second); out != "" {
			t.Errorf("a process printed %s", out)
		}
	}
	if n := len(fake.Exchanges()); n != serviceUsers {
		t.Errorf("%d renewals of %d sessions", n, serviceUsers)
	}
	times, ran := make(map[string][]time.Duration), make(map[string]int)
	calls := fake.Calls()
	for _, c := range calls {
		name := ids[c.UserID]
		times[name] = append(times[name], c.Time.Sub(calls[0].Time)) // a rejected call counts toward the limit
		if c.Ran {
			ran[name]++
		} else if c.Code != okerrors.CodeParamSessionExpired {
			t.Errorf("call: %v", c)
		}
	}
	for name, at := range times {
		took := at[len(at)-1] - at[0]
		t.Logf("%s: %d calls, %d of them with the expired session, in %v", name, len(at), len(at)-ran[name], took)
		if ran[name] != 2*serviceCalls {
			t.Errorf("%d calls of %s ran, want %d", ran[name], name, 2*serviceCalls)
		}
		checkWindows(t, at, userRate, userBurst)
		if least := time.Duration(len(at)-userBurst) * time.Second / userRate; took > 3*least {
			t.Errorf("%s had to wait for %v, want about %v", name, took, least)
		}
	}
}

// signIn stores the session of a user, and makes OK forget it.
func signIn(t *testing.T, fake *oktest.Server, s *service, name string, token *oauth2.Token) {
	t.Helper()
	if _, err := s.sessions.Admit(t.Context(), name, token); err != nil {
		t.Fatal(err)
	}
	fake.Expire(token.AccessToken)
}

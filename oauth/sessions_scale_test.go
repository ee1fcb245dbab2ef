package oauth_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// Users whose sessions have all expired make two calls each from 1,000
// goroutines, and there is memory for a tenth of the users. No session is
// renewed twice, by the count of the token endpoint, and the memory of the
// Sessions does not grow with the users.
//
// With OKRU_LONG=1 there are 100,000 users, and -update draws the chart of
// docs/scale.md from this run and one without a bound.
func TestManySessions(t *testing.T) {
	users := 10_000
	if os.Getenv("OKRU_LONG") != "" {
		users = 100_000
	}
	bound := users / 10
	bounded := newPopulation(users).use(t, bound)
	for i, grown := range bounded {
		if most := bound * 4 << 10; grown > int64(most) {
			t.Errorf("after part %d of %d, the heap has grown by %d bytes for %d sessions in memory, want at most %d", i+1, samples, grown, bound, most)
		}
	}
	t.Logf("%d sessions in memory take %d bytes each", bound, bounded[samples-1]/int64(bound))
	if *update {
		unbounded := newPopulation(users).use(t, -1)
		if err := os.WriteFile("../docs/sessions.svg", drawHeap(users, bound, bounded, unbounded), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const (
	callers = 1000
	samples = 20 // of the heap, while the users make their calls
)

// A population is many users: what OK knows of them, and a table with their
// sessions. All its memory is taken at the beginning, so that what is measured
// later is that of the Sessions.
type population struct {
	rows    []row
	renewed []atomic.Int32 // by the token endpoint
}

// A row is the store of a user, such as one in a database: it has text, and no
// token.
type row struct {
	lock chan struct{}
	mu   sync.Mutex
	text []byte
}

func newPopulation(users int) *population {
	p := &population{rows: make([]row, users), renewed: make([]atomic.Int32, users)}
	for i := range p.rows {
		p.rows[i].lock, p.rows[i].text = make(chan struct{}, 1), make([]byte, 0, 512)
		_ = p.rows[i].Save(context.Background(), token("old", fmt.Sprint("R", i), -time.Hour))
	}
	return p
}

func (r *row) Load(context.Context) (*oauth2.Token, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return oauth.UnmarshalToken(r.text)
}

func (r *row) Save(_ context.Context, t *oauth2.Token) error {
	text, err := oauth.MarshalToken(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text[:0], text...)
	return err
}

func (r *row) Lock(ctx context.Context) (func(), error) {
	select {
	case r.lock <- struct{}{}:
		return func() { <-r.lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// RoundTrip is the token endpoint.
func (p *population) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.ParseForm()
	user, err := strconv.Atoi(strings.TrimPrefix(r.PostForm.Get("refresh_token"), "R"))
	if err != nil {
		return nil, err
	}
	p.renewed[user].Add(1)
	return (&endpoint{body: fmt.Sprintf(`{"access_token":"T%d"}`, user)}).RoundTrip(r)
}

// sessions returns Sessions of all users.
func (p *population) sessions(bound int) *oauth.Sessions {
	grant := oauth.Refresh{ClientID: "1", ClientSecret: "2", HTTPClient: &http.Client{Transport: p}}
	return oauth.NewSessions(oauth.SessionsOptions{
		Max:   bound,
		Grant: func(string) oauth.Grant { return grant },
		Store: func(key string) oauth.Store {
			user, err := strconv.Atoi(key)
			if err != nil {
				panic(err)
			}
			return &p.rows[user]
		},
	})
}

// use makes two calls of every user, in an order that is not that of their age,
// and returns how much the heap has grown after each part of the calls.
func (p *population) use(t *testing.T, bound int) []int64 {
	t.Helper()
	s, users, before := p.sessions(bound), len(p.rows), heap()
	grown := make([]int64, samples)
	var next atomic.Int64
	for i := range grown {
		end := int64(2 * users / samples * (i + 1))
		callAll(&next, end, func(n int64) {
			user := int(n) * 7919 % users
			got, err := s.Source(strconv.Itoa(user)).TokenContext(t.Context())
			if err != nil || got.AccessToken != fmt.Sprint("T", user) {
				t.Errorf("user %d: %v, %v", user, got, err)
			}
		})
		collect()
		grown[i] = heap() - before
	}
	for user := range p.renewed {
		if n := p.renewed[user].Load(); n != 1 {
			t.Fatalf("session %d was renewed %d times, want once", user, n)
		}
	}
	runtime.KeepAlive(s)
	return grown
}

// callAll calls f with each number from next to end, from many goroutines.
func callAll(next *atomic.Int64, end int64, f func(n int64)) {
	var working sync.WaitGroup
	for range callers {
		working.Go(func() {
			for n := next.Add(1); n <= end; n = next.Add(1) {
				f(n)
			}
		})
	}
	working.Wait()
	next.Store(end)
}

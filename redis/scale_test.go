package okredis_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru/oauth"
	okredis "github.com/go-okru/okru/redis"
)

// TestScaleFigures measures what docs/scale.md says of one user and one server.
// It fails only if something does not work.
func TestScaleFigures(t *testing.T) {
	if os.Getenv("OKRU_SCALE") != "1" {
		t.Skip("measures for docs/scale.md; set OKRU_SCALE=1")
	}
	s := startRedis(t)
	c := s.client()
	t.Run("one key", func(t *testing.T) { measureKeys(t, c) })
	t.Run("sessions", func(t *testing.T) { measureSessions(t, c) })
	t.Run("limits", func(t *testing.T) { measureLimits(t, c) })
	t.Run("calls within limits per key", func(t *testing.T) { measureKeyed(t, c) })
	t.Run("this process", func(t *testing.T) { measureProcess(t, c) })
	t.Run("commands per renewal", func(t *testing.T) { measureRenewal(t, c) })
}

// measureKeys prints the bytes of single keys.
func measureKeys(t *testing.T, c *redis.Client) {
	size := func(key string) int64 {
		n, err := c.MemoryUsage(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	plain := newStore(c, "okru:session:123456789012", okredis.StoreOptions{})
	sealed := newStore(c, "okru:sealed:1234567890123", okredis.StoreOptions{Encrypt: make([]byte, 32), Expire: time.Hour})
	for _, store := range []deleter{plain, sealed} {
		unlock := lock(t, store)
		if err := store.Save(t.Context(), longSession()); err != nil {
			t.Fatal(err)
		}
		if store == plain {
			t.Logf("lock: %d bytes", size("{okru:session:123456789012}:lock"))
		}
		unlock()
	}
	t.Logf("session: %d bytes, encrypted and with an expiry: %d bytes (%d bytes of JSON)",
		size("okru:session:123456789012"), size("okru:sealed:1234567890123"), c.StrLen(t.Context(), "okru:session:123456789012").Val())
	k := okredis.NewKeyed(c, "okru:limits", 3, 5)
	if err := k.For("123456789012").Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("limit: %d bytes, expires in %v", size("okru:limits:123456789012"), c.PTTL(t.Context(), "okru:limits:123456789012").Val())
	for i := range 100 {
		c.ZAdd(t.Context(), "okru:limits", redis.Z{Score: float64(time.Now().UnixMilli()), Member: fmt.Sprintf("%016x", i)})
	}
	t.Logf("set of 100 processes: %d bytes", size("okru:limits"))
}

// measureSessions prints what many sessions cost the server.
func measureSessions(t *testing.T, c *redis.Client) {
	const n = 100_000
	before := usedMemory(t, c)
	value := c.Get(t.Context(), "okru:session:123456789012").Val()
	for first := 0; first < n; first += 1000 {
		_, err := c.Pipelined(t.Context(), func(p redis.Pipeliner) error {
			for i := range 1000 {
				p.Set(t.Context(), fmt.Sprintf("okru:session:%012d", first+i), value, 0)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d sessions: %.0f bytes of the server each, tables included", n, float64(usedMemory(t, c)-before)/n)
	c.FlushAll(t.Context())
}

// measureLimits prints how many reservations a server can run, if nothing else
// limits it: many processes that use limits of their own.
func measureLimits(t *testing.T, c *redis.Client) {
	n0, spent0 := scripts(t, c)
	cpu0 := usedCPU(t, c)
	const d, clients = 5 * time.Second, 64
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var wg sync.WaitGroup
	for i := range clients {
		b := okredis.NewBucket(c, fmt.Sprint("okru:limit:", i), 1e9, 1)
		wg.Go(func() {
			for b.Wait(ctx) == nil {
			}
		})
	}
	wg.Wait()
	n1, spent1 := scripts(t, c)
	cpu1 := usedCPU(t, c)
	n := n1 - n0
	t.Logf("%.0f scripts per second on shared processors; %v of the server's processor per script, %v in the script itself",
		n/d.Seconds(), time.Duration((cpu1-cpu0)/n*1e9), time.Duration(float64(spent1-spent0)/n))
}

// measureKeyed prints what many users cost, with one call each at a time.
func measureKeyed(t *testing.T, c *redis.Client) {
	n0, _ := scripts(t, c)
	k := okredis.NewKeyed(c, "okru:limits", rate.Limit(3), 5)
	const users, clients = 50_000, 32
	var next, calls atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > users {
					return
				}
				if err := k.For(strconv.FormatInt(i, 10)).Wait(t.Context()); err != nil {
					t.Error(err)
				}
				calls.Add(1)
			}
		})
	}
	wg.Wait()
	n1, _ := scripts(t, c)
	t.Logf("%d calls of %d users: %.3f scripts per call", calls.Load(), users, (n1-n0)/float64(calls.Load()))
}

// measureProcess prints what users cost this process.
func measureProcess(t *testing.T, c *redis.Client) {
	const n = 10_000
	k := okredis.NewKeyed(c, "okru:limits", 3, 5)
	k.Max = -1
	before := heap()
	for i := range n {
		k.For(strconv.Itoa(i))
	}
	t.Logf("a key of a Keyed: %d bytes", (heap()-before)/n)
	before = heap()
	stores := make([]oauth.Store, n)
	for i := range stores {
		stores[i] = okredis.NewStore(c, fmt.Sprintf("okru:session:%012d", i), okredis.StoreOptions{Encrypt: make([]byte, 32)})
	}
	t.Logf("a Store: %d bytes", (heap()-before)/n)
	runtime.KeepAlive(k)
	runtime.KeepAlive(stores)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// measureRenewal prints the commands of a renewal.
func measureRenewal(t *testing.T, c *redis.Client) {
	store := newStore(c, "okru:session:1", okredis.StoreOptions{})
	save(t, store, "T1") // the scripts are known then
	before := commands(t, c)
	unlock := lock(t, store)
	loaded(t, store)
	if err := store.Save(t.Context(), session("T2")); err != nil {
		t.Fatal(err)
	}
	unlock()
	t.Logf("lock, load, save, unlock: %d commands", commands(t, c)-before-1) // without INFO
}

// longSession is a session as OK issues it, with the marks of a Source.
func longSession() *oauth2.Token {
	t := &oauth2.Token{
		AccessToken:  "-s-" + strings.Repeat("0Aa1Bb2Cc3", 10),
		RefreshToken: strings.Repeat("0Aa1Bb2Cc3", 10),
		TokenType:    "session",
		ExpiresIn:    1800,
		Expiry:       time.Now().Add(30 * time.Minute),
	}
	return t.WithExtra(map[string]any{
		"session_secret_key": strings.Repeat("0a", 16),
		"okru_application":   strings.Repeat("0a", 32),
		"okru_chain":         strings.Repeat("0a", 32),
	})
}

func info(t *testing.T, c *redis.Client, section, field string) string {
	t.Helper()
	text, err := c.Info(t.Context(), section).Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return value
		}
	}
	t.Fatalf("INFO has no %s", field)
	return ""
}

func usedMemory(t *testing.T, c *redis.Client) int {
	return atoi(t, info(t, c, "memory", "used_memory"))
}

func commands(t *testing.T, c *redis.Client) int {
	return atoi(t, info(t, c, "stats", "total_commands_processed"))
}

func usedCPU(t *testing.T, c *redis.Client) (seconds float64) {
	for _, field := range []string{"used_cpu_user", "used_cpu_sys"} {
		s, err := strconv.ParseFloat(info(t, c, "cpu", field), 64)
		if err != nil {
			t.Fatal(err)
		}
		seconds += s
	}
	return seconds
}

// scripts returns how many scripts a server has run, and the time it has spent
// on them.
func scripts(t testing.TB, c *redis.Client) (n float64, spent time.Duration) {
	t.Helper()
	info, err := c.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(info) {
		var calls, usec float64
		if _, err := fmt.Sscanf(line, "cmdstat_evalsha:calls=%g,usec=%g,", &calls, &usec); err == nil {
			n, spent = n+calls, spent+time.Duration(usec)*time.Microsecond
		}
	}
	return n, spent
}

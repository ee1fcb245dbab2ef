package okredis_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oauth/storetest"
	okredis "github.com/go-okru/okru/redis"
)

// deleter is a store that can delete its session, as that of NewStore.
type deleter interface {
	oauth.Store
	Delete(ctx context.Context) error
}

var _ oauth.Deleter = deleter(nil)

func newStore(c redis.UniversalClient, key string, o okredis.StoreOptions) deleter {
	return okredis.NewStore(c, key, o).(deleter)
}

func session(access string) *oauth2.Token {
	t := &oauth2.Token{AccessToken: access, RefreshToken: "refresh-" + access, Expiry: time.Now().Add(time.Hour).Round(0)}
	return t.WithExtra(map[string]any{"session_secret_key": "0123456789"})
}

func lock(t testing.TB, s oauth.Store) (unlock func()) {
	t.Helper()
	unlock, err := s.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return unlock
}

func save(t testing.TB, s oauth.Store, access string) {
	t.Helper()
	defer lock(t, s)()
	if err := s.Save(t.Context(), session(access)); err != nil {
		t.Fatal(err)
	}
}

// loaded returns the access token that s has; "" if it is empty.
func loaded(t testing.TB, s oauth.Store) string {
	t.Helper()
	got, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got == nil {
		return ""
	}
	if oauth.SessionSecret(got) != "0123456789" {
		t.Errorf("the session secret was lost: %q", oauth.SessionSecret(got))
	}
	return got.AccessToken
}

// A session survives, encrypted or not, on a server and in a Cluster.
func TestStore(t *testing.T) {
	noGoroutines(t)
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: startCluster(t)})
	t.Cleanup(func() { cluster.Close() })
	for name, c := range map[string]redis.UniversalClient{"server": startRedis(t).client(), "cluster": cluster} {
		for _, o := range []okredis.StoreOptions{{}, {Encrypt: bytes.Repeat([]byte{1}, 32)}} {
			for _, key := range []string{"session", "{anna}:session", "a{b", "a}b{c}"} {
				t.Run(fmt.Sprintf("%s, %d bytes, %s", name, len(o.Encrypt), key), func(t *testing.T) {
					a, b := newStore(c, key, o), newStore(c, key, o)
					if got := loaded(t, a); got != "" {
						t.Errorf("a new store has %q", got)
					}
					save(t, a, "T1")
					if got := loaded(t, b); got != "T1" {
						t.Errorf("the other store has %q", got)
					}
					save(t, b, "T2")
					if got := loaded(t, a); got != "T2" {
						t.Errorf("the first store has %q", got)
					}
					unlock := lock(t, a)
					if err := a.Delete(t.Context()); err != nil {
						t.Error(err)
					}
					unlock()
					unlock = lock(t, b)
					if err := b.Delete(t.Context()); err != nil {
						t.Error(err)
					}
					unlock()
					if got := loaded(t, b); got != "" {
						t.Errorf("after Delete the store has %q", got)
					}
				})
			}
		}
	}
}

// The kit for stores finds no fault, plain or encrypted.
func TestStoreKit(t *testing.T) {
	noGoroutines(t)
	s := startRedis(t)
	c := s.client()
	for _, o := range []okredis.StoreOptions{{}, {Encrypt: bytes.Repeat([]byte{1}, 32), Expire: time.Hour}} {
		var key string
		open := func(t *testing.T) (a, b oauth.Store) {
			key = t.Name()
			return newStore(c, key, o), newStore(s.client(), key, o)
		}
		options := []storetest.Option{storetest.Expire(func(t *testing.T, _ oauth.Store) {
			c.Del(t.Context(), "{"+key+"}:lock")
		})}
		if o.Encrypt == nil { // otherwise damage is no ErrCorrupt
			options = append(options, storetest.Corrupt(func(t *testing.T, _ oauth.Store) {
				c.Set(t.Context(), key, "damaged", 0)
			}))
		}
		t.Run(fmt.Sprintf("%d bytes", len(o.Encrypt)), func(t *testing.T) { storetest.Run(t, open, options...) })
	}
}

// A user who is dismissed by one process while another renews the session stays
// dismissed, in both.
func TestStoreDismissDuringRenewal(t *testing.T) {
	noGoroutines(t)
	s := startRedis(t)
	renewing, finish := make(chan struct{}, 10), make(chan struct{})
	sessions := make([]*oauth.Sessions, 2)
	for i := range sessions {
		c := s.client()
		sessions[i] = oauth.NewSessions(oauth.SessionsOptions{
			Store: func(user string) oauth.Store { return okredis.NewStore(c, "session:"+user, okredis.StoreOptions{}) },
			Grant: func(string) oauth.Grant {
				return renewer(func() *oauth2.Token { renewing <- struct{}{}; <-finish; return session("T2") })
			},
			Options: oauth.Options{CoolDown: -1},
		})
	}
	a, b := sessions[0], sessions[1]
	if _, err := a.Admit(t.Context(), "anna", session("T1")); err != nil {
		t.Fatal(err)
	}
	source := b.Source("anna")
	old, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	source.Invalidate(old)
	var wg sync.WaitGroup
	wg.Go(func() { source.Token() })
	<-renewing
	wg.Go(func() {
		if err := a.Dismiss(t.Context(), "anna"); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(100 * time.Millisecond) // Dismiss waits for the lock
	close(finish)
	wg.Wait()
	if n := s.client().Exists(t.Context(), "session:anna").Val(); n != 0 {
		t.Error("the session is stored again")
	}
	if _, err := a.Source("anna").Token(); !errors.Is(err, oauth.ErrSignIn) {
		t.Errorf("the process that dismissed the user: Token: %v, want ErrSignIn", err)
	}
	if t2, err := source.Token(); err == nil {
		source.Invalidate(t2) // the API rejects it: the user has signed out
	}
	if _, err := source.Token(); !errors.Is(err, oauth.ErrSignIn) {
		t.Errorf("the process that renewed: Token: %v, want ErrSignIn", err)
	}
	if n := s.client().Exists(t.Context(), "session:anna").Val(); n != 0 {
		t.Error("the session is stored again")
	}
}

// A renewer is a grant that renews by a function, and cannot sign in.
type renewer func() *oauth2.Token

func (f renewer) Token(context.Context) (*oauth2.Token, error) { return nil, oauth.ErrSignIn }

func (f renewer) Renew(context.Context, *oauth2.Token) (*oauth2.Token, error) { return f(), nil }

// One caller at a time has the lock, in this process and in others.
func TestStoreLock(t *testing.T) {
	noGoroutines(t)
	s := startRedis(t)
	stores := []oauth.Store{
		newStore(s.client(), "lock", okredis.StoreOptions{}),
		newStore(s.client(), "lock", okredis.StoreOptions{}),
	}
	var inside, most, total atomic.Int32
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			unlock, err := stores[i%2].Lock(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			most.Store(max(most.Load(), inside.Add(1)))
			time.Sleep(2 * time.Millisecond)
			inside.Add(-1)
			total.Add(1)
			unlock()
			unlock() // does nothing
		})
	}
	wg.Wait()
	if most.Load() != 1 || total.Load() != 20 {
		t.Errorf("%d callers had the lock, %d of them at once", total.Load(), most.Load())
	}
}

// Lock returns the error of its context, soon.
func TestStoreLockContext(t *testing.T) {
	s := startRedis(t)
	a, b := newStore(s.client(), "lock", okredis.StoreOptions{}), newStore(s.client(), "lock", okredis.StoreOptions{})
	defer lock(t, a)()
	for name, store := range map[string]oauth.Store{"same process": a, "another process": b} {
		cause := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		within(t, 250*time.Millisecond, name, func() {
			if _, err := store.Lock(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
				t.Errorf("%s: Lock: %v, want the error of the context and its cause", name, err)
			}
		})
		timeout, cancelTimeout := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := store.Lock(timeout); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: Lock: %v, want the error of the context", name, err)
		}
		cancelTimeout()
	}
}

// The lease is renewed while the lock is held, and only then.
func TestStoreLease(t *testing.T) {
	noGoroutines(t)
	s := startRedis(t)
	o := okredis.StoreOptions{Lease: 300 * time.Millisecond}
	a, b := newStore(s.client(), "lease", o), newStore(s.client(), "lease", o)
	unlock := lock(t, a)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := b.Lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Lock: %v, although the lock is held", err)
	}
	if err := a.Save(t.Context(), session("T1")); err != nil {
		t.Errorf("Save by the owner, after a second: %v", err)
	}
	if err := b.Save(t.Context(), session("T2")); err == nil {
		t.Error("Save without the lock succeeded although another store has it")
	}
	unlock()
	unlock = lock(t, b)
	unlock()
	if err := b.Save(t.Context(), session("T3")); err != nil {
		t.Errorf("Save while no process has the lock: %v", err)
	}
}

// An owner whose lease has run out cannot save, delete, or release the lock of
// the next one.
func TestStoreLateOwner(t *testing.T) {
	s := startRedis(t)
	c := s.client()
	a, b := newStore(c, "late", okredis.StoreOptions{}), newStore(c, "late", okredis.StoreOptions{})
	unlockA := lock(t, a)
	c.Del(t.Context(), "{late}:lock") // the lease has run out
	if err := a.Save(t.Context(), session("T0")); err == nil {
		t.Error("Save without a lease succeeded")
	}
	unlockB := lock(t, b)
	if err := b.Save(t.Context(), session("T1")); err != nil {
		t.Error(err)
	}
	if err := a.Save(t.Context(), session("T2")); err == nil {
		t.Error("Save by the late owner succeeded")
	}
	if err := a.Delete(t.Context()); err == nil {
		t.Error("Delete by the late owner succeeded")
	}
	unlockA()
	if n := c.Exists(t.Context(), "{late}:lock").Val(); n != 1 {
		t.Error("the late owner has released the lock of the next one")
	}
	unlockB()
	if got := loaded(t, a); got != "T1" {
		t.Errorf("the store has %q, want T1", got)
	}
}

func TestStoreExpire(t *testing.T) {
	c := startRedis(t).client()
	s := newStore(c, "expire", okredis.StoreOptions{Expire: time.Hour})
	save(t, s, "T1")
	if ttl := c.TTL(t.Context(), "expire").Val(); ttl < 59*time.Minute || ttl > time.Hour {
		t.Errorf("the session expires in %v, want 1h", ttl)
	}
	save(t, newStore(c, "expire", okredis.StoreOptions{}), "T1")
	if ttl := c.TTL(t.Context(), "expire").Val(); ttl != -1 {
		t.Errorf("the session expires in %v, want never", ttl)
	}
}

// What can be read with which keys.
func TestStoreEncryption(t *testing.T) {
	c := startRedis(t).client()
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	type options = okredis.StoreOptions
	for _, test := range []struct {
		name        string
		write, read options
		ok          bool
	}{
		{"none", options{}, options{}, true},
		{"the same key", options{Encrypt: one}, options{Encrypt: one}, true},
		{"another key", options{Encrypt: one}, options{Encrypt: two}, false},
		{"rotation", options{Encrypt: one}, options{Encrypt: two, Decrypt: [][]byte{one}}, true},
		{"no key", options{Encrypt: one}, options{}, false},
		{"no key, plain accepted", options{Encrypt: one}, options{Decrypt: [][]byte{nil}}, false},
		{"key dropped", options{Encrypt: one}, options{Decrypt: [][]byte{one}}, true},
		{"plain", options{}, options{Encrypt: one}, false},
		{"plain accepted", options{}, options{Encrypt: one, Decrypt: [][]byte{two, nil}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			save(t, newStore(c, test.name, test.write), "secret-T1")
			value := c.Get(t.Context(), test.name).Val()
			if shown := strings.Contains(value, "secret-T1"); shown != (test.write.Encrypt == nil) {
				t.Errorf("the value shows the session: %v", shown)
			}
			got, err := newStore(c, test.name, test.read).Load(t.Context())
			switch {
			case test.ok && (err != nil || got.AccessToken != "secret-T1"):
				t.Errorf("Load: %v", err)
			case !test.ok && (err == nil || errors.Is(err, oauth.ErrCorrupt)):
				t.Errorf("Load: %v, want an error that is not ErrCorrupt", err)
			}
		})
	}
}

// An encrypted value does not decrypt under another key of Redis, and neither
// does one that was changed. No error is ErrCorrupt then.
func TestStoreBound(t *testing.T) {
	c := startRedis(t).client()
	o := okredis.StoreOptions{Encrypt: bytes.Repeat([]byte{1}, 32)}
	save(t, newStore(c, "anna", o), "T1")
	value := c.Get(t.Context(), "anna").Val()
	for name, changed := range map[string]string{
		"moved":     value,
		"truncated": value[:len(value)-1],
		"prefix":    value[:20],
		"bit":       value[:30] + string(value[30]^1) + value[31:],
		"garbage":   "garbage",
	} {
		c.Set(t.Context(), "boris", changed, 0)
		if got, err := newStore(c, "boris", o).Load(t.Context()); err == nil || errors.Is(err, oauth.ErrCorrupt) {
			t.Errorf("%s: Load: %v, %v; want an error that is not ErrCorrupt", name, got, err)
		}
	}
	c.Set(t.Context(), "boris", "garbage", 0)
	if _, err := newStore(c, "boris", okredis.StoreOptions{}).Load(t.Context()); !errors.Is(err, oauth.ErrCorrupt) {
		t.Errorf("not encrypted: Load: %v, want ErrCorrupt", err)
	}
}

// Faults of the options are errors at use, of every method.
func TestStoreBadInput(t *testing.T) {
	c := startRedis(t).client()
	c.LPush(t.Context(), "list", "x")
	for _, test := range []struct {
		name  string
		store deleter
		want  string
	}{
		{"no client", newStore(nil, "key", okredis.StoreOptions{}), "client"},
		{"no key", newStore(c, "", okredis.StoreOptions{}), "key"},
		{"key without a slot", newStore(c, "a}b", okredis.StoreOptions{}), "}"},
		{"short key", newStore(c, "key", okredis.StoreOptions{Encrypt: make([]byte, 16)}), "32"},
		{"empty key", newStore(c, "key", okredis.StoreOptions{Encrypt: []byte{}}), "32"},
		{"short old key", newStore(c, "key", okredis.StoreOptions{Decrypt: [][]byte{make([]byte, 33)}}), "Decrypt[0]"},
		{"negative lease", newStore(c, "key", okredis.StoreOptions{Lease: -1}), "Lease"},
		{"tiny lease", newStore(c, "key", okredis.StoreOptions{Lease: 1}), "Lease"},
		{"negative expiry", newStore(c, "key", okredis.StoreOptions{Expire: -1}), "Expire"},
	} {
		_, loadErr := test.store.Load(t.Context())
		_, lockErr := test.store.Lock(t.Context())
		for method, err := range map[string]error{
			"Load": loadErr, "Lock": lockErr,
			"Save": test.store.Save(t.Context(), session("T")), "Delete": test.store.Delete(t.Context()),
		} {
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, oauth.ErrCorrupt) {
				t.Errorf("%s: %s: %v, want an error about %q", test.name, method, err, test.want)
			}
		}
	}
	if _, err := newStore(c, "list", okredis.StoreOptions{}).Load(t.Context()); err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Errorf("a list: Load: %v", err)
	}
	if err := newStore(c, "key", okredis.StoreOptions{}).Save(t.Context(), nil); err == nil {
		t.Error("no session: Save succeeded")
	}
}

// A store without a server fails with an error that says so, and with that of
// the context if it ends first.
func TestStoreUnavailable(t *testing.T) {
	noGoroutines(t)
	s := newStore(newClient(t, &redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1}), "key", okredis.StoreOptions{})
	if _, err := s.Load(t.Context()); err == nil || errors.Is(err, oauth.ErrCorrupt) {
		t.Errorf("Load: %v", err)
	}
	if _, err := s.Lock(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("Lock: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: %v, want the error of the context", err)
	}
}

package okredis_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/go-okru/okru/internal/test/canary"
	okredis "github.com/go-okru/okru/redis"
)

// No error and no printed value shows a session, an encryption key, or the
// password of Redis.
func TestCanary(t *testing.T) {
	const password, access, user = "PasswordOfRedis", "AccessTokenOfAnna", "limited"
	key := []byte("EncryptionKeyOf32Bytes0123456789")
	secrets := []string{password, access, "refresh-" + access, string(key)}
	s := startRedis(t, "--requirepass", password)
	good := redis.Options{Addr: s.addr, Password: password, MaxRetries: -1, DialerRetries: 1}
	wrong, gone, forbidden := good, good, good
	wrong.Password = password + "-wrong"
	gone.Addr = "127.0.0.1:1"
	forbidden.Username, forbidden.Password = user, password
	admin := newClient(t, &good)
	if err := admin.Do(t.Context(), "ACL", "SETUSER", user, "on", ">"+password, "~*", "-@all", "+hello").Err(); err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields("good wrong gone forbidden")
	for i, o := range []redis.Options{good, wrong, gone, forbidden} {
		t.Run(fields[i], func(t *testing.T) {
			c := newClient(t, &o)
			for _, options := range []okredis.StoreOptions{{}, {Encrypt: key}, {Encrypt: key[:31]}, {Decrypt: [][]byte{key, nil}}} {
				store := newStore(c, "session", options)
				canary.Check(t, store, secrets...)
				for _, err := range errorsOf(t, store, access) {
					canary.Check(t, err, secrets...)
				}
			}
			b := okredis.NewBucket(c, "limit", 1000, 10)
			reported := make(chan error, 1)
			b.OnError = func(err error) { reported <- err }
			if err := b.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			canary.Check(t, b, secrets...)
			k := okredis.NewKeyed(c, "limits", 1000, 10)
			canary.Check(t, k, secrets...)
			if fields[i] != "good" {
				canary.Check(t, <-reported, secrets...)
			}
		})
	}
}

// Redis quotes the arguments of a command that it does not know.
func TestCanaryUnknownCommand(t *testing.T) {
	const access = "AccessTokenOfAnna"
	s := startRedis(t, "--rename-command", "EVALSHA", "", "--rename-command", "EVAL", "")
	store := newStore(s.client(), "s", okredis.StoreOptions{})
	c := s.client()
	raw := c.Do(t.Context(), "EVALSHA", access, 1, access).Err()
	if raw == nil || !strings.Contains(raw.Error(), access) {
		t.Fatalf("Redis says %v, want an error that quotes the arguments", raw)
	}
	for _, err := range errorsOf(t, store, access) {
		canary.Check(t, err, access)
	}
}

// errorsOf returns the errors of all methods of a store.
func errorsOf(t *testing.T, s deleter, access string) (errs []error) {
	add := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	_, err := s.Load(t.Context())
	add(err)
	unlock, err := s.Lock(t.Context())
	add(err)
	add(s.Save(t.Context(), session(access)))
	if err == nil {
		unlock()
	}
	add(s.Delete(t.Context()))
	return errs
}

package okredis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// StoreOptions are the options of [NewStore].
type StoreOptions struct {
	// Lease is after how long the lock of a process that has died is free
	// again. While a process lives, it renews its lease. Zero: 10 s. It should
	// be shorter than Timeout of oauth.Options, because others wait for it. The
	// minimum is 100 ms.
	Lease time.Duration

	// Expire is after how long a session that is not saved again is deleted.
	// Zero: never. It must be longer than the time in which a user is back, or
	// else the user must sign in again.
	Expire time.Duration

	// Encrypt is the key of 32 bytes with which sessions are encrypted, by
	// AES-256-GCM. What is encrypted is bound to its key in Redis: it does not
	// decrypt under another one. Nil: sessions are stored as they are.
	Encrypt []byte

	// Decrypt are earlier keys, with which sessions can still be read. What is
	// saved is encrypted with Encrypt. A nil element accepts sessions that are
	// not encrypted.
	Decrypt [][]byte
}

const (
	defaultLease = 10 * time.Second
	minLease     = 100 * time.Millisecond
)

//go:embed write.lua
var writeLua string

var writeScript = redis.NewScript(writeLua)

// NewStore returns an [oauth.Store] that keeps one session under key, as
// oauth.MarshalToken writes it, so that all processes can use it. It is an
// [oauth.Deleter] too.
//
// The lock is a key beside it, with ":lock" at its end, in the same slot of a
// Cluster. Only the Store that has the lock renews and releases it. Save and
// Delete fail if the lock has gone to another Store in the meantime. Without
// the lock, they fail while another Store has it.
//
// Values that do not decrypt are errors, but not oauth.ErrCorrupt, because a
// Source would then overwrite a session that another program can read. So are
// encryption keys of another length than 32 bytes, at use.
//
// go-redis ends a command that waits for a response after its ReadTimeout, not
// with its context, unless ContextTimeoutEnabled is set in the options of the
// client.
func NewStore(c redis.UniversalClient, key string, o StoreOptions) oauth.Store {
	if o.Lease == 0 {
		o.Lease = defaultLease
	}
	lock, err := lockKey(key)
	box, boxErr := newBox(key, o)
	if c == nil {
		err = errors.New("okru: okredis: a Store without a client of Redis")
	}
	if o.Lease < minLease {
		err = errors.Join(err, fmt.Errorf("okru: okredis: Lease is %v; it must be at least %v", o.Lease, minLease))
	}
	if o.Expire < 0 || o.Expire > 0 && o.Expire < time.Millisecond {
		err = errors.Join(err, fmt.Errorf("okru: okredis: Expire is %v; it must be 0 or at least 1ms", o.Expire))
	}
	return &store{
		client: c, key: key, lockKey: lock, lease: o.Lease, expire: o.Expire, box: box,
		fault: errors.Join(err, boxErr),
		turn:  make(chan struct{}, 1),
	}
}

// lockKey returns the key of the lock, which is in the same slot as key.
func lockKey(key string) (string, error) {
	if _, rest, ok := strings.Cut(key, "{"); ok && strings.Index(rest, "}") > 0 {
		return key + ":lock", nil // it has a hash tag
	}
	if key == "" {
		return "", errors.New("okru: okredis: the key of the session is empty")
	}
	if strings.Contains(key, "}") {
		return "", fmt.Errorf("okru: okredis: the key %q has a } without a {: its lock cannot be in the same slot of a Cluster", key)
	}
	return "{" + key + "}:lock", nil
}

type store struct {
	client       redis.UniversalClient
	key, lockKey string
	lease        time.Duration
	expire       time.Duration
	box          *box
	fault        error // why the Store cannot be used

	turn  chan struct{} // full while a caller of this Store has the lock, or tries to get it
	mu    sync.Mutex
	owner string // of the lock in Redis, as which this Store has it; empty: it has not
}

// Load implements [oauth.Store].
func (s *store) Load(ctx context.Context) (*oauth2.Token, error) {
	if s.fault != nil {
		return nil, s.fault
	}
	value, err := s.client.Get(ctx, s.key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, s.wrap(ctx, "load", err)
	}
	data, err := s.box.open(value)
	if err != nil {
		return nil, s.wrap(ctx, "load", err)
	}
	t, err := oauth.UnmarshalToken(data)
	if err != nil {
		return nil, s.wrap(ctx, "load", err)
	}
	return t, nil
}

// Save implements [oauth.Store].
func (s *store) Save(ctx context.Context, t *oauth2.Token) error {
	if s.fault != nil {
		return s.fault
	}
	data, err := oauth.MarshalToken(t)
	if err != nil {
		return err
	}
	return s.write(ctx, "save", s.box.seal(data))
}

// Delete implements [oauth.Deleter].
func (s *store) Delete(ctx context.Context) error {
	if s.fault != nil {
		return s.fault
	}
	return s.write(ctx, "delete", nil)
}

// errLock is the error of a caller that has lost the lock.
var errLock = errors.New("another process has the lock, or the lease of the lock has run out")

func (s *store) write(ctx context.Context, action string, value []byte) error {
	s.mu.Lock()
	owner := s.owner
	s.mu.Unlock()
	written, err := writeScript.Run(ctx, s.client, []string{s.key, s.lockKey}, owner, value, s.expire.Milliseconds()).Int()
	if err == nil && written == 0 {
		err = errLock
	}
	return s.wrap(ctx, action, err)
}

// Lock implements [oauth.Store].
func (s *store) Lock(ctx context.Context) (unlock func(), err error) {
	if s.fault != nil {
		return nil, s.fault
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, s.wrap(ctx, "lock", ctx.Err())
	}
	m := redsync.New(goredis.NewPool(s.client)).NewMutex(s.lockKey, redsync.WithExpiry(s.lease), redsync.WithTimeoutFactor(0.5))
	if err := acquire(ctx, m); err != nil {
		<-s.turn
		return nil, s.wrap(ctx, "lock", err)
	}
	s.setOwner(m.Value())
	stop := keep(m, s.lease)
	return sync.OnceFunc(func() {
		stop()
		s.setOwner("")
		release(m, s.lease)
		<-s.turn
	}), nil
}

func (s *store) setOwner(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner = owner
}

// wrap returns err with what was tried, and the error of ctx if that is why.
func (s *store) wrap(ctx context.Context, action string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = contextErr(ctx)
	}
	return fmt.Errorf("okru: session store in Redis: %s %q: %w", action, s.key, redisError(err))
}

// String returns the key.
func (s *store) String() string { return fmt.Sprintf("okredis.NewStore(%q)", s.key) }

// Format implements [fmt.Formatter]: the Store holds encryption keys, and the
// client may hold a password.
func (s *store) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

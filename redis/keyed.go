package okredis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru/ratelimit"
)

// A Keyed is a set of [Bucket] limits, one for each key, that all processes
// share which use the same prefix of the same Redis. It is a [ratelimit.Keyer]
// and a [ratelimit.Limiter].
//
// Keys must be the same in all processes. The default key of a Source from
// oauth.Sessions is, and so are those of ratelimit.ByMethod. The default key of
// any other session means nothing in another process, so Wait returns an error
// for it: set LimitKey of okru.Config, or Key of ratelimit.Limit, to a function
// that returns the id of the user, for example. It must not return a secret.
//
// Redis holds only keys that were used within the last second, or within the
// time in which a limit fills up. In a Cluster, keys are spread over all slots,
// unless the prefix has a hash tag: it should have none.
//
// A Keyed is safe for concurrent use. The zero Keyed rejects every call; use
// [NewKeyed].
type Keyed struct {
	// Share and OnError are those of [Bucket]. OnError is called once per
	// outage, not once per key. They must not be changed once the Keyed is used.
	Share   float64
	OnError func(error)

	// Max is how many keys this process keeps in memory, as in
	// [ratelimit.NewKeyed]. Zero: 10,000. Negative: any number. It must not be
	// changed once the Keyed is used.
	Max int

	server    *server
	prefix    string
	perSecond rate.Limit
	burst     int

	once sync.Once
	set  *ratelimit.Keyed
}

// NewKeyed returns a Keyed that lets perSecond calls pass per second and key,
// and up to burst at once after a pause. All processes that use prefix must
// give the same numbers.
//
// In Redis, it uses prefix for the set of processes, and prefix + ":" + key for
// each key.
func NewKeyed(c redis.UniversalClient, prefix string, perSecond rate.Limit, burst int) *Keyed {
	return &Keyed{server: newServer(c, prefix), prefix: prefix, perSecond: perSecond, burst: burst}
}

// For returns the limiter of key.
func (k *Keyed) For(key string) ratelimit.Limiter { return k.keys().For(key) }

// Wait waits for the limiter of the session that ctx sets, or else for that of
// the empty key. See [Bucket.Wait].
func (k *Keyed) Wait(ctx context.Context) error { return k.keys().Wait(ctx) }

// keys returns the set of limiters. It is made at the first use, when the
// fields have been set.
func (k *Keyed) keys() *ratelimit.Keyed {
	k.once.Do(func() { k.set = ratelimit.NewKeyed(k.Max, k.limiter) })
	return k.set
}

func (k *Keyed) limiter(key string) ratelimit.Limiter {
	switch {
	case k.server == nil:
		return faulty{errors.New("okru: okredis: a Keyed without a client of Redis; use NewKeyed")}
	case k.prefix == "":
		return faulty{errors.New("okru: okredis: the prefix of the rate limits is empty")}
	case isLocal(key):
		return faulty{fmt.Errorf("okru: okredis: the default key of this session (%q) means nothing in another process; set LimitKey of okru.Config, or use a Source from oauth.Sessions", key)}
	}
	return &Bucket{
		Share:   k.Share,
		OnError: k.OnError,
		limit:   newLimit(k.prefix+":"+key, key, k.perSecond, k.burst),
		server:  k.server,
	}
}

// isLocal reports whether key is, or ends with, a default key that package
// ratelimit has made up for this process: "session " and 16 hexadecimal digits.
func isLocal(key string) bool {
	const word, digits = "session ", 16
	start := len(key) - len(word) - digits
	if start < 0 || start > 0 && key[start-1] != ' ' || !strings.HasPrefix(key[start:], word) {
		return false
	}
	return strings.Trim(key[start+len(word):], "0123456789abcdef") == ""
}

// String returns the prefix.
func (k *Keyed) String() string { return fmt.Sprintf("okredis.Keyed(%q)", k.prefix) }

// Format implements [fmt.Formatter]: the client may hold a password.
func (k *Keyed) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// A faulty limiter rejects every call.
type faulty struct{ err error }

func (l faulty) Wait(context.Context) error { return l.err }

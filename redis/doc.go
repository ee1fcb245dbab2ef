// Package okredis shares rate limits and sessions between processes, by means
// of Redis.
//
//   - [Bucket] is one limit for all processes, such as that of an application.
//   - [Keyed] is one limit per key, such as that of each user.
//   - [NewStore] returns a store for one session, for oauth.Options or
//     oauth.SessionsOptions.
//
// A program with several processes and many users:
//
//	client, err := okru.NewClient(okru.Config{…,
//		Limiter: okredis.NewBucket(rdb, "okru:limit", 100, 10),
//	})
//	sessions := oauth.NewSessions(oauth.SessionsOptions{…,
//		Store: func(user string) oauth.Store {
//			return okredis.NewStore(rdb, "okru:session:"+user, okredis.StoreOptions{Encrypt: key})
//		},
//	})
//
// # Redis
//
// Every [redis.UniversalClient] works: one server, Sentinel, and Cluster. Redis
// must be of version 6.0 or later. Each script uses keys of one slot only. Its
// user needs the commands eval, evalsha, get, set, del, time, and for limits
// zadd, zremrangebyscore, zrange and pexpire.
//
// In the options of a ClusterClient, set ContextTimeoutEnabled. A node that
// accepts connections and does not answer then holds up a limiter for 0.3
// seconds, and a store until its context ends. Otherwise go-redis waits for its
// ReadTimeout, which is 3 seconds. A limiter shortens it by itself for other
// clients; a store does not.
//
// # Which rate
//
// A limit that processes share needs a number, and OK publishes none. To find
// it, let one process run a [ratelimit.Adaptive] under load for some minutes,
// print its Limit, and give a Bucket 90 % of that. To follow changes, let each
// process have an Adaptive above the shared Bucket: two layers
// [ratelimit.Limit], the one with the Bucket inside.
//
// # Secrets
//
// Sessions are as secret as passwords: encrypt them with [StoreOptions], or
// protect the Redis and its backups. No error and no printed value of this
// package shows a session, an encryption key or the password of Redis. Keys of
// Redis are shown.
package okredis

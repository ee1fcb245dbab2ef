package ratelimit

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"reflect"
	"sync/atomic"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
)

// seed makes the keys of sessions differ from process to process, so that
// nobody can tell a token by its key.
var seed = maphash.MakeSeed()

// sessionKey returns the default key of a call with ctx: a hash of the session
// that the context sets, or the empty key if it sets none.
func sessionKey(ctx context.Context) string {
	hash, ok := sessionHash(ctx)
	if !ok {
		return ""
	}
	return keyOf(hash)
}

// keyOf returns the key of a session as text.
func keyOf(hash uint64) string {
	return "session " + hex.EncodeToString(binary.BigEndian.AppendUint64(nil, hash))
}

// sessionHash tells sessions apart: tokens by their text, sources by their
// identity, since their tokens change.
func sessionHash(ctx context.Context) (hash uint64, ok bool) {
	switch v := okcall.FromContext(ctx); {
	case v == nil:
		return 0, false
	case v.HasToken && v.Token != nil:
		return maphash.String(seed, v.Token.AccessToken), true
	case v.HasToken: // by mistake; the Signer will say so
		return maphash.String(seed, ""), true
	case v.Source != nil:
		return sourceHash(v.Source), true
	}
	return 0, false
}

// sourceHash returns the same for the same source. All sources of a type that
// cannot be compared share a key: a limit that is too strict is the lesser
// evil.
func sourceHash(ts oauth2.TokenSource) uint64 {
	if !reflect.ValueOf(ts).Comparable() {
		return maphash.String(seed, reflect.TypeOf(ts).String())
	}
	return maphash.Comparable(seed, ts)
}

// sessionKeys remembers the keys of recent sessions as text, so that a call of
// a known session costs no allocation. It is only a cache: sessions that share
// a slot drive each other out.
type sessionKeys [1024]atomic.Pointer[namedSession]

type namedSession struct {
	hash uint64
	key  string
}

// key is [sessionKey].
func (s *sessionKeys) key(ctx context.Context) string {
	hash, ok := sessionHash(ctx)
	if !ok {
		return ""
	}
	slot := &s[hash%uint64(len(s))]
	if known := slot.Load(); known != nil && known.hash == hash {
		return known.key
	}
	fresh := &namedSession{hash: hash, key: keyOf(hash)}
	slot.Store(fresh)
	return fresh.key
}

package ratelimit

// This file makes the default keys of limits: from the session or the token source of
// a call.

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"net/http"
	"reflect"
	"runtime"
	"sync"
	"unsafe"
	"weak"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
)

// ByMethod returns the API method that r calls, such as "users.getInfo", as
// the key of a limit per method. It is "" if r calls none. It fits [Limit.Key].
func ByMethod(r *http.Request) string { return okcall.Method(r) }

// ByMethodAndSession returns the API method that r calls and the session, or the
// group of a Graph call, that its context sets, as the key of a limit per method
// and session. It fits [Limit.Key].
func ByMethodAndSession(r *http.Request) string {
	return okcall.Method(r) + " " + defaultKey(r)
}

// seed differs from process to process, so that the key of a token does not
// help to find the token.
var seed = maphash.MakeSeed()

// defaultKey returns the key of r without a [Limit.Key]: that of its session or,
// for a Graph call, of the group token that its context sets.
func defaultKey(r *http.Request) string {
	if o := okcall.FromContext(r.Context()); o != nil && o.GroupToken != nil && r.URL != nil && okcall.IsGraphPath(r.URL.Path) {
		return keyOf(maphash.String(seed, *o.GroupToken))
	}
	return sessionKey(r.Context())
}

// sessionKey returns the default key of a call with ctx, which depends on the
// session that the context sets; "" if it sets none.
func sessionKey(ctx context.Context) string {
	switch o := okcall.FromContext(ctx); {
	case o == nil:
		return ""
	case o.HasToken && o.Token != nil:
		return keyOf(maphash.String(seed, o.Token.AccessToken))
	case o.HasToken: // a nil token by mistake; the Signer returns an error
		return keyOf(maphash.String(seed, ""))
	case o.Source != nil:
		return sourceKey(o.Source)
	}
	return ""
}

// keyOf returns the key with this hash, in one allocation. It means nothing in
// another process, because the seed of the hash differs. It always has 16 digits,
// by which package okredis recognizes it.
func keyOf(hash uint64) string {
	var key [len(okcall.LocalKey) + 16]byte
	digits := key[copy(key[:], okcall.LocalKey):]
	hex.Encode(digits, binary.BigEndian.AppendUint64(nil, hash))
	return string(key[:])
}

// sourceKey returns the key of a source: the one that it reports itself, which
// is the same on every machine, or else one that depends on its identity.
func sourceKey(ts oauth2.TokenSource) string {
	if named, ok := ts.(okcall.LimitKeyer); ok {
		if key := named.LimitKey(); key != "" {
			return key
		}
	}
	var h maphash.Hash
	h.SetSeed(seed)
	identify(&h, reflect.ValueOf(ts))
	return keyOf(h.Sum64())
}

// identify hashes what distinguishes v from every other value, present or past.
// For pointers that is an id, because addresses are used again. Functions, maps
// and slices are distinguished by type only: a limit that two sources share by
// mistake is better than a new one at each call.
func identify(h *maphash.Hash, v reflect.Value) {
	if !v.IsValid() {
		return
	}
	h.WriteString(v.Type().String())
	switch v.Kind() {
	case reflect.Pointer, reflect.Chan, reflect.UnsafePointer:
		if p := v.UnsafePointer(); p != nil {
			maphash.WriteComparable(h, ids.of(p))
		}
	case reflect.Interface:
		identify(h, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			identify(h, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			identify(h, v.Index(i))
		}
	case reflect.String:
		h.WriteString(v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		maphash.WriteComparable(h, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		maphash.WriteComparable(h, v.Uint())
	case reflect.Bool:
		maphash.WriteComparable(h, v.Bool())
	}
}

// ids are the ids of objects that are pointed to.
var ids identities

// identities give each object an id of its own. They do not keep the object
// alive, and forget it once it was collected.
type identities struct {
	mu    sync.RWMutex
	known map[uintptr]identity // by address
	last  uint64               // the id that was given last
}

// An identity is the id of one object. The weak pointer shows whether the object
// still exists.
type identity struct {
	object weak.Pointer[byte]
	id     uint64
}

// of returns the id of the object at p. The address alone does not identify it:
// the object may have replaced one whose cleanup has not run yet.
func (m *identities) of(p unsafe.Pointer) uint64 {
	m.mu.RLock()
	known, ok := m.known[uintptr(p)]
	m.mu.RUnlock()
	if ok && known.object.Value() == (*byte)(p) {
		return known.id
	}
	return m.add(p)
}

// add returns the id of the object at p, a new one unless another goroutine has
// added it meanwhile. The id is forgotten once the object was collected.
func (m *identities) add(p unsafe.Pointer) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.known[uintptr(p)]; ok && known.object.Value() == (*byte)(p) {
		return known.id
	}
	if m.known == nil {
		m.known = make(map[uintptr]identity)
	}
	m.last++
	added := identity{weak.Make((*byte)(p)), m.last}
	m.known[uintptr(p)] = added
	address := uintptr(p)
	runtime.AddCleanup((*byte)(p), func(id uint64) { m.forget(address, id) }, added.id)
	return added.id
}

// forget removes the object with this id, unless another one has its address.
func (m *identities) forget(address uintptr, id uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known[address].id == id {
		delete(m.known, address)
	}
}

package transport

// This file calls the method Token of a source that knows no context. Only sources
// of other packages are: oauth.Source has TokenContext.

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"unsafe"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// Token of an oauth2.TokenSource knows no context and may take as long as the
// token endpoint does. So that a call can end earlier, Token runs in a goroutine
// of its own; and so that a source that hangs costs one goroutine and not one
// per call, all calls that ask the source meanwhile share it.

// A tokenRequest is one call of Token.
type tokenRequest struct {
	done  chan struct{} // closed when token and err are set
	token *oauth2.Token
	err   error
}

// tokenRequests are the requests that have not ended, by the key of the source.
// A source without a request has no entry.
var tokenRequests = struct {
	sync.Mutex
	running map[any]*tokenRequest
}{running: make(map[any]*tokenRequest)}

// requestToken returns what ts returns for the request that is running, or for
// a new one, and whether it was running. If ctx ends first it returns the error
// of ctx; the request goes on for other calls.
func requestToken(ctx context.Context, ts oauth2.TokenSource) (t *oauth2.Token, joined bool, err error) {
	key := sourceKey(ts)
	tokenRequests.Lock()
	r, joined := tokenRequests.running[key]
	if !joined {
		r = &tokenRequest{done: make(chan struct{})}
		tokenRequests.running[key] = r
	}
	tokenRequests.Unlock()
	switch {
	case joined:
	case ctx.Done() == nil: // this call must wait for the end in any case
		r.run(key, ts)
	default:
		go r.run(key, ts)
	}
	select {
	case <-r.done:
		return r.token, joined, r.err
	case <-ctx.Done():
		return nil, joined, roundtrip.ContextErr(ctx)
	}
}

// sourceKey returns ts or, if its type is not comparable, the identity of the
// value: its type and its address, which is that of no other source while ts is
// in use.
func sourceKey(ts oauth2.TokenSource) any {
	if reflect.ValueOf(ts).Comparable() {
		return ts
	}
	return *(*[2]uintptr)(unsafe.Pointer(&ts))
}

var errGoexit = errors.New("the token source ended its goroutine")

// run asks ts. A panic of ts becomes the error of all calls that wait.
func (r *tokenRequest) run(key any, ts oauth2.TokenSource) {
	r.err = errGoexit
	defer func() {
		if value := recover(); value != nil {
			r.err = redact.NewPanicError("the token source", value)
		}
		tokenRequests.Lock()
		delete(tokenRequests.running, key)
		tokenRequests.Unlock()
		close(r.done)
	}()
	r.token, r.err = ts.Token()
}

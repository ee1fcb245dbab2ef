package oauth

// This file has the interfaces of stores. filestore.go has one, package okredis
// another.

import (
	"context"

	"golang.org/x/oauth2"
)

// A Store keeps one session across restarts and shares it between processes.
// [FileStore] is one. Its content is as secret as a password.
//
// A [Source] calls each method with a context that ends, unless
// Options.Timeout is off, and calls Save only while it holds the lock. All
// methods must be safe for concurrent use by multiple goroutines.
//
// A Source holds the lock during a renewal: for a read, the requests of the
// grant and a save. That usually takes a fraction of a second, and at most
// twice Options.Timeout. The lock must guarantee that
//
//   - at most one user of the store holds it, in this process or another;
//   - a holder that was killed loses it, so that others do not wait forever;
//   - a holder that lost it, because it took longer than a lease, cannot save:
//     Save then returns an error and changes nothing.
//
// Package storetest checks a Store. The page docs/stores.md of this module has
// the reasons, and what happens when a holder dies.
type Store interface {
	// Load returns the stored session, and nil, nil if there is none. If the
	// content is not a session, the error is [ErrCorrupt]: a Source then
	// obtains a new session and overwrites the content. After any other error
	// a Source does not renew, because another process may have used the
	// refresh token.
	//
	// The token must have all extras that Save received as strings, in
	// particular session_secret_key and those that a Source adds; see
	// [MarshalToken].
	Load(ctx context.Context) (*oauth2.Token, error)

	// Save replaces what is stored, completely or not at all.
	Save(ctx context.Context, t *oauth2.Token) error

	// Lock waits for the lock and takes it, or returns the error of ctx when
	// that ends. A Source calls unlock once.
	Lock(ctx context.Context) (unlock func(), err error)
}

// A Deleter is a [Store] that can delete its session. [Sessions.Dismiss] needs
// one. FileStore and package okredis implement it.
type Deleter interface {
	// Delete deletes what is stored. If nothing is stored, it returns nil. It is
	// called with the lock.
	Delete(ctx context.Context) error
}

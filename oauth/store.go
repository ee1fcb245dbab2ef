package oauth

import (
	"context"

	"golang.org/x/oauth2"
)

// A Store keeps one session where several processes can share it, and where
// it outlives them. [FileStore] is one. Its content is as secret as a
// password.
//
// A [Source] calls Load and Save with a context that ends; it calls Save with
// the lock only. All methods must be safe for concurrent use by multiple
// goroutines.
type Store interface {
	// Load returns what is stored; nil, nil if there is nothing. Content that
	// is no session is [ErrCorrupt]: a Source then gets a new session and
	// overwrites it. After any other error a Source gets none, lest it use up
	// a refresh token that another process holds.
	Load(ctx context.Context) (*oauth2.Token, error)

	// Save replaces what is stored, wholly or not at all. See [MarshalToken].
	Save(ctx context.Context, t *oauth2.Token) error

	// Lock waits until no other user of the Store has the lock, in this
	// process or another, and takes it. It returns when ctx ends at the
	// latest. unlock is called once.
	Lock(ctx context.Context) (unlock func(), err error)
}

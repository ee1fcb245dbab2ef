package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/zalando/go-keyring"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// A store keeps the session of okru login.
type store interface {
	oauth.Store
	oauth.Deleter
}

// storeTimeout is how long a store may take: another process may hold its lock
// while it renews the session.
const storeTimeout = time.Minute

// stores returns where the session of an application may be: in a file, if
// okru login --file was run, or else in the keyring. Each service and each
// application has a session of its own, so that one of a fake is never sent to
// OK.
func (a *app) stores(s settings) (file, ring store, err error) {
	if s.applicationKey == "" {
		return nil, nil, usage("set OKRU_APPLICATION_KEY, the public key of your application")
	}
	dir := a.configDir
	if dir == "" {
		if dir, err = os.UserConfigDir(); err != nil {
			return nil, nil, fmt.Errorf("there is no directory for the session: %w", err)
		}
	}
	account := url.QueryEscape(s.host()) + "," + url.QueryEscape(s.applicationKey)
	path := filepath.Join(dir, "okru", account+".json")
	file = fileStore{oauth.FileStore(path).(store), path}
	return file, keyringStore{file, account}, nil
}

// A fileStore is a file that prints as its path.
type fileStore struct {
	store
	path string
}

func (f fileStore) String() string { return f.path }

// keyringService is under what name keyrings show the sessions.
const keyringService = "okru"

// keyringMu is held while the keyring is used: package keyring does not promise
// that several goroutines may use it at once.
var keyringMu sync.Mutex

// A keyringStore keeps a session in the keyring of the system: the Secret
// Service, the macOS Keychain, or the Credential Manager of Windows. Keyrings
// have no locks; it uses that of the file.
type keyringStore struct {
	store
	account string
}

// Load implements [oauth.Store].
func (k keyringStore) Load(context.Context) (*oauth2.Token, error) {
	keyringMu.Lock()
	text, err := keyring.Get(keyringService, k.account)
	keyringMu.Unlock()
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return oauth.UnmarshalToken([]byte(text))
}

// Save implements [oauth.Store].
func (k keyringStore) Save(_ context.Context, t *oauth2.Token) error {
	keyringMu.Lock()
	defer keyringMu.Unlock()
	data, err := oauth.MarshalToken(t)
	if err == nil {
		err = keyring.Set(keyringService, k.account, string(data))
	}
	if err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	return nil
}

// Delete implements [oauth.Deleter].
func (k keyringStore) Delete(context.Context) error {
	keyringMu.Lock()
	defer keyringMu.Unlock()
	if err := keyring.Delete(keyringService, k.account); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return fmt.Errorf("keyring: %w", err)
	}
	return nil
}

// storedSession returns the session of okru login, or nil if there is none. It
// is renewed if the environment has what that takes. A machine without a
// keyring has no session.
func (s settings) storedSession(a *app) (oauth2.TokenSource, error) {
	if s.applicationKey == "" {
		return nil, nil // a later check has a better error
	}
	chosen, ring, err := a.stores(s)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	t, err := chosen.Load(ctx)
	if err == nil && t == nil {
		chosen = ring
		if t, err = ring.Load(ctx); err != nil && !errors.Is(err, oauth.ErrCorrupt) {
			return nil, nil
		}
	}
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, nil
	case s.applicationID == "" || s.applicationSecret == "" || t.RefreshToken == "":
		return oauth.Static(t.AccessToken, oauth.SessionSecret(t)), nil
	}
	grant := oauth.Refresh{ClientID: s.applicationID, ClientSecret: s.applicationSecret, HTTPClient: s.oauthClient(a)}
	return oauth.NewSource(grant, oauth.Options{Store: chosen}), nil
}

// locked runs f while it holds the lock of the stores.
func locked(ctx context.Context, s store, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	unlock, err := s.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return f(ctx)
}

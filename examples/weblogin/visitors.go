package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-okru/okru/oauth"
)

// Visitors are the browsers that are signed in. Each has a session of OK, in a
// file, which renews itself and outlives the program. The files of those who
// never come back stay; a job such as find DIR -mtime +30 -delete takes care
// of them.
type visitors struct {
	dir   string
	grant oauth.Refresh // renews what the program finds when it starts

	mu      sync.Mutex
	sources map[string]*oauth.Source // by path
}

// maxSources bounds what is kept in memory. It can all be had again from the
// files.
const maxSources = 10_000

func newVisitors(dir string, code oauth.Code) *visitors {
	return &visitors{
		dir:     dir,
		grant:   oauth.Refresh{ClientID: code.ClientID, ClientSecret: code.ClientSecret, HTTPClient: code.HTTPClient},
		sources: make(map[string]*oauth.Source),
	}
}

// admit signs a visitor in and returns the id under which source finds him
// from now on.
func (v *visitors) admit(ctx context.Context, grant oauth.Code) (id string, err error) {
	id = rand.Text()
	path := v.path(id)
	source := newSource(grant, path)
	if _, err := source.TokenContext(ctx); err != nil {
		v.dismiss(id)
		return "", err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keep(path, source)
	return id, nil
}

// source returns the session of a visitor. It is the same one for all his
// requests, so that however many there are, it is renewed once.
func (v *visitors) source(id string) (*oauth.Source, bool) {
	path := v.path(id)
	v.mu.Lock()
	defer v.mu.Unlock()
	if source, ok := v.sources[path]; ok {
		return source, true
	}
	if _, err := os.Stat(path); err != nil {
		return nil, false
	}
	source := newSource(v.grant, path)
	v.keep(path, source)
	return source, true
}

// dismiss signs a visitor out: his id is of no use any more.
func (v *visitors) dismiss(id string) {
	path := v.path(id)
	v.mu.Lock()
	delete(v.sources, path)
	v.mu.Unlock()
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return
	}
	// A renewal under way has the lock, and would put the file back.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if unlock, err := oauth.FileStore(path).Lock(ctx); err == nil {
		defer unlock()
	}
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		log.Print("sign-out: ", err)
	}
}

// path returns the file of a visitor. It comes from a hash: who can list the
// files has no ids yet, and an id that somebody made up leads nowhere else.
func (v *visitors) path(id string) string {
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(v.dir, hex.EncodeToString(sum[:]), "session.json")
}

// keep remembers a source. The caller holds v.mu.
func (v *visitors) keep(path string, source *oauth.Source) {
	if len(v.sources) >= maxSources {
		clear(v.sources)
	}
	v.sources[path] = source
}

func newSource(grant oauth.Grant, path string) *oauth.Source {
	return oauth.NewSource(grant, oauth.Options{
		Store:   oauth.FileStore(path),
		OnError: func(err error) { log.Print("session: ", err) }, // without secrets
	})
}

package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log"
	"path/filepath"

	"github.com/go-okru/okru/oauth"
)

// Visitors are the browsers that are signed in. Each has a session of OK, in a
// file, which renews itself and outlives the program. The files of visitors who
// never return stay; a job such as find DIR -mtime +30 -delete removes them.
type visitors struct{ sessions *oauth.Sessions }

func newVisitors(dir string, code oauth.Code) *visitors {
	return &visitors{oauth.NewSessions(oauth.SessionsOptions{
		Store: func(id string) oauth.Store { return oauth.FileStore(path(dir, id)) },
		Grant: func(string) oauth.Grant {
			return oauth.Refresh{ClientID: code.ClientID, ClientSecret: code.ClientSecret, HTTPClient: code.HTTPClient}
		},
		Options: oauth.Options{OnError: func(err error) { log.Print("session: ", err) }}, // without secrets
	})}
}

// path returns the file of a visitor. Its name is a hash: a reader of the
// directory learns no id, and an invented id leads to no other place.
func path(dir, id string) string {
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(dir, hex.EncodeToString(sum[:])+".json")
}

// admit signs a visitor in and returns the new id.
func (v *visitors) admit(ctx context.Context, grant oauth.Code) (id string, err error) {
	session, err := grant.Token(ctx)
	if err != nil {
		return "", err
	}
	id = rand.Text()
	_, err = v.sessions.Admit(ctx, id, session)
	return id, err
}

// source returns the session of a visitor. All requests of the visitor share
// it, so that it is renewed once.
func (v *visitors) source(id string) *oauth.Source { return v.sessions.Source(id) }

// dismiss signs a visitor out: the id is worthless from now on.
func (v *visitors) dismiss(ctx context.Context, id string) {
	if err := v.sessions.Dismiss(ctx, id); err != nil {
		log.Print("sign-out: ", err)
	}
}

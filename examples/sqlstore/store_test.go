package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oauth/storetest"
)

// open returns a database in file, with connections of its own as another
// process has them.
func open(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := openDB(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func change(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (a, b oauth.Store) {
		file := filepath.Join(t.TempDir(), "sessions.db")
		return newStore(open(t, file), user, lease), newStore(open(t, file), user, lease)
	}, storetest.Expire(func(t *testing.T, holder oauth.Store) {
		change(t, holder.(*store).db, `UPDATE sessions SET until = 0`)
	}), storetest.Corrupt(func(t *testing.T, s oauth.Store) {
		change(t, s.(*store).db, `UPDATE sessions SET session = substr(session, 1, 20)`)
	}))
}

// The lease of a killed process runs out. While a process lives, it does not.
func TestLease(t *testing.T) {
	const lease = 300 * time.Millisecond
	file := filepath.Join(t.TempDir(), "sessions.db")
	killed, living := newStore(open(t, file), user, lease), newStore(open(t, file), user, lease)
	change(t, living.db, `INSERT INTO sessions (user, owner, until) VALUES ('anna', 'killed', unixepoch('subsec') * 1000 + 300)`)
	unlock, err := living.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*lease)
	defer cancel()
	if _, err := killed.Lock(ctx); err == nil {
		t.Error("the lease was not renewed")
	}
	if err := living.Save(t.Context(), &oauth2.Token{AccessToken: "A"}); err != nil {
		t.Errorf("Save after three leases: %v", err)
	}
	unlock()
}

// Sessions of several users do not affect each other, and a user who was
// signed out leaves no row.
func TestUsers(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	sessions := newSessions(db, nil)
	for _, name := range []string{"anna", "boris"} {
		if _, err := sessions.Admit(t.Context(), name, &oauth2.Token{AccessToken: name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := sessions.Dismiss(t.Context(), "anna"); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := db.QueryRow(`SELECT count(*) FROM sessions`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows (%v), want that of boris", rows, err)
	}
	if got, err := newStore(db, "boris", lease).Load(t.Context()); err != nil || got == nil || got.AccessToken != "boris" {
		t.Errorf("Load: %v, %v", got, err)
	}
}

package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// schema is one row per user: the session, and the lease that is its lock. A
// row of a user without a session exists only while the lock is held. Times are
// milliseconds of the database's clock, so that all processes have the same.
const schema = `CREATE TABLE IF NOT EXISTS sessions (
	user    TEXT PRIMARY KEY,
	session BLOB,                        -- of oauth.MarshalToken; NULL: none
	owner   TEXT NOT NULL DEFAULT '',    -- of the lock; '': none
	until   INTEGER NOT NULL DEFAULT 0)  -- when the lease of the owner ends`

// Each statement is atomic by itself, so none needs a transaction. ?1 is the
// user, ?2 the owner.
const (
	now = `CAST(unixepoch('subsec') * 1000 AS INTEGER)`

	loadSQL = `SELECT session FROM sessions WHERE user = ?1 AND session IS NOT NULL`
	lockSQL = `INSERT INTO sessions (user, owner, until) VALUES (?1, ?2, ` + now + ` + ?3)
		ON CONFLICT (user) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE until <= ` + now
	renewSQL  = `UPDATE sessions SET until = ` + now + ` + ?3 WHERE user = ?1 AND owner = ?2 AND until > ` + now
	writeSQL  = `UPDATE sessions SET session = ?3 WHERE user = ?1 AND owner = ?2 AND until > ` + now
	unlockSQL = `UPDATE sessions SET owner = '', until = 0 WHERE user = ?1 AND owner = ?2`
	tidySQL   = `DELETE FROM sessions WHERE user = ?1 AND session IS NULL AND until <= ` + now
)

// A store is an oauth.Store of one user's session in a table.
type store struct {
	db    *sql.DB
	user  string
	lease time.Duration // after which the lock of a killed process is free

	turn  chan struct{} // full while a caller of this store has the lock, or waits for it
	mu    sync.Mutex
	owner string // as which this store has the lock; "": it has not
}

func newStore(db *sql.DB, user string, lease time.Duration) *store {
	return &store{db: db, user: user, lease: lease, turn: make(chan struct{}, 1)}
}

// Load implements [oauth.Store]. It needs no lock.
func (s *store) Load(ctx context.Context) (*oauth2.Token, error) {
	var data []byte
	err := s.db.QueryRowContext(ctx, loadSQL, s.user).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(ctx, "load", err)
	}
	return oauth.UnmarshalToken(data) // its error is ErrCorrupt
}

// Save implements [oauth.Store].
func (s *store) Save(ctx context.Context, t *oauth2.Token) error {
	data, err := oauth.MarshalToken(t)
	if err != nil {
		return err
	}
	return s.write(ctx, "save", data)
}

// Delete implements [oauth.Deleter].
func (s *store) Delete(ctx context.Context) error { return s.write(ctx, "delete", nil) }

var errLost = errors.New("the lock is not held: its lease has run out, or it was never taken")

// write replaces the session if this store has the lock. A store that comes
// late, because its process was stopped for longer than the lease, changes
// nothing: the next owner may have saved a newer session.
func (s *store) write(ctx context.Context, action string, data []byte) error {
	s.mu.Lock()
	owner := s.owner
	s.mu.Unlock()
	changed, err := s.exec(ctx, writeSQL, owner, data)
	if err == nil && !changed {
		err = errLost
	}
	return explain(ctx, action, err)
}

// Lock implements [oauth.Store]. It tries until the lease is free.
func (s *store) Lock(ctx context.Context) (unlock func(), err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	owner := rand.Text()
	for {
		locked, err := s.exec(ctx, lockSQL, owner, s.lease.Milliseconds())
		if locked && ctx.Err() == nil {
			break
		}
		if err == nil {
			err = sleep(ctx, 20*time.Millisecond) // a renewal usually takes a tenth of a second
		}
		if err != nil {
			s.release(owner) // it may have been locked as the context ended
			return nil, explain(ctx, "lock", err)
		}
	}
	s.setOwner(owner)
	stop := s.keep(owner)
	return sync.OnceFunc(func() {
		stop()
		s.setOwner("")
		s.release(owner)
	}), nil
}

// keep renews the lease until stop is called or the lease is lost.
func (s *store) keep(owner string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, s.lease/3) == nil {
			if renewed, err := s.exec(ctx, renewSQL, owner, s.lease.Milliseconds()); err == nil && !renewed {
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// release frees the lease of owner, if it is still the owner. If that fails,
// the lease runs out by itself.
func (s *store) release(owner string) {
	ctx, cancel := context.WithTimeout(context.Background(), s.lease)
	defer cancel()
	_, _ = s.exec(ctx, unlockSQL, owner)
	_, _ = s.db.ExecContext(ctx, tidySQL, s.user)
	<-s.turn
}

func (s *store) setOwner(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner = owner
}

// exec runs a statement and reports whether it changed a row.
func (s *store) exec(ctx context.Context, statement, owner string, args ...any) (bool, error) {
	result, err := s.db.ExecContext(ctx, statement, append([]any{s.user, owner}, args...)...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// explain returns err with what was tried. If ctx has ended, that is why:
// drivers then return errors of their own.
func explain(ctx context.Context, action string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("session store in SQL: %s: %w", action, err)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

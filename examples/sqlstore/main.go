// Sqlstore keeps the sessions of users in a table, so that all processes of a
// service share them. What to learn from it:
//
//   - An oauth.Store is three methods, and Delete to sign users out; see
//     store.go. The lock is a lease: a row that says who has it and until when.
//   - Many processes whose session has expired renew it once: the first one has
//     the lock, the others find its session in the table.
//   - Package storetest tests a store; see store_test.go.
//
// The program starts a fake of OK, and four processes that share a file of
// SQLite. The session in it has expired, and each process makes a call. For
// PostgreSQL or MySQL, change the SQL of store.go: what matters is that each
// statement is atomic, and that the clock is that of the database.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// Variables by which the program passes settings to its processes.
const (
	envFile = "SQLSTORE_FILE"
	envFake = "SQLSTORE_FAKE"
)

const (
	processes = 4
	user      = "anna"
	lease     = 5 * time.Second // shorter than oauth.Options.Timeout, because others wait for it
)

var app = oktest.App{ID: "512000000001", Key: "CBASQLSTOREKEY", Secret: "sqlstore application secret"}

func main() {
	run := runService
	if os.Getenv(envFile) != "" {
		run = runProcess
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "sqlstore:", err)
		os.Exit(1)
	}
}

// runService stores a session that has expired, starts the processes, and
// prints how often it was renewed.
func runService(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "sqlstore")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fake := oktest.NewServer(app)
	defer fake.Close()
	file := filepath.Join(dir, "sessions.db")
	db, err := openDB(ctx, file)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := signIn(ctx, db, fake); err != nil {
		return err
	}
	if err := startAll(ctx, envFile+"="+file, envFake+"="+fake.URL()); err != nil {
		return err
	}
	fmt.Printf("%d processes, %d renewal\n", processes, len(fake.Exchanges()))
	return nil
}

// signIn stores a session of a user, as a web page for sign-in would, and makes
// OK forget it.
func signIn(ctx context.Context, db *sql.DB, fake *oktest.Server) error {
	token := fake.NewUser(user, "password").Token()
	sessions := newSessions(db, nil)
	if _, err := sessions.Admit(ctx, user, token); err != nil {
		return err
	}
	fake.Expire(token.AccessToken)
	return nil
}

// startAll runs this program several times at once.
func startAll(ctx context.Context, env ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	commands := make([]*exec.Cmd, processes)
	for i := range commands {
		c := exec.CommandContext(ctx, self)
		c.Env, c.Stdout, c.Stderr = append(os.Environ(), env...), os.Stdout, os.Stderr
		if err := c.Start(); err != nil {
			return err
		}
		commands[i] = c
	}
	var errs []error
	for _, c := range commands {
		errs = append(errs, c.Wait())
	}
	return errors.Join(errs...)
}

// runProcess is one process of the service. It makes a call for the user.
func runProcess(ctx context.Context) error {
	db, err := openDB(ctx, os.Getenv(envFile))
	if err != nil {
		return err
	}
	defer db.Close()
	fake := toFake{address: os.Getenv(envFake)}
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    app.Key,
		ApplicationSecret: app.Secret,
		TokenSource:       newSessions(db, &http.Client{Transport: fake}).Source(user),
		Base:              fake,
	})
	if err != nil {
		return err
	}
	me, err := okru.Call[struct{ Name string }](ctx, client, "users.getCurrentUser", nil)
	if err != nil {
		return err
	}
	fmt.Printf("process %d: %s\n", os.Getpid(), me.Name)
	return nil
}

// newSessions returns the sessions of all users. Their renewals use client.
func newSessions(db *sql.DB, client *http.Client) *oauth.Sessions {
	return oauth.NewSessions(oauth.SessionsOptions{
		Store: func(user string) oauth.Store { return newStore(db, user, lease) },
		Grant: func(string) oauth.Grant {
			return oauth.Refresh{ClientID: app.ID, ClientSecret: app.Secret, HTTPClient: client}
		},
	})
}

// openDB opens the file and makes the table. SQLite lets one process write at a
// time; with the busy_timeout, the others wait for it.
func openDB(ctx context.Context, file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(1000)&_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

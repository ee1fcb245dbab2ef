package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

func TestFileStore(t *testing.T) {
	var path string
	Run(t, func(t *testing.T) (a, b oauth.Store) {
		path = filepath.Join(t.TempDir(), "dir", "session.json")
		return oauth.FileStore(path), oauth.FileStore(path)
	}, Corrupt(func(t *testing.T, _ oauth.Store) {
		if err := os.WriteFile(path, []byte(`{"version":1,"access`), 0o600); err != nil {
			t.Fatal(err)
		}
	}))
}

// storage is what the stores of one test share. A lease has a number; a holder
// with an old number has lost the lock.
type storage struct {
	mu      sync.Mutex
	data    []byte
	holder  int // the number of the lease, if locked
	leases  int
	waiting chan struct{} // closed when the lock is released
}

// memory is a correct store: a lease that can be made to expire. broken names
// what is wrong with it; "": nothing.
type memory struct {
	*storage
	broken string
	lease  int

	cache  *oauth2.Token // what was loaded
	buffer []byte        // of the last call
}

func open(broken string) func(*testing.T) (a, b oauth.Store) {
	return func(*testing.T) (a, b oauth.Store) {
		s := new(storage)
		return &memory{storage: s, broken: broken}, &memory{storage: s, broken: broken}
	}
}

func (m *memory) Load(ctx context.Context) (*oauth2.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.broken == "Load hangs":
		select {}
	case len(m.data) == 0 && m.broken == "empty is an error":
		return nil, errors.New("not found")
	case len(m.data) == 0 && m.broken == "empty is an empty token":
		return new(oauth2.Token), nil
	case m.cache != nil && (m.broken == "Load is cached" || m.broken == "Load returns what was deleted" && len(m.data) == 0):
		own := *m.cache
		return &own, nil
	case m.cache != nil && m.broken == "the token is shared":
		return m.cache, nil
	case len(m.data) == 0:
		return nil, nil
	}
	data := m.data
	if m.broken == "one buffer for all calls" {
		data = m.viaBuffer(data)
	}
	t, err := oauth.UnmarshalToken(data)
	m.cache = t
	switch m.broken {
	case "corrupt is nothing":
		if err != nil {
			return nil, nil
		}
	case "corrupt is another error":
		if err != nil {
			return nil, errors.New("broken")
		}
	}
	return t, err
}

// viaBuffer returns what is in the buffer some time after data was put there.
func (m *memory) viaBuffer(data []byte) []byte {
	m.buffer = data
	m.mu.Unlock()
	time.Sleep(time.Millisecond)
	m.mu.Lock()
	return m.buffer
}

// extrasWithout returns the extras of a session of the kit, without one of them.
func extrasWithout(t *oauth2.Token, name string) map[string]any {
	extras := make(map[string]any)
	for _, n := range []string{"session_secret_key", "okru_application", "okru_chain", otherExtra} {
		if value := t.Extra(n); value != nil && n != name {
			extras[n] = value
		}
	}
	return extras
}

func (m *memory) Save(ctx context.Context, t *oauth2.Token) error {
	own := *t
	switch m.broken {
	case "loses extras":
		own = oauth2.Token{AccessToken: t.AccessToken, TokenType: t.TokenType, RefreshToken: t.RefreshToken, Expiry: t.Expiry, ExpiresIn: t.ExpiresIn}
	case "loses the refresh token":
		own.RefreshToken = ""
	case "loses the lifetime":
		own.ExpiresIn = 0
	case "loses the expiry":
		own.Expiry = time.Time{}
	case "loses the type":
		own.TokenType = ""
	case "secret becomes a number":
		extras := extrasWithout(t, "")
		extras["session_secret_key"] = 123456789.0
		own = *t.WithExtra(extras)
	case "loses other extras":
		own = *t.WithExtra(extrasWithout(t, otherExtra))
	case "loses the mark of the chain":
		own = *t.WithExtra(extrasWithout(t, "okru_chain"))
	case "rounds the expiry to a minute":
		own.Expiry = t.Expiry.Round(time.Minute)
	case "loses the time zone":
		own.Expiry, _ = time.Parse(time.DateTime, t.Expiry.Format(time.DateTime))
	case "cuts long values":
		own.AccessToken = t.AccessToken[:min(len(t.AccessToken), 255)]
	case "doubles quotes":
		extras := extrasWithout(t, "")
		if value, ok := t.Extra(otherExtra).(string); ok {
			extras[otherExtra] = strings.ReplaceAll(value, "'", "''")
		}
		own = *t.WithExtra(extras)
	case "Save does nothing":
		return nil
	case "Save fails":
		return errors.New("disk full")
	case "Save hangs":
		select {}
	case "Save panics":
		panic("boom")
	}
	data, err := oauth.MarshalToken(&own)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holder != m.lease && m.broken != "late holder saves" && (m.broken != "late holder saves after the next" || m.holder != 0) {
		return errors.New("the lock was lost")
	}
	switch m.broken {
	case "the token is shared":
		m.cache = t
	case "one buffer for all calls":
		data = m.viaBuffer(data)
	case "keeps old fields":
		if old, err := oauth.UnmarshalToken(m.data); err == nil && own.RefreshToken == "" {
			own.RefreshToken = old.RefreshToken
			data, _ = oauth.MarshalToken(&own)
		}
	case "Save is not atomic":
		half := data[:len(data)/2]
		m.data = half
		m.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		m.mu.Lock()
	case "ended context saves half":
		if ctx.Err() != nil {
			m.data = data
			return ctx.Err()
		}
	}
	m.data = data
	return nil
}

func (m *memory) Lock(ctx context.Context) (func(), error) {
	switch m.broken {
	case "Lock does nothing":
		return func() {}, nil
	case "Lock returns nothing":
		return nil, nil
	case "Lock ignores its context":
		ctx = context.Background()
	case "Lock ends only with a deadline":
		deadline, ok := ctx.Deadline()
		ctx = context.Background()
		if ok {
			bounded, cancel := context.WithDeadline(ctx, deadline)
			defer cancel()
			ctx = bounded
		}
	}
	for {
		m.mu.Lock()
		if m.holder == 0 || m.broken == "Lock is per process" && m.lease == 0 {
			m.leases++
			m.holder, m.lease, m.waiting = m.leases, m.leases, make(chan struct{})
			lease := m.lease
			m.mu.Unlock()
			if m.broken == "lock ends with the context of Lock" {
				context.AfterFunc(ctx, func() { m.unlock(lease) })
			}
			return func() { m.unlock(lease) }, nil
		}
		waiting := m.waiting
		m.mu.Unlock()
		select {
		case <-waiting:
		case <-ctx.Done():
			if m.broken == "Lock hides the error of its context" {
				return nil, errors.New("locked")
			}
			if m.broken == "canceled Lock takes the lock later" {
				go func() { _, _ = (&memory{storage: m.storage}).Lock(context.Background()) }()
			}
			return nil, ctx.Err()
		}
	}
}

func (m *memory) unlock(lease int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken == "unlock does nothing" {
		return
	}
	if m.holder == lease || m.broken == "late holder unlocks" {
		if m.holder != 0 {
			close(m.waiting)
		}
		m.holder = 0
	}
	if m.lease == lease {
		m.lease = 0
	}
}

func (m *memory) Delete(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken == "Delete fails on nothing" && len(m.data) == 0 {
		return errors.New("not found")
	}
	if m.holder != m.lease && m.broken != "late holder deletes" {
		return errors.New("the lock was lost")
	}
	if m.broken == "Delete releases the lock" {
		close(m.waiting)
		m.holder = 0
	}
	if m.broken != "Delete does nothing" {
		m.data = nil
	}
	return nil
}

// expire ends the lease of the holder.
func expire(t *testing.T, holder oauth.Store) {
	m := holder.(*memory)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != "killed holder keeps the lock" {
		close(m.waiting)
		m.holder = 0
	}
}

func corrupt(t *testing.T, s oauth.Store) {
	m := s.(*memory)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data = m.data[:len(m.data)/2]
}

func TestCorrectStorePasses(t *testing.T) {
	Run(t, open(""), Expire(expire), Corrupt(corrupt))
}

// The kit finds each of these stores, in bounded time.
func TestBrokenStoresAreFound(t *testing.T) {
	var kits sync.WaitGroup // all at once, because some of them wait
	defer kits.Wait()
	for broken, found := range map[string]string{ // found by the case
		"empty is an error":                   "EmptyStore",
		"empty is an empty token":             "EmptyStore",
		"loses extras":                        "KeepsEverything",
		"loses the refresh token":             "KeepsEverything",
		"loses the lifetime":                  "KeepsEverything",
		"loses the expiry":                    "KeepsEverything",
		"loses the type":                      "KeepsEverything",
		"secret becomes a number":             "KeepsEverything",
		"Save does nothing":                   "KeepsEverything",
		"Save fails":                          "KeepsEverything",
		"Save hangs":                          "KeepsEverything",
		"Save panics":                         "KeepsEverything",
		"Load hangs":                          "EmptyStore",
		"keeps old fields":                    "SaveReplaces",
		"Save is not atomic":                  "SaveIsAtomic",
		"ended context saves half":            "EndedContext",
		"Lock does nothing":                   "LockExcludes",
		"Lock returns nothing":                "LockExcludes",
		"Lock is per process":                 "LockExcludes",
		"Lock ignores its context":            "LockExcludes",
		"Lock hides the error of its context": "LockExcludes",
		"canceled Lock takes the lock later":  "LockEndsWithContext",
		"unlock does nothing":                 "LockIsReleased",
		"Delete does nothing":                 "Delete",
		"Delete fails on nothing":             "Delete",
		"Delete releases the lock":            "Delete",
		"corrupt is nothing":                  "Corrupt",
		"corrupt is another error":            "Corrupt",
		"killed holder keeps the lock":        "HolderIsKilled",
		"late holder saves":                   "HolderIsKilled",
		"late holder unlocks":                 "HolderIsKilled",
		"Load is cached":                      "KeepsEverything",
		"loses other extras":                  "KeepsEverything",
		"loses the mark of the chain":         "KeepsEverything",
		"rounds the expiry to a minute":       "KeepsEverything",
		"loses the time zone":                 "KeepsEverything",
		"doubles quotes":                      "KeepsEverything",
		"cuts long values":                    "SaveReplaces",
		"the token is shared":                 "KeepsCopies",
		"one buffer for all calls":            "ConcurrentUse",
		"lock ends with the context of Lock":  "LockExcludes",
		"Lock ends only with a deadline":      "LockEndsWithContext",
		"Load returns what was deleted":       "Delete",
		"late holder saves after the next":    "HolderIsKilled",
		"late holder deletes":                 "HolderIsKilled",
	} {
		kits.Go(func() {
			for _, c := range allCases {
				if c.name != found {
					continue
				}
				start := time.Now()
				problems, _ := run(t, c, open(broken), Expire(expire), Corrupt(corrupt))
				if len(problems) == 0 {
					t.Errorf("%s: %s does not find it", broken, c.name)
				}
				for _, problem := range problems {
					if problem == "" || strings.Contains(problem, "%!") {
						t.Errorf("%s: %s does not say what is wrong: %q", broken, c.name, problem)
					}
				}
				if d := time.Since(start); d > opTimeout+2*grace {
					t.Errorf("%s: it took %v", broken, d)
				}
				t.Logf("%s: %s", broken, strings.Join(problems, "; "))
				return
			}
			t.Errorf("%s: there is no case %s", broken, found)
		})
	}
}

package storetest

// This file has a store in memory that is correct, or broken in one of many ways.

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// storage is what the stores of one test share. A lease has a number; a holder
// with an old number has lost the lock.
type storage struct {
	mu      sync.Mutex
	data    []byte
	holder  int // the number of the lease, if locked
	leases  int
	waiting chan struct{} // closed when the lock is released
	expired bool          // a holder has lost the lock
	first   []byte        // the data of the first Save
	journal []string      // of all operations

	end  context.Context // until when a store hangs that hangs
	stop func()
}

func newStorage() *storage {
	s := new(storage)
	s.end, s.stop = context.WithCancel(context.Background())
	return s
}

// stores returns two stores over s.
func (s *storage) stores(broken string) (a, b oauth.Store) {
	return &memory{storage: s, name: "a", broken: broken}, &memory{storage: s, name: "b", broken: broken}
}

// free releases the lock, even if another store holds it.
func (s *storage) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder != 0 {
		close(s.waiting)
		s.holder = 0
	}
}

func (s *storage) isLocked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.holder != 0
}

// memory is a correct store: a lease that can be made to expire. broken names
// what is wrong with it; "": nothing.
type memory struct {
	*storage
	name   string
	broken string
	loads  int
	lease  int

	cache  *oauth2.Token // what was loaded
	buffer []byte        // of the last call
}

// count returns how many operations in the journal begin with prefix.
func (s *storage) count(prefix string) int {
	n := 0
	for _, operation := range s.journal {
		if strings.HasPrefix(operation, prefix) {
			n++
		}
	}
	return n
}

// note adds an operation to the journal. The caller holds m.mu.
func (m *memory) note(operation string) {
	m.journal = append(m.journal, m.name+"."+operation)
}

// pause lets others use the storage for a while. The caller holds m.mu.
func (m *memory) pause() {
	m.mu.Unlock()
	time.Sleep(time.Millisecond)
	m.mu.Lock()
}

func (m *memory) Load(ctx context.Context) (*oauth2.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note("Load")
	m.loads++
	switch {
	case m.broken == "Load hangs", m.broken == "Load hangs with an ended context" && ctx.Err() != nil:
		m.mu.Unlock()
		<-m.end.Done()
		m.mu.Lock()
	case m.broken == "Load fails":
		return nil, errors.New("connection lost")
	case m.broken == "Load panics":
		panic("boom")
	case m.broken == "the second Load fails" && m.loads == 2:
		return nil, errors.New("connection lost")
	case m.broken == "the second Load finds nothing" && m.loads == 2:
		return nil, nil
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
	switch {
	case m.broken == "is slow":
		m.pause()
	case m.broken == "every second Load returns the first session":
		m.pause()
		if m.loads%2 == 0 {
			data = m.first
		}
	case m.broken == "Load is ahead":
		m.pause()
		t, err := oauth.UnmarshalToken(data)
		if err != nil {
			return nil, err
		}
		n, _ := strconv.Atoi(t.AccessToken)
		return session(strconv.Itoa(n + 5)), nil
	}
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
	m.pause()
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
	case "the expiry is a second late":
		own.Expiry = t.Expiry.Add(time.Second)
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
		<-m.end.Done()
	case "Save hangs with an ended context":
		if ctx.Err() != nil {
			<-m.end.Done()
		}
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
	if m.broken == "the next holder cannot save" && m.expired {
		return errors.New("disk full")
	}
	if n := len(t.AccessToken); n > 5 {
		m.note(fmt.Sprintf("Save of %d bytes", n))
	} else {
		m.note("Save " + t.AccessToken)
	}
	if m.first == nil {
		m.first = data
	}
	switch m.broken {
	case "is slow":
		m.pause()
	case "Save deletes first":
		m.data = nil
		m.pause()
	case "Save writes twice":
		half := own
		half.RefreshToken = ""
		if old, err := oauth.UnmarshalToken(m.data); err == nil {
			half.RefreshToken = old.RefreshToken
		}
		m.data, _ = oauth.MarshalToken(half.WithExtra(extrasWithout(t, "")))
		m.pause()
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
		m.data = data[:len(data)/2]
		m.pause()
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
	case "Lock panics":
		panic("boom")
	case "Lock hangs":
		<-m.end.Done()
		return nil, nil
	case "Lock hangs with an ended context":
		if ctx.Err() != nil {
			<-m.end.Done()
		}
	case "Lock with an ended context returns nothing":
		if ctx.Err() != nil {
			return nil, nil
		}
	case "Lock ignores its context":
		ctx = m.end
	case "Lock ends only with a deadline":
		deadline, ok := ctx.Deadline()
		ctx = m.end
		if ok {
			bounded, cancel := context.WithDeadline(ctx, deadline)
			defer cancel()
			ctx = bounded
		}
	}
	for {
		m.mu.Lock()
		if m.holder == 0 || m.broken == "Lock is per process" && m.lease == 0 || m.broken == "Lock does nothing later" && m.leases > 10 {
			m.leases++
			m.holder, m.lease, m.waiting = m.leases, m.leases, make(chan struct{})
			m.note("Lock")
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
			switch m.broken {
			case "Lock fails after a wait":
				return nil, errors.New("connection lost")
			case "Lock hangs after a wait":
				<-m.end.Done()
			}
		case <-ctx.Done():
			if m.broken == "Lock hides the error of its context" {
				return nil, errors.New("locked")
			}
			_, hasDeadline := ctx.Deadline()
			if m.broken == "canceled Lock takes the lock later" && !hasDeadline || m.broken == "Lock takes the lock after its deadline" && hasDeadline {
				go func() { _, _ = (&memory{storage: m.storage}).Lock(m.end) }()
			}
			return nil, ctx.Err()
		}
	}
}

func (m *memory) unlock(lease int) {
	switch m.broken {
	case "unlock does nothing":
		return
	case "unlock hangs":
		<-m.end.Done()
	case "unlock panics":
		panic("boom")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note("unlock")
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
	switch m.broken {
	case "Delete hangs":
		m.mu.Unlock()
		<-m.end.Done()
		m.mu.Lock()
	case "Delete panics":
		panic("boom")
	}
	if m.broken == "Delete fails on nothing" && len(m.data) == 0 {
		return errors.New("not found")
	}
	if m.holder != m.lease && m.broken != "late holder deletes" {
		return errors.New("the lock was lost")
	}
	m.note("Delete")
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
	m.note("expire")
	m.expired = true
	if m.broken != "killed holder keeps the lock" {
		close(m.waiting)
		m.holder = 0
	}
}

func corrupt(t *testing.T, s oauth.Store) {
	m := s.(*memory)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note("corrupt")
	m.data = m.data[:len(m.data)/2]
}

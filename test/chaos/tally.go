package chaos

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// A tally counts what happens. It is safe for concurrent use.
type tally struct {
	reads, writes, gets, posts atomic.Int64 // calls
	running                    atomic.Int64 // calls under way
	succeeded                  atomic.Int64
	attempts, sent             atomic.Int64 // by transport.Retry; on the wire, renewals included
	signatures                 atomic.Int64 // on the wire
	renewals, renewalErrors    atomic.Int64
	wrong, late                atomic.Int64
	longPauses                 atomic.Int64 // beyond maxPause
	foreignPauses              atomic.Int64 // that only another host can have asked for
	latest                     atomic.Int64 // how long after its end a call came back at most, in ns
	outcomes                   counts       // by client, and by how sessions are had
	failures                   counts       // by client and why
	answers                    counts       // that are not a success, by their error
	strayed                    sample       // of wrong responses
}

// lateness notes by how much a call outlived its context.
func (t *tally) lateness(by, slack time.Duration) {
	if by > slack {
		t.late.Add(1)
	}
	for {
		most := t.latest.Load()
		if int64(by) <= most || t.latest.CompareAndSwap(most, int64(by)) {
			return
		}
	}
}

// maxPause is the longest pause that a limiter takes if a server asks for one.
const maxPause = 10 * time.Minute

// longestWait is more than the API asks anyone to wait for but the victim.
const longestWait = time.Minute

// pause counts err, of a call of the victim or another user, if it is of a
// limiter that pauses for longer than promised, or because of another host.
func (t *tally) pause(err error, isVictim bool) {
	e, ok := errors.AsType[*ratelimit.LimitedError](err)
	if ok && e.Wait > maxPause {
		t.longPauses.Add(1)
	}
	if ok && e.Wait > longestWait && !isVictim {
		t.foreignPauses.Add(1)
	}
}

// failed counts an error of a call by a client, and how far the call got if its
// context ended.
func (t *tally) failed(client string, err error, at *stage) {
	why := reason(err)
	if why == contextEnded {
		why += " " + at.String()
	}
	t.failures.add(client + ": " + why)
}

const contextEnded = "context ended"

// reason returns what kind of failure err is.
func reason(err error) string {
	var final interface{ Terminal() bool }
	switch {
	case errors.Is(err, ratelimit.ErrLimited):
		return "rejected by our limiter"
	case errors.Is(err, transport.ErrBudget):
		return "retry budget spent"
	case isAPIError(err):
		return "API error"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return contextEnded
	case errors.As(err, &final) && final.Terminal():
		return "no session to be had"
	case errors.As(err, new(statusError)):
		return "HTTP status"
	}
	return "connection or response broken"
}

func isAPIError(err error) bool {
	_, ok := errors.AsType[*okerrors.Error](err)
	return ok
}

// counts are numbers by name. The zero counts are ready for use.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[string]int)
	}
	c.of[name]++
}

// all returns a copy.
func (c *counts) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.of)
}

// A sample keeps the first few of many texts.
type sample struct {
	mu    sync.Mutex
	texts []string
}

// sampled is how many texts a sample keeps.
const sampled = 10

func (s *sample) add(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.texts) < sampled {
		s.texts = append(s.texts, text)
	}
}

// all returns a copy.
func (s *sample) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.texts)
}

package okredis

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// scriptTimeout is after how long a script counts as an outage.
	scriptTimeout = 300 * time.Millisecond

	// probePause is the time between two tries to reach Redis in an outage.
	// go-redis dials for scriptTimeout. Once so many dials have failed as its
	// pool has connections, it dials once per second and fails at once in
	// between: so this is what comes on top of that second.
	probePause = 50 * time.Millisecond

	// returnPause is the pause after an outage. It is longer than the time
	// between two tries, so that all processes have left their shares.
	returnPause = 700 * time.Millisecond

	// seenEvery is how often a process reports that it uses a limit, and
	// seenFor after how long it no longer counts.
	seenEvery = time.Second
	seenFor   = 10 * time.Second

	// unknownProcesses is how many processes there are before the first contact.
	unknownProcesses = 10
)

//go:embed reserve.lua
var reserveLua string

//go:embed return.lua
var returnLua string

//go:embed members.lua
var membersLua string

var (
	reserveScript = redis.NewScript(reserveLua)
	returnScript  = redis.NewScript(returnLua)
	membersScript = redis.NewScript(membersLua)
)

// A server is what the limiters of this process share with each other: whether
// Redis can be reached, its clock, and the processes that use the same limits.
type server struct {
	client  redis.UniversalClient
	members string // the key of the set of processes
	id      string // of this process in it

	mu        sync.Mutex
	clock     clock
	excess    time.Duration // by how much responses are late lately
	processes int           // that use the limits, this one included
	rank      int           // of this process among them, from 0
	seen      time.Time
	down      time.Time // since when Redis is unavailable; zero: it is available
	probeAt   time.Time // when to try again
	probing   bool
}

func newServer(c redis.UniversalClient, members string) *server {
	if short, ok := c.(interface {
		WithTimeout(time.Duration) *redis.Client
	}); ok {
		// go-redis ends a command that waits for a response after ReadTimeout
		// (3 s), not with its context. A shorter timeout can be set on the Client.
		c = short.WithTimeout(scriptTimeout)
	}
	id := make([]byte, 8)
	rand.Read(id)
	now := time.Now()
	return &server{
		client:    c,
		members:   members,
		id:        hex.EncodeToString(id),
		clock:     clock{server: now.UnixMicro(), local: now},
		processes: unknownProcesses,
		rank:      int(binary.BigEndian.Uint64(id) % unknownProcesses),
	}
}

var errSlow = fmt.Errorf("no response within %v", scriptTimeout)

// run runs a script that returns integers. It returns when Redis has answered,
// or go-redis gives up, which may be later than scriptTimeout.
func (s *server) run(script *redis.Script, key string, args ...any) ([]int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), scriptTimeout)
	defer cancel()
	start := time.Now()
	reply, err := script.Run(ctx, s.client, []string{key}, args...).Int64Slice()
	if time.Since(start) >= scriptTimeout && (err == nil || errors.Is(err, context.DeadlineExceeded)) {
		return nil, errSlow
	}
	if err != nil {
		return nil, redisError(err)
	}
	return reply, nil
}

// isDown reports since when Redis is unavailable, and whether it is.
func (s *server) isDown() (since time.Time, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down, !s.down.IsZero()
}

// fail notes that Redis is unavailable. It reports whether that is news.
func (s *server) fail(now time.Time) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probing, s.probeAt = false, now.Add(probePause)
	if s.down.IsZero() {
		s.down, news = now, true
	}
	return news
}

// startProbe reports whether it is time to try to reach Redis. It must then be
// followed by fail or back.
func (s *server) startProbe(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probing || now.Before(s.probeAt) {
		return false
	}
	s.probing = true
	return true
}

// back notes that Redis is available again.
func (s *server) back() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probing, s.down = false, time.Time{}
}

// nextProbe returns when to try to reach Redis.
func (s *server) nextProbe(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probing { // another limiter of this process does
		return now.Add(scriptTimeout)
	}
	return s.probeAt
}

// at returns the time at which the server's clock showed now, in µs: between
// sent and arrived.
func (s *server) at(now int64, sent, arrived time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.clock.at(now, sent, arrived)
	s.excess = max(arrived.Sub(at), s.excess-s.excess/32)
	return at
}

// lead returns how far ahead slots must be, so that they are not lost because
// the response is late: 0, if responses are not late as a rule.
func (s *server) lead() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.excess < maxLate/2 {
		return 0
	}
	return min(s.excess, scriptTimeout)
}

// startReport reports whether it is time to report that this process uses the
// limits.
func (s *server) startReport(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.seen) < seenEvery {
		return false
	}
	s.seen = now
	return true
}

// report reports that this process uses the limits, and learns how many do.
func (s *server) report() error {
	reply, err := s.run(membersScript, s.members, s.id, seenFor.Milliseconds())
	if err != nil {
		return err
	}
	if len(reply) != 2 {
		return errReply
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes, s.rank = max(int(reply[0]), 1), int(reply[1])
	return nil
}

var errReply = errors.New("the script returned something else than expected")

// A share says when one process may make calls while Redis is unavailable: in
// each period at one moment, which differs from those of other processes.
type share struct {
	period, phase time.Duration
}

// share returns the share of this process. fixed is its part of the rate; zero
// means as large as that of the others.
func (s *server) share(fixed float64, interval time.Duration) share {
	s.mu.Lock()
	defer s.mu.Unlock()
	part := fixed
	if part == 0 {
		part = 1 / float64(s.processes)
	}
	period := float64(interval) / part
	return share{duration(period), duration(period * float64(s.rank) / float64(s.processes))}
}

// next returns the first moment of sh that is not before t. The clock of the
// server makes processes on different machines agree.
func (s *server) next(sh share, t time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	over := (time.Duration(s.clock.read(t))*time.Microsecond - sh.phase) % sh.period
	if over == 0 {
		return t
	}
	return t.Add(sh.period - over)
}

// A clock converts times of the server's clock to times of this process.
type clock struct {
	server int64     // µs
	local  time.Time // when the server's clock showed that
}

// maxDrift is how much faster than the server's clock that of this process may
// go: twice of what a clock is slewed by at most.
const maxDrift = 1000 // one in

// at returns when the server's clock showed now. That was between sent and
// arrived. The response that took the least time says most exactly when, so the
// conversion is kept until a response contradicts it: one that was faster, or
// one after the clock was set.
//
// If it counted from the arrival of each response instead, responses that took
// long by chance would delay their slots into those of other processes.
func (c *clock) at(now int64, sent, arrived time.Time) time.Time {
	at := c.local.Add(time.Duration(now-c.server) * time.Microsecond)
	at = at.Add(at.Sub(c.local) / maxDrift)
	if at.Before(sent) || at.After(arrived) {
		at = arrived
	}
	c.server, c.local = now, at
	return at
}

// read returns what the server's clock shows at t, in µs.
func (c *clock) read(t time.Time) int64 { return c.server + t.Sub(c.local).Microseconds() }

package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/transport"
)

// apiURL is where calls go.
const apiURL = "https://api.ok.ru/fb.do"

// A call is one call of a caller.
type call struct {
	number   int
	process  *process
	person   int
	method   string
	how      how
	size     int           // of the response
	deadline time.Duration // from the beginning
	cancel   time.Duration // likewise; 0: it is not cancelled
}

// how is how a call is made.
type how int

const (
	byGet how = iota
	byPost
	byCall // okru.Call
	hows   = iota
)

// newCall draws a call.
func (s *soak) newCall(rng *rand.Rand) *call {
	c := &call{
		process:  s.processes[rng.IntN(len(s.processes))],
		person:   rng.IntN(len(s.people)),
		method:   readMethod,
		how:      how(rng.IntN(hows)),
		size:     rng.IntN(6000),
		deadline: s.plan.deadline/16 + time.Duration(rng.Int64N(int64(s.plan.deadline))),
	}
	if rng.IntN(5) < 2 {
		c.method = writeMethod
	}
	if rng.IntN(20) == 0 {
		c.cancel = time.Duration(rng.Int64N(int64(c.deadline)))
	}
	c.number = s.ledger.open(c.method == writeMethod)
	return c
}

// params returns the parameters of c but for the method.
func (c *call) params() url.Values {
	return url.Values{"number": {strconv.Itoa(c.number)}, "size": {strconv.Itoa(c.size)}}
}

// make makes the call and judges what comes of it.
func (s *soak) make(c *call) error {
	s.count(c)
	defer s.tally.running.Add(-1)
	var attempts atomic.Int32
	var at stage
	ctx, cancel := context.WithTimeout(context.Background(), c.deadline)
	defer cancel()
	if c.cancel > 0 {
		defer time.AfterFunc(c.cancel, cancel).Stop()
	}
	late := s.lateness(ctx)
	ctx = s.session(ctx, c, &at)
	if s.weather.strikes(otherHost) {
		s.visit(ctx, c)
	}
	answer, err := s.send(c, transport.WithAttempts(ctx, &attempts))
	late()
	s.tally.attempts.Add(int64(attempts.Load()))
	s.outcome(c, err)
	if err != nil {
		s.tally.pause(err, s.isVictim(c.person))
		s.tally.failed(c.process.name, err, &at)
		s.witness.readError("call", err)
		return err
	}
	s.succeeded(c, answer)
	return nil
}

// lateness returns a function that notes how long ago ctx ended, if it did, by
// the time at which a goroutine that waits for nothing else learned of that: a
// busy machine is no fault of the client's.
func (s *soak) lateness(ctx context.Context) (note func()) {
	ended := make(chan time.Time, 1)
	stop := context.AfterFunc(ctx, func() { ended <- time.Now() })
	return func() {
		if now := time.Now(); !stop() {
			s.tally.lateness(now.Sub(<-ended), s.plan.slack)
		}
	}
}

func (s *soak) count(c *call) {
	s.tally.running.Add(1)
	verb, kind := &s.tally.posts, &s.tally.reads
	if c.how == byGet {
		verb = &s.tally.gets
	}
	if c.method == writeMethod {
		kind = &s.tally.writes
	}
	verb.Add(1)
	kind.Add(1)
}

// isVictim reports whether a person is the one who gets hugeWait. An Adaptive
// lets its calls wait for 10 minutes then, which is longer than the soak.
func (s *soak) isVictim(person int) bool { return person == len(s.people)-1 }

// outcome counts how c ended by what it went through.
func (s *soak) outcome(c *call, err error) {
	ended := ": succeeded"
	if err != nil {
		ended = ": failed"
	}
	if s.isVictim(c.person) {
		s.tally.outcomes.add("user who is asked to wait for centuries" + ended)
		return
	}
	s.tally.outcomes.add("client with " + c.process.name + ended)
	s.tally.outcomes.add("sessions by " + s.people[c.person].way.String() + ended)
}

// session returns ctx with the session of c, but for that of the first person,
// which the client has anyway.
func (s *soak) session(ctx context.Context, c *call, at *stage) context.Context {
	ctx = traced(ctx, &s.witness, at)
	if c.person > 0 {
		ctx = transport.WithTokenSource(ctx, c.process.sources[c.person])
	}
	if s.people[c.person].way == byHand {
		ctx = transport.WithCircuit(ctx, transport.ClientServer)
	}
	return ctx
}

// succeeded checks a response.
func (s *soak) succeeded(c *call, got echo) {
	s.tally.succeeded.Add(1)
	s.ledger.told(c.number)
	want := echo{c.number, s.people[c.person].ID(), c.method, strings.Repeat("x", c.size)}
	if got == want {
		return
	}
	s.tally.wrong.Add(1)
	s.tally.strayed.add(fmt.Sprintf("call %d of %s by user %s, size %d: answered call %d of %s by user %q, size %d",
		want.Number, want.Method, want.User, len(want.Filler), got.Number, got.Method, got.User, len(got.Filler)))
}

// send sends c in its way.
func (s *soak) send(c *call, ctx context.Context) (echo, error) {
	if c.how == byCall {
		return okru.Call[echo](ctx, c.process.client, c.method, c.params())
	}
	r, err := c.request(ctx)
	if err != nil {
		return echo{}, err
	}
	resp, err := c.process.client.Do(r)
	if err != nil {
		return echo{}, err
	}
	defer resp.Body.Close()
	s.witness.read("response", fmt.Sprintf("%+v %+v", resp.Header, resp.Request.URL))
	return decode(resp)
}

func (c *call) request(ctx context.Context) (*http.Request, error) {
	params := c.params()
	params.Set("method", c.method)
	if c.how == byGet {
		return http.NewRequestWithContext(ctx, http.MethodGet, apiURL+"?"+params.Encode(), nil)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, apiURL, strings.NewReader(params.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if err == nil && c.number%2 == 0 {
		r.Header.Set("Idempotency-Key", strconv.Itoa(c.number)) // net/http repeats such requests by itself
	}
	return r, err
}

// statusError is a response with an HTTP status that is not a success.
type statusError int

func (e statusError) Error() string { return "response with status " + strconv.Itoa(int(e)) }

func decode(resp *http.Response) (e echo, err error) {
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return e, err
	}
	if resp.StatusCode != http.StatusOK {
		return e, statusError(resp.StatusCode)
	}
	err = json.Unmarshal(text, &e)
	return e, err
}

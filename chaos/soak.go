package chaos

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/goleak"

	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// A plan is what a soak does.
type plan struct {
	seed     uint64
	length   time.Duration // of the trouble
	schedule []change
	callers  int
	people   int
	rate     float64 // calls per second that all callers make together; 0: a share of what the machine can do
	dir      string  // of session files

	deadline time.Duration // the longest that a call may take
	slack    time.Duration // what it may take beyond that
	recovery time.Duration // that it may take after the trouble until all is well
	patience time.Duration // with connections and goroutines that are about to end

	// Layers above the client's stack and below it, to break it by; nil: none.
	above, below transport.Middleware
}

// newPlan returns the plan for a soak of this length: what goes wrong follows
// from seed.
func newPlan(seed uint64, length time.Duration, dir string) plan {
	return plan{
		seed:     seed,
		length:   length,
		schedule: schedule(seed, length),
		callers:  2000,
		people:   4 * ways,
		dir:      dir,
		deadline: 8 * time.Second,
		slack:    30 * time.Second,
		recovery: 30 * time.Second,
		patience: 15 * time.Second,
	}
}

// A soak is one run.
type soak struct {
	plan      plan
	tally     tally
	weather   weather
	ledger    ledger
	witness   witness
	heap      heap
	service   *service
	proxy     *proxy
	people    []*person
	processes []*process
}

// run carries out a plan. The error says why it could not; what went wrong
// with okru is in the report.
func run(p plan) (*report, error) {
	before := goleak.IgnoreCurrent()
	s := &soak{plan: p}
	defer log.SetOutput(log.Writer())
	log.SetOutput(&s.witness) // where net/http says what it thinks of connections
	begin := time.Now()
	if err := s.setUp(); err != nil {
		s.tearDown()
		return nil, err
	}
	r := &report{soak: s}
	s.storm()
	r.unrecovered = s.recover()
	r.stuck = s.tally.running.Load()
	s.readObjects()
	r.openConnections = s.tearDown()
	r.leaked = settle(p.patience, func() error { return goleak.Find(before) })
	r.audit = s.ledger.audit()
	r.took = time.Since(begin)
	return r, nil
}

// setUp starts the server, the proxy and the clients, and signs everybody in.
func (s *soak) setUp() error {
	s.service = newService(&s.weather, &s.ledger, &s.witness)
	direct := s.service.Transport().(*http.Transport)
	s.proxy = newProxy(&s.weather, func(ctx context.Context) (net.Conn, error) {
		return direct.DialContext(ctx, "tcp", "api.ok.ru:443")
	})
	if err := s.proxy.open(); err != nil {
		return err
	}
	for n := range s.plan.people {
		s.people = append(s.people, newPerson(s.service, n))
	}
	for _, limiter := range limiters() {
		p, err := s.newProcess(s.network(direct), limiter)
		if err != nil {
			return err
		}
		s.processes = append(s.processes, p)
		if err := p.signIn(context.Background()); err != nil {
			return err
		}
	}
	if s.plan.rate == 0 {
		s.plan.rate = s.calibrate()
	}
	return nil
}

// maxConnections is how many connections a client has at a time. Without a
// bound, a busy machine would do nothing but shake hands.
const maxConnections = 64

// network returns a transport like direct, by way of the proxy.
func (s *soak) network(direct *http.Transport) *http.Transport {
	network := direct.Clone()
	network.DialContext = dialer{&s.weather, s.proxy}.DialContext
	network.MaxConnsPerHost = maxConnections
	network.TLSClientConfig.CurvePreferences = []tls.CurveID{tls.CurveP256} // the cheapest
	return network
}

// calibrate returns most of the calls per second that this machine is good for
// just now. If it were kept busy, every call would end by its deadline.
func (s *soak) calibrate() float64 {
	const callers, calls = 20, 5
	s.warmUp(callers, 2)
	begin := time.Now()
	s.warmUp(callers, calls)
	return min(max(20, callers*calls/time.Since(begin).Seconds()*0.7), 1000)
}

// warmUp lets so many callers make so many calls each, by the first client.
func (s *soak) warmUp(callers, calls int) {
	var all sync.WaitGroup
	for n := range callers {
		rng := rand.New(rand.NewPCG(s.plan.seed, uint64(n)))
		all.Go(func() {
			for range calls {
				c := s.newCall(rng)
				c.process, c.person, c.cancel = s.processes[0], n%len(s.people), 0
				_ = s.make(c)
			}
		})
	}
	await(&all, time.Duration(calls)*s.plan.deadline+s.plan.slack)
}

// storm lets everybody call while the schedule lasts, and waits for the last
// calls.
func (s *soak) storm() {
	ctx, cancel := context.WithTimeout(context.Background(), s.plan.length)
	defer cancel()
	var callers, others sync.WaitGroup
	others.Go(func() { s.watchHeap(ctx) })
	others.Go(func() { play(ctx, s.plan.schedule, s.apply) })
	for n := range s.plan.callers {
		callers.Go(func() { s.keepCalling(ctx, rand.New(rand.NewPCG(s.plan.seed, uint64(n)))) })
	}
	others.Wait()
	<-ctx.Done()
	s.calm()
	await(&callers, 2*s.plan.deadline+s.plan.slack)
}

// await waits for callers whose calls should end, and not for ever.
func await(callers *sync.WaitGroup, patience time.Duration) {
	ended := make(chan struct{})
	go func() {
		callers.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
	}
}

// keepCalling is a caller. He pauses between calls, so that all of them
// together call at the rate of the plan.
func (s *soak) keepCalling(ctx context.Context, rng *rand.Rand) {
	between := float64(s.plan.callers) / s.plan.rate * float64(time.Second)
	for sleep(ctx, time.Duration(rng.Float64()*2*between)) {
		_ = s.make(s.newCall(rng))
	}
}

// apply makes a change of the schedule happen.
func (s *soak) apply(c change) {
	switch c.kind {
	case restart:
		if c.ends {
			_ = s.proxy.reopen(5 * time.Second) // if it fails, nobody recovers
			return
		}
		s.weather.hits[restart].Add(1)
		s.proxy.shut()
	case limit:
		s.limit(c)
	case revocation, expiry, replacement:
		s.spoilSessions(c)
	default:
		s.weather.set(c.kind, c.odds)
		if !c.ends {
			s.provoke(c.kind)
		}
	}
}

// provoke brings about what k is about: new connections, or renewals. There
// are few of them otherwise.
func (s *soak) provoke(k kind) {
	switch k {
	case garbage, impostor, noName:
		s.proxy.cut()
	case slowRenewal, noRenewal, cutRenewal:
		s.spoilSessions(change{kind: expiry})
	}
}

// limit makes the server allow about half of what is asked for, to begin with.
func (s *soak) limit(c change) {
	if c.ends {
		s.service.Limit()
		return
	}
	s.weather.hits[limit].Add(1)
	s.service.Limit(
		oktest.Limit{PerSecond: s.plan.rate / 2, Burst: 20},
		oktest.Limit{PerSecond: s.plan.rate / float64(s.plan.people), Burst: 5, Per: oktest.PerUser, Status: 429, TellWait: true})
}

// spoilSessions ends the session of everybody at once, but for the eternal
// ones: nobody could renew them.
func (s *soak) spoilSessions(c change) {
	for _, p := range s.people {
		if !c.ends && p.way != byHand {
			s.service.spoil(c.kind, p.ID())
		}
	}
}

// calm ends all trouble.
func (s *soak) calm() {
	s.weather.calm()
	s.service.Limit()
	_ = s.proxy.reopen(5 * time.Second)
}

// recover calls on behalf of everybody, by every client, until that succeeds,
// and returns what did not. The retry budget is spent, limiters hold back,
// sessions are gone: none of that may last.
func (s *soak) recover() (unrecovered []string) {
	var waiting sync.WaitGroup
	var failures sample
	rng := rand.New(rand.NewPCG(s.plan.seed, 0))
	for i, p := range s.processes {
		for n := range s.people {
			c := s.newCall(rng)
			c.process, c.person, c.cancel, c.deadline = p, n, 0, s.plan.deadline
			waiting.Go(func() {
				if err := settle(s.plan.recovery, func() error { return s.again(*c) }); err != nil {
					failures.add(fmt.Sprintf("client %d, person %d: %v", i, n, err))
				}
			})
		}
	}
	await(&waiting, s.plan.recovery+2*s.plan.deadline+s.plan.slack)
	return failures.all()
}

// again makes a call like c, with a number of its own.
func (s *soak) again(c call) error {
	c.number = s.ledger.open(c.method == writeMethod)
	return s.make(&c)
}

// readObjects prints what holds secrets.
func (s *soak) readObjects() {
	for _, p := range s.processes {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			s.witness.read("client", fmt.Sprintf(verb, p.client.Transport))
			for _, ts := range p.sources {
				s.witness.read("source", fmt.Sprintf(verb, ts))
			}
		}
	}
}

// tearDown ends everything, and returns how many connections were open after
// all clients had closed theirs.
func (s *soak) tearDown() (open int) {
	for _, p := range s.processes {
		p.client.CloseIdleConnections()
	}
	_ = settle(s.plan.patience, func() error {
		if open = s.proxy.count(); open > 0 {
			for _, p := range s.processes {
				p.client.CloseIdleConnections() // a renewal may have ended meanwhile
			}
			return fmt.Errorf("%d connections are open", open)
		}
		return nil
	})
	s.proxy.close()
	s.service.Close()
	return open
}

// settle asks for up to patience until check is content, and returns its last
// error.
func settle(patience time.Duration, check func() error) error {
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := check()
		if err == nil || time.Since(begin) > patience {
			return err
		}
	}
}

package chaos

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.uber.org/goleak"
)

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
	pace      pace
}

// run carries out a plan. The error is why it could not; what went wrong
// with okru is in the report.
func run(p plan) (*report, error) {
	before := goleak.IgnoreCurrent()
	s := &soak{plan: p}
	defer log.SetOutput(log.Writer())
	log.SetOutput(&s.witness) // where net/http logs errors of connections
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

// setUp starts the server, the proxy and the clients, and signs all users in.
func (s *soak) setUp() error {
	s.service = newService(&s.weather, &s.ledger, &s.witness)
	direct := s.service.Transport().(*http.Transport)
	if s.plan.http2 {
		direct = s.service.HTTP2().(*http.Transport)
	}
	s.proxy = newProxy(&s.weather, func(ctx context.Context) (net.Conn, error) {
		return direct.DialContext(ctx, "tcp", "api.ok.ru:443")
	})
	if err := s.proxy.open(); err != nil {
		return err
	}
	for n := range s.plan.people {
		s.people = append(s.people, newPerson(s.service, n))
	}
	s.service.victim = s.people[len(s.people)-1].ID()
	limiters := limiters()
	for _, name := range slices.Sorted(maps.Keys(limiters)) { // in the same order for the same seed
		p, err := s.newProcess(s.network(direct), name, limiters[name])
		if err != nil {
			return err
		}
		s.processes = append(s.processes, p)
		if err := p.signIn(context.Background()); err != nil {
			return err
		}
	}
	s.warmUp(20, s.plan.trial)
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
	network.HTTP2 = &http.HTTP2Config{SendPingTimeout: time.Second, PingTimeout: time.Second} // finds half-open connections
	network.TLSClientConfig.CurvePreferences = []tls.CurveID{tls.CurveP256}                   // the cheapest
	return network
}

// storm lets all callers call while the schedule lasts, and waits for the last
// calls.
func (s *soak) storm() {
	ctx, cancel := context.WithTimeout(context.Background(), s.plan.length)
	defer cancel()
	var callers, others sync.WaitGroup
	others.Go(func() { s.pace.follow(ctx) })
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

// keepCalling is a caller. It pauses between calls, so that all of them
// together call at the pace of s. It tosses a coin for each turn, since the pace
// changes, and skips it while many calls are under way, which happens if a
// machine gets slower at once.
func (s *soak) keepCalling(ctx context.Context, rng *rand.Rand) {
	between := float64(s.plan.callers) / highestRate * float64(time.Second)
	for sleep(ctx, time.Duration(rng.Float64()*2*between)) {
		rate := s.pace.rate()
		if rng.Float64() < rate/highestRate && s.tally.running.Load() < int64(max(50, 2*rate)) {
			_ = s.make(s.newCall(rng))
		}
	}
}

// readObjects prints what contains secrets.
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
	_ = settle(s.plan.patience, func() error {
		for _, p := range s.processes { // each time: a renewal may have ended meanwhile
			p.client.CloseIdleConnections()
		}
		if open = s.proxy.count(); open > 0 {
			return fmt.Errorf("%d connections are open", open)
		}
		return nil
	})
	s.proxy.close()
	s.service.Close()
	return open
}

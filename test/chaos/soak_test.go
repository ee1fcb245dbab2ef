package chaos

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestSoak runs the stack through all kinds of trouble. In the environment,
//
//   - OKRU_SOAK=3m is for how long; OKRU_LONG=1 means 8 s, and the default is
//     5 s;
//   - OKRU_SOAK_HTTP2=1 makes the clients speak HTTP/2;
//   - OKRU_SOAK_SEED=7 repeats the schedule of a run;
//   - OKRU_SOAK_RESULTS=results.md writes the figures there.
func TestSoak(t *testing.T) {
	length, seed := lengthOf(t), seedOf(t)
	p := newPlan(seed, length, t.TempDir())
	p.http2 = os.Getenv("OKRU_SOAK_HTTP2") == "1"
	t.Logf("%v of trouble with OKRU_SOAK_SEED=%d, HTTP/2: %v", length, seed, p.http2)
	r, err := run(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r)
	for _, f := range r.findings() {
		if f.times > 0 {
			t.Errorf("%s: %d", f.what, f.times)
		}
		for _, how := range f.how {
			t.Log(how)
		}
	}
	if t.Failed() {
		for _, c := range p.schedule {
			t.Log(c)
		}
	}
	checkTrouble(t, r)
	if path := os.Getenv("OKRU_SOAK_RESULTS"); path != "" {
		if err := os.WriteFile(path, []byte(r.markdown(commandLine())), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// long is the length from which on a soak has enough calls in each kind of
// trouble to count them.
const long = time.Minute

// checkTrouble fails if a kind of trouble never happened in a long soak, or if
// too few calls of a client succeeded: a soak without trouble, or without
// calls that succeed, proves nothing.
func checkTrouble(t *testing.T, r *report) {
	if r.tally.succeeded.Load() == 0 {
		t.Error("no call succeeded")
	}
	if len(r.tally.failures.all()) == 0 {
		t.Error("no call failed")
	}
	report := t.Logf
	if r.plan.length >= long {
		report = t.Errorf
	}
	for k := range kind(kinds) {
		if r.weather.hits[k].Load() == 0 {
			report("never happened: %v", k)
		}
	}
	if r.pace.starved() {
		t.Logf("the machine was too busy for a verdict on how many calls succeed, at %.0f calls per second", r.pace.mean())
		report = t.Logf
	}
	checkShares(r, report)
}

// checkShares reports if too few calls of a client succeeded.
func checkShares(r *report, report func(string, ...any)) {
	shares := make(map[string]float64)
	for _, p := range r.processes {
		shares[p.name] = r.share(p)
		if shares[p.name] < leastShare {
			report("client with %s: %.2f of its calls succeeded, want %.2f", p.name, shares[p.name], leastShare)
		}
	}
	if least := leastAdaptive * shares["Bucket"]; shares["Adaptive"] < least {
		report("client with Adaptive: %.2f of its calls succeeded, want %.2f", shares["Adaptive"], least)
	}
}

const (
	// leastShare is the part of its calls that each client must get through
	// the trouble. The rest is what no client can save: writes that may have
	// run, calls while there is no session to be had, deadlines and
	// cancellations in the middle of a call.
	leastShare = 0.5

	// leastAdaptive is what an Adaptive must let succeed, as a part of what a
	// Bucket does.
	leastAdaptive = 0.8
)

func lengthOf(t *testing.T) time.Duration {
	text := os.Getenv("OKRU_SOAK")
	switch {
	case text == "" && os.Getenv("OKRU_LONG") == "1":
		return 8 * time.Second
	case text == "":
		return 5 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("OKRU_SOAK=%s is no duration", text)
	}
	return d
}

func seedOf(t *testing.T) uint64 {
	text := os.Getenv("OKRU_SOAK_SEED")
	if text == "" {
		return rand.Uint64N(1_000_000)
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("OKRU_SOAK_SEED=%s is no number", text)
	}
	return seed
}

func commandLine() string {
	command := "OKRU_SOAK=" + os.Getenv("OKRU_SOAK")
	if os.Getenv("OKRU_SOAK_HTTP2") == "1" {
		command += " OKRU_SOAK_HTTP2=1"
	}
	if raceEnabled {
		return command + " go test -race -run Soak -timeout 10m ."
	}
	return command + " go test -run Soak -timeout 10m ."
}

package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A report is what came of a soak.
type report struct {
	*soak
	audit           audit
	stuck           int64    // calls that never came back
	unrecovered     []string // users and clients that could not call after the trouble
	openConnections int      // on the server, after all clients had closed theirs
	leaked          error    // goroutines
	took            time.Duration
}

// A finding is one of the promises, and how often it was broken.
type finding struct {
	what  string
	times int
	how   []string // examples
}

// findings returns all promises. A good run has them at 0.
func (r *report) findings() []finding {
	return []finding{
		{"wrong responses", int(r.tally.wrong.Load()), r.tally.strayed.all()},
		{"writes lost", r.audit.lost, nil},
		{"writes duplicated", r.audit.duplicated, nil},
		{"calls back late", int(r.tally.late.Load()), nil},
		{"calls never back", int(r.stuck), nil},
		{"pauses beyond 10 minutes", int(r.tally.longPauses.Load()), nil},
		{"pauses because of another host", int(r.tally.foreignPauses.Load()), nil},
		{"sessions or clients that did not recover", len(r.unrecovered), r.unrecovered},
		{"connections left open", r.openConnections, nil},
		{"goroutines leaked", times(r.leaked != nil), texts(r.leaked)},
		{"heap growing", times(r.heap.grows()), nil},
		{"secrets in errors, logs and traces", int(r.witness.found.Load()), r.witness.leaks.all()},
	}
}

func times(broken bool) int {
	if broken {
		return 1
	}
	return 0
}

func texts(err error) []string {
	if err == nil {
		return nil
	}
	return []string{err.Error()}
}

// share returns the part of the calls of p that succeeded.
func (r *report) share(p *process) float64 {
	all := r.tally.outcomes.all()
	succeeded, failed := all["client with "+p.name+": succeeded"], all["client with "+p.name+": failed"]
	return float64(succeeded) / float64(max(succeeded+failed, 1))
}

// broken returns how often a promise was broken.
func (r *report) broken(what string) int {
	for _, f := range r.findings() {
		if f.what == what {
			return f.times
		}
	}
	panic("chaos: no such finding: " + what)
}

// A row is a line of a table.
type row struct {
	what string
	n    any
}

// tables returns all figures.
func (r *report) tables() []table {
	return []table{
		{"Must be 0", r.promises()},
		{"Part of the calls that succeeded", r.shares()},
		{"Calls", r.calls()},
		{"Calls by what they went through", rows(r.tally.outcomes.all())},
		{"Failures the caller saw", rows(r.tally.failures.all())},
		{"Responses of the server that are no success", rows(r.tally.answers.all())},
		{"Trouble", r.trouble()},
	}
}

type table struct {
	name string
	rows []row
}

func (r *report) promises() (list []row) {
	for _, f := range r.findings() {
		list = append(list, row{f.what, f.times})
	}
	return list
}

func (r *report) calls() []row {
	t := &r.tally
	calls := t.reads.Load() + t.writes.Load()
	first, last := r.heap.thirds()
	return []row{
		{"callers", r.plan.callers},
		{"users", r.plan.people},
		{"clients", len(r.processes)},
		{"calls asked for per second, mean", int(r.pace.mean())},
		{"calls", calls},
		{"reads", t.reads.Load()},
		{"writes", t.writes.Load()},
		{"by GET", t.gets.Load()},
		{"by POST", t.posts.Load()},
		{"succeeded", t.succeeded.Load()},
		{"attempts by Retry", t.attempts.Load()},
		{"requests on the wire, renewals included", t.sent.Load()},
		{"connections accepted by the server", r.service.Connections()},
		{"renewals of sessions", t.renewals.Load()},
		{"renewals that failed", t.renewalErrors.Load()},
		{"writes that ran", r.audit.ran},
		{"writes whose response the client got", r.audit.told},
		{"most that a call outlived its context by", time.Duration(t.latest.Load()).Round(time.Millisecond)},
		{"heap in use, first third", mebibytes(first)},
		{"heap in use, last third", mebibytes(last)},
		{"errors captured", r.witness.errors.Load()},
		{"texts searched for secrets", r.witness.texts.Load()},
		{"bytes searched", r.witness.bytes.Load()},
		{"signatures seen", t.signatures.Load()},
	}
}

func (r *report) shares() (list []row) {
	for _, p := range r.processes {
		list = append(list, row{"client with " + p.name, fmt.Sprintf("%.2f", r.share(p))})
	}
	return list
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func (r *report) trouble() (list []row) {
	for k := range kind(kinds) {
		list = append(list, row{k.String(), r.weather.hits[k].Load()})
	}
	return list
}

// rows returns counts as rows, sorted by name.
func rows(of map[string]int) (list []row) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		list = append(list, row{name, of[name]})
	}
	return list
}

// String returns the figures as text.
func (r *report) String() string {
	var b strings.Builder
	for _, t := range r.tables() {
		fmt.Fprintf(&b, "\n%s\n", t.name)
		for _, row := range t.rows {
			fmt.Fprintf(&b, "  %-48s %v\n", row.what, row.n)
		}
	}
	return b.String()
}

// protocol returns what the clients spoke.
func (r *report) protocol() string {
	if r.plan.http2 {
		return "HTTP/2"
	}
	return "HTTP/1.1"
}

// markdown returns the figures as a page.
func (r *report) markdown(command string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Results over %s\n\nMade by `%s`, seed %d, in %v.\n", r.protocol(), command, r.plan.seed, r.took.Round(time.Second))
	for _, t := range r.tables() {
		fmt.Fprintf(&b, "\n| %s | |\n|---|---:|\n", t.name)
		for _, row := range t.rows {
			fmt.Fprintf(&b, "| %s | %v |\n", row.what, row.n)
		}
	}
	return b.String()
}

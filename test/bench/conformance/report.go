package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/go-okru/okru/rttest"
)

// tables are the rules by subject, in an order that is read with ease.
var tables = []struct {
	title string
	rules []rttest.Clause
}{
	{"The request", []rttest.Clause{
		rttest.RequestUnchanged, rttest.RequestForwarded, rttest.RequestStreamed, rttest.CopyUnchanged,
		rttest.BodyClosed, rttest.BodyFresh, rttest.CopiesClosed, rttest.BodyDescribed, rttest.TrailerKept,
	}},
	{"The response", []rttest.Clause{
		rttest.Outcome, rttest.ResponseIntact, rttest.ResponseStreamed, rttest.ResponseClosed, rttest.ConnectionFreed, rttest.ResponseUpgraded, rttest.RedirectReturned,
	}},
	{"Errors and the context", []rttest.Clause{
		rttest.ErrorKept, rttest.TimeoutKept,
		rttest.ContextChecked, rttest.ContextEnds, rttest.ContextReaches, rttest.ContextLives,
	}},
	{"The program", []rttest.Clause{rttest.Concurrent, rttest.Goroutines, rttest.NoPanic}},
	{"Customs, which net/http does not ask for", []rttest.Clause{
		rttest.UninitializedRejected, rttest.BodyClosedOnce, rttest.ResponseDrained, rttest.ResponseRequest, rttest.IdleForwarded, rttest.NilHandled,
		rttest.ErrorBare, rttest.Unwraps,
	}},
}

const introduction = `# Who keeps the contract of http.RoundTripper

Written by ` + "`go -C test/bench run ./conformance`" + `, with %s. The rules, each with its reason and source, are those of
package [rttest](https://pkg.go.dev/github.com/go-okru/okru/rttest). A cell is about this set-up and this kit: “breaks” is a
rule broken in at least one case, and the note has the first of them; “n/a” is a rule that cannot apply, because the
RoundTripper sends each request once and drops no response. What a peer documents, its note says. Retries are set up as the
documentation of each peer advises. Our own layers come first; they were written against this kit, and the peers were not.

`

// report returns the tables as Markdown.
func report(results []result) string {
	w := &writer{results: results}
	fmt.Fprintf(w, introduction, runtime.Version())
	w.summary()
	fmt.Fprintf(w, "\n%s\n", w.sentence())
	for _, table := range tables {
		fmt.Fprintf(w, "\n## %s\n\n", table.title)
		w.table(table.rules)
	}
	fmt.Fprintf(w, "\n## Notes\n\n%s", strings.Join(w.notes, ""))
	return w.String()
}

// writer writes tables and keeps the notes for the end.
type writer struct {
	strings.Builder
	results []result
	notes   []string
}

func (w *writer) row(cells ...string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

func (w *writer) heading(cells ...string) {
	w.row(cells...)
	w.row(slices.Repeat([]string{"---"}, len(cells))...)
}

func (w *writer) summary() {
	w.heading("RoundTripper", "version", "set-up", "rules kept", "customs kept")
	for _, r := range w.results {
		if r.crash != "" {
			w.row(code(r.name), r.version(), r.setup, "?"+w.note(r.name+" crashes: "+oneLine(r.crash)), "?")
			continue
		}
		w.row(code(r.name), r.version(), r.setup, r.score(false), r.score(true))
	}
}

// sentence sums the tables up. README quotes it.
func (w *writer) sentence() string {
	others, breaking, fewest, most := 0, 0, len(rttest.Clauses()), 0
	for _, r := range w.results {
		kept, all := r.count(false)
		if r.module == "" || r.crash != "" { // ours, or nothing to count
			continue
		}
		if others++; kept < all {
			breaking, fewest, most = breaking+1, min(fewest, all-kept), max(most, all-kept)
		}
	}
	return fmt.Sprintf("Of %d other RoundTrippers, %d break %d to %d rules each.", others, breaking, fewest, most)
}

// score returns how many of the rules, or customs, that apply are kept.
func (r result) score(custom bool) string {
	kept, all := r.count(custom)
	return fmt.Sprintf("%d of %d", kept, all)
}

func (r result) count(custom bool) (kept, all int) {
	for _, c := range rttest.Clauses() {
		if c.Custom() != custom || r.verdict(c) == inapplicableCell {
			continue
		}
		all++
		if r.verdict(c) == keptCell {
			kept++
		}
	}
	return kept, all
}

const (
	keptCell         = "ok"
	brokenCell       = "**breaks**"
	inapplicableCell = "n/a"
	unknownCell      = "?"
)

// verdict returns the cell for c.
func (r result) verdict(c rttest.Clause) string {
	if r.crash != "" {
		return unknownCell
	}
	if _, broken := r.first(c); broken {
		return brokenCell
	}
	if _, ok := inapplicable[c]; ok && r.once {
		return inapplicableCell
	}
	return keptCell
}

func (w *writer) table(rules []rttest.Clause) {
	head := []string{"RoundTripper"}
	for _, c := range rules {
		head = append(head, string(c))
	}
	w.heading(head...)
	for _, r := range w.results {
		cells := []string{code(r.name)}
		for _, c := range rules {
			cells = append(cells, r.verdict(c)+w.noteOn(r, c))
		}
		w.row(cells...)
	}
}

// noteOn writes a note about the first violation of c, if there is one.
func (w *writer) noteOn(r result, c rttest.Clause) string {
	v, broken := r.first(c)
	if !broken {
		return ""
	}
	text := fmt.Sprintf("%s, %s: %s: %s", code(r.name), c, v.Case, v.Detail)
	if why, ok := r.documented[c]; ok {
		text += " (documented: " + why + ")"
	}
	return w.note(text)
}

// note writes a note and returns the reference to it.
func (w *writer) note(text string) string {
	mark := fmt.Sprintf("[^%d]", len(w.notes)+1)
	w.notes = append(w.notes, mark+": "+oneLine(text)+"\n")
	return mark
}

func code(text string) string { return "`" + text + "`" }

// oneLine makes text fit a line of Markdown.
func oneLine(text string) string {
	return strings.NewReplacer("\n", " ", "|", `\|`, "*", `\*`, "<", `\<`, "[", `\[`).Replace(text)
}

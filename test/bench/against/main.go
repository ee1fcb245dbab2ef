// Command against compares what calls cost in this tree with what they cost at
// another commit:
//
//	go -C test/bench run ./against 7ff1e39
//
// It builds one small program, worker, that has both, and lets the two take turns in
// rounds of a few milliseconds. Figures are CPU time, which does not grow while other
// programs have the processor. A ratio is the median of those of all rounds, in
// several layouts of the program: see build. Allocations are exact.
//
// It ends with status 1 if the ratio of a row exceeds -limit, or if a row allocates
// more. The rows that begin with "bare" do not run okru: their ratios show how far
// the others may be off.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// rows are what is measured. worker/rows has a call for each.
var rows = []struct{ name, what string }{
	{"bare-get", "bare client, GET"},
	{"bare-post", "bare client, POST of a form"},
	{"stack-get", "whole stack, GET"},
	{"stack-post", "whole stack, POST of a form"},
	{"stack-limit", "whole stack with `Bucket`, GET"},
	{"stack-error", "whole stack, API error"},
	{"renewal", "whole stack, rejected session, renewal, repeat"},
	{"call", "whole stack, `okru.Call`"},
	{"signer", "`transport.Signer`"},
	{"retry", "`transport.Retry`"},
	{"limit", "`ratelimit.Limit`, `Bucket`"},
	{"decode", "`okerrors.Decode`"},
}

func main() {
	total := flag.Duration("time", 40*time.Second, "how long all rounds take")
	limit := flag.Float64("limit", 1.05, "the largest ratio that is no failure")
	layouts := flag.Int("layouts", 8, "in how many random orders of functions the program is built")
	only := flag.String("rows", "", "measure only these rows, separated by commas")
	flag.Parse()
	if flag.NArg() != 1 || *layouts < 1 {
		fmt.Fprintln(os.Stderr, "usage: against [flags] commit")
		os.Exit(2)
	}
	slower, err := run(flag.Arg(0), *only, *total, *limit, *layouts)
	if err != nil {
		fmt.Fprintln(os.Stderr, "against:", err)
	}
	if err != nil || slower {
		os.Exit(1)
	}
}

func run(commit, only string, total time.Duration, limit float64, layouts int) (slower bool, err error) {
	duels, err := newDuels(only)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "against")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := prepare(dir, commit); err != nil {
		return false, err
	}
	for layout := 1; layout <= layouts; layout++ {
		worker, err := build(dir, layout)
		if err != nil {
			return false, err
		}
		for _, d := range duels {
			if err := measure(d, worker, total/time.Duration(layouts*len(duels))); err != nil {
				return false, err
			}
		}
	}
	fmt.Printf("| row | ns at %s | ns now | ratio | half of the rounds | allocations at %s | now | |\n|---|--:|--:|--:|--:|--:|--:|---|\n", commit, commit)
	for _, d := range duels {
		verdict := d.verdict(limit)
		slower = slower || verdict != ""
		fmt.Println(d.row(verdict))
	}
	return slower, nil
}

// newDuels returns the rows that are measured.
func newDuels(only string) ([]*duel, error) {
	var duels []*duel
	for _, row := range rows {
		if only == "" || strings.Contains(","+only+",", ","+row.name+",") {
			duels = append(duels, &duel{name: row.name, what: row.what})
		}
	}
	if len(duels) == 0 {
		return nil, fmt.Errorf("no row is named %s", only)
	}
	return duels, nil
}

// measure lets the worker make calls of one row for a while.
func measure(d *duel, worker string, during time.Duration) error {
	out, err := output("", worker, d.name, during.String())
	if err != nil {
		return err
	}
	first, rounds, _ := strings.Cut(out, "\n")
	if _, err := fmt.Sscan(first, &d.allocsBefore, &d.allocsNow); err != nil {
		return fmt.Errorf("%s: the worker printed %q: %w", d.name, first, err)
	}
	for line := range strings.Lines(rounds) {
		var before, now float64
		if _, err := fmt.Sscan(line, &before, &now); err != nil {
			return fmt.Errorf("%s: the worker printed %q: %w", d.name, line, err)
		}
		d.add(before, now)
	}
	return nil
}

// Command against compares what calls cost in this tree with what they cost at
// another commit:
//
//	go -C test/bench run ./against 7ff1e39
//
// It checks the commit out into a temporary directory, builds the same small
// program, worker, with both, and lets the two take turns in short rounds.
// Figures are CPU time. A ratio is the median of the ratios of neighboring
// rounds: on a busy machine that is more reliable than two figures measured one after
// the other. The ratio of the fastest tenths compares the rounds that other
// programs disturbed least. Allocations are exact.
//
// It ends with status 1 if both ratios of a row exceed -limit, or if a row
// allocates more. The rows that begin with "bare" do not run okru: their
// ratios show how far the others may be off.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// rows are what is measured. worker/rows.go has a call for each.
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
	only := flag.String("rows", "", "measure only these rows, separated by commas")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: against [flags] commit")
		os.Exit(2)
	}
	slower, err := run(flag.Arg(0), *only, *total, *limit)
	if err != nil {
		fmt.Fprintln(os.Stderr, "against:", err)
	}
	if err != nil || slower {
		os.Exit(1)
	}
}

func run(commit, only string, total time.Duration, limit float64) (slower bool, err error) {
	dir, err := os.MkdirTemp("", "against")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	before, now, err := startBoth(dir, commit)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, before.stop(), now.stop()) }()
	duels, err := newDuels(before, now, only)
	if err != nil {
		return false, err
	}
	start := time.Now()
	for cycle := 0; cycle < leastCycles || time.Since(start) < total; cycle++ {
		for _, d := range duels {
			if err := d.round(before, now); err != nil {
				return false, err
			}
		}
	}
	fmt.Printf("| row | ns at %s | ns now | ratio | half of the rounds | fastest tenths | allocations at %s | now | |\n|---|--:|--:|--:|--:|--:|--:|--:|---|\n", commit, commit)
	for _, d := range duels {
		verdict := d.verdict(limit)
		slower = slower || verdict != ""
		fmt.Println(d.row(verdict))
	}
	return slower, nil
}

// leastCycles is how many rounds each row has, however long they take.
const leastCycles = 15

// newDuels counts allocations, and finds how many calls a round has.
func newDuels(before, now *process, only string) ([]*duel, error) {
	var duels []*duel
	for _, row := range rows {
		if only != "" && !strings.Contains(","+only+",", ","+row.name+",") {
			continue
		}
		d := &duel{name: row.name, what: row.what}
		if err := d.prepare(before, now); err != nil {
			return nil, err
		}
		duels = append(duels, d)
	}
	if len(duels) == 0 {
		return nil, fmt.Errorf("no row is named %s", only)
	}
	return duels, nil
}

package main

import (
	"fmt"

	grow "github.com/go-okru/okru/test/bench/internal/growth"
	"github.com/go-okru/okru/test/bench/internal/report"
	"github.com/go-okru/okru/test/bench/internal/subject"
)

// growth is what becomes of costs when there is more of something.
type growth struct {
	crowds  []grow.Crowd
	keys    []grow.Keys
	answers []grow.Answer
}

// readers are whose allocations are measured over long responses.
var readers = []string{subject.Stack, subject.Usual, subject.RestyV3}

func measureGrowth(e effort) (*growth, error) {
	g := new(growth)
	var err error
	progress("growth: goroutines")
	if g.crowds, err = grow.Goroutines(e.goroutines, e.crowd); err != nil {
		return nil, err
	}
	progress("growth: keys")
	if g.keys, err = grow.KeyCounts(e.keys); err != nil {
		return nil, err
	}
	progress("growth: answers")
	g.answers, err = grow.Answers(e.answers, readers)
	return g, err
}

func (g *growth) goroutineTable() string {
	table := report.NewTable(1, "goroutines", "ns per call, bare", "whole stack", "× bare", "calls per second", "ns with `ratelimit.Bucket`")
	for _, c := range g.crowds {
		table.Add(report.Count(int64(c.Goroutines)), report.Number(c.Bare), report.Number(c.Stack), report.Number(c.Ratio),
			report.Number(c.CallsPerSecond()), report.Number(c.Limited))
	}
	return table.String()
}

func (g *growth) keyTable() string {
	table := report.NewTable(1, "keys", "`Keyed`, room for all", "bytes per key", "`Keyed`, room for 10,000", "map of `x/time/rate`", "bytes per key")
	for _, k := range g.keys {
		perKey := func(total uint64) string { return report.Count(int64(total) / int64(k.Count)) }
		size := func(total uint64) string { return report.Size(int64(total)) }
		table.Add(report.Count(int64(k.Count)), size(k.Keyed), perKey(k.Keyed), size(k.Bounded), size(k.Map), perKey(k.Map))
	}
	return table.String()
}

func (g *growth) answerTable() string {
	table := report.NewTable(1, append([]string{"response"}, readers...)...)
	for _, a := range g.answers {
		row := []string{report.Size(a.Size)}
		for _, c := range a.Costs {
			row = append(row, fmt.Sprintf("%s in %d", report.Size(c.Bytes), c.Allocs))
		}
		table.Add(row...)
	}
	return table.String()
}

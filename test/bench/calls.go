package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-okru/okru/test/bench/internal/report"
	"github.com/go-okru/okru/test/bench/internal/rounds"
	"github.com/go-okru/okru/test/bench/internal/subject"
)

// calls is what calls cost, in the order of the subjects.
type calls struct {
	subjects         []subject.Subject
	memory, loopback []rounds.Result
	secure           []rounds.Result // the whole stack by each of secureProtocols
	duels            duels
}

func measureCalls(e effort) (*calls, error) {
	c := &calls{subjects: subject.All()}
	var err error
	progress("calls in memory")
	if c.memory, err = againstBare(e.memory, c.subjects, subject.InMemory()); err != nil {
		return nil, err
	}
	progress("calls over loopback")
	if c.loopback, err = overLoopback(e.loopback, c.subjects); err != nil {
		return nil, err
	}
	progress("calls over TLS")
	if c.secure, err = overTLS(e.secure); err != nil {
		return nil, err
	}
	progress("calls, one against another")
	c.duels, err = measureDuels(e.duels)
	return c, err
}

func overLoopback(plan rounds.Plan, subjects []subject.Subject) ([]rounds.Result, error) {
	server := subject.Listen(subject.Plain)
	defer server.Close()
	return againstBare(plan, subjects, server.Target())
}

// secureProtocols are those over which the whole stack is measured as users call
// the API.
var secureProtocols = []subject.Protocol{subject.HTTP1S, subject.HTTP2}

// overTLS measures the whole stack against a bare client that sends the same,
// already signed bytes.
func overTLS(plan rounds.Plan) ([]rounds.Result, error) {
	var pairs []rounds.Pair
	for _, p := range secureProtocols {
		server := subject.Listen(p)
		defer server.Close()
		signed, err := subject.Signed(server.Target())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		bare, err := subject.Named(subject.Bare, signed)
		if err != nil {
			return nil, err
		}
		stack, err := subject.Named(subject.Stack, server.Target())
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, rounds.Pair{Subject: discarding(stack), Base: discarding(bare)})
	}
	return rounds.Measure(plan, pairs)
}

// secureTable is the whole stack over TLS.
func (c *calls) secureTable() string {
	table := report.NewTable(1, "whole stack, loopback", "µs bare", "µs", "× time", "half of the rounds", "× CPU, server's too")
	for i, r := range c.secure {
		table.Add(string(secureProtocols[i]), report.Number(r.BaseTime/1000), report.Number(r.Time/1000),
			fmt.Sprintf("%.3f", r.Ratio), fmt.Sprintf("%.2f to %.2f", r.Low, r.High), fmt.Sprintf("%.3f", r.CPU))
	}
	return table.String()
}

// againstBare measures each subject right after the bare client.
func againstBare(plan rounds.Plan, subjects []subject.Subject, t subject.Target) ([]rounds.Result, error) {
	bare, err := subject.Named(subject.Bare, t)
	if err != nil {
		return nil, err
	}
	pairs := make([]rounds.Pair, len(subjects))
	for i, s := range subjects {
		call, err := s.New(t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		pairs[i] = rounds.Pair{Subject: discarding(call), Base: discarding(bare)}
	}
	return rounds.Measure(plan, pairs)
}

func discarding(call subject.Call) func() error {
	return func() error { return call(io.Discard) }
}

// stack is the whole stack against a bare client, in memory: the figure of
// each table that has it.
func (c *calls) stack() rounds.Result {
	return c.memory[c.index(subject.Stack)]
}

func (c *calls) index(name string) int {
	return slices.IndexFunc(c.subjects, func(s subject.Subject) bool { return s.Name == name })
}

// sentence is the cost of the whole stack. README quotes it.
func (c *calls) sentence() string {
	m, l := c.stack(), c.loopback[c.index(subject.Stack)]
	return fmt.Sprintf("Without a network, a call through the whole stack takes %s ns and a call through a bare `http.Client` %s ns;\n"+
		"it makes %s more allocations. Over loopback it takes %s times as long.",
		report.Number(m.Time), report.Number(c.memory[c.index(subject.Bare)].Time), strings.TrimPrefix(extra(m), "+"), report.Number(l.Ratio))
}

// summary is the short table. docs/performance.md quotes it.
func (c *calls) summary() string {
	table := report.NewTable(2, "a call through", "does", "in memory", "allocations", "over loopback")
	for i, s := range c.subjects {
		switch m, l := c.memory[i], c.loopback[i]; {
		case s.Name == subject.Bare:
			table.Add(s.Name, "", report.Number(m.Time)+" ns", fmt.Sprint(m.Allocs), report.Number(l.Time/1000)+" µs")
		case s.Telling:
			table.Add(s.Name, s.Job.String(), times(m.Ratio), extra(m), times(l.Ratio))
		}
	}
	return table.String()
}

// extra writes the allocations above those of the bare client.
func extra(r rounds.Result) string { return fmt.Sprintf("%+g", r.Extra()) }

func (c *calls) table() string {
	table := report.NewTable(1, "a call through", "ns in memory", "× bare", "half of the rounds", "allocations",
		"µs over loopback", "× bare", "allocations, server's too")
	for i, s := range c.subjects {
		m, l := c.memory[i], c.loopback[i]
		table.Add(s.Name, report.Number(m.Time), report.Number(m.Ratio), fmt.Sprintf("%.2f to %.2f", m.Low, m.High), fmt.Sprint(m.Allocs),
			report.Number(l.Time/1000), report.Number(l.Ratio), fmt.Sprint(l.Allocs))
	}
	return table.String()
}

func (c *calls) chart() ([]byte, error) {
	chart := report.Chart{Title: "Cost of one call, in times a bare http.Client, without network"}
	for i, s := range c.subjects {
		if !s.Telling {
			continue
		}
		bar := report.Bar{Name: strings.ReplaceAll(s.Name, "`", ""), Times: c.memory[i].Ratio,
			Note: extra(c.memory[i]) + " allocations", Kind: report.OthersDoLess}
		switch {
		case s.Name == subject.Bare:
			bar.Times = 1
			bar.Note = fmt.Sprintf("%.0f ns, %g allocations", c.memory[i].Time, c.memory[i].Allocs)
		case s.Ours:
			bar.Kind = report.Ours
		case s.Job.Has(subject.Signs) || s.Job.Has(subject.SignsOAuth1):
			bar.Kind = report.OthersSign
		}
		chart.Bars = append(chart.Bars, bar)
	}
	return chart.SVG()
}

func times(x float64) string { return report.Number(x) + " ×" }

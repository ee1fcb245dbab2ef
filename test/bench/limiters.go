package main

import (
	"fmt"
	"math"

	"github.com/go-okru/okru/test/bench/internal/pace"
	"github.com/go-okru/okru/test/bench/internal/report"
)

// rates are in calls per second.
var rates = []float64{10, 100, 1000, 10_000, 100_000}

// limiters is what limiters let pass, in the order of rates, and cost.
type limiters struct {
	of    []pace.Limiter
	paces [][]pace.Pace
	costs []pace.Cost
}

func measureLimiters(e effort) *limiters {
	l := &limiters{of: pace.Limiters()}
	for _, limiter := range l.of {
		var paces []pace.Pace
		for _, perSecond := range rates {
			progress(fmt.Sprintf("limiters: %s at %v/s", limiter.Name, perSecond))
			paces = append(paces, pace.Keep(limiter, perSecond, e.pace))
		}
		l.paces = append(l.paces, paces)
	}
	progress("limiters: cost of a call that need not wait")
	l.costs = pace.Costs(l.of, e.cost)
	return l
}

func (l *limiters) achieved() string {
	return l.perRate(func(p pace.Pace) string { return fmt.Sprintf("%.1f %%", 100*p.Achieved) })
}

func (l *limiters) over() string {
	return l.perRate(func(p pace.Pace) string { return report.Number(math.Round(10*p.Over) / 10) })
}

func (l *limiters) perRate(cell func(pace.Pace) string) string {
	columns := []string{"limiter"}
	for _, perSecond := range rates {
		columns = append(columns, report.Count(int64(perSecond))+"/s")
	}
	table := report.NewTable(1, columns...)
	for i, limiter := range l.of {
		row := []string{limiter.Name}
		for _, p := range l.paces[i] {
			row = append(row, cell(p))
		}
		table.Add(row...)
	}
	return table.String()
}

func (l *limiters) cost() string {
	table := report.NewTable(1, "limiter", "ns alone", "allocations", fmt.Sprintf("ns among %s goroutines", report.Count(pace.Callers)), "allocations")
	for i, limiter := range l.of {
		c := l.costs[i]
		table.Add(limiter.Name, report.Number(c.Alone), fmt.Sprint(c.AloneAllocs), report.Number(c.Contended), fmt.Sprint(c.ContendedAllocs))
	}
	return table.String()
}

// off returns how far our limiter is off its rate at the worst, as a part of
// it, at rates up to 10,000/s.
func (l *limiters) off() float64 {
	off := 0.0
	for i, limiter := range l.of {
		for j, p := range l.paces[i] {
			if limiter.Ours && rates[j] <= 10_000 {
				off = max(off, math.Abs(p.Achieved-1))
			}
		}
	}
	return off
}

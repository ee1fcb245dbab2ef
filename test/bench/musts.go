package main

import (
	"fmt"

	"github.com/go-okru/okru/test/bench/internal/report"
	"github.com/go-okru/okru/test/bench/internal/rounds"
)

// A must is a figure with a bound that it has to keep, and one to aim at.
type must struct {
	what                 string
	measured, must, goal float64
	unit                 string
}

// musts are those of the sections that were measured.
func (r results) musts() []must {
	var all []must
	if r.calls != nil {
		all = append(all, r.calls.duels.musts(r.calls.stack())...)
		for i, s := range r.calls.secure {
			all = append(all, must{fmt.Sprintf("whole stack, %s, against the same bytes", secureProtocols[i]), s.Ratio, 1.10, 1.03, " ×"},
				must{"… CPU of the process", s.CPU, 1.10, 1.03, " ×"})
		}
	}
	if r.limiters != nil {
		all = append(all, must{"`Bucket`, 1,000 goroutines, 10 to 10,000/s: off its rate", 100 * r.limiters.off(), 1, 0.2, " %"})
	}
	return all
}

// musts are those of the duels, and of the whole stack against a bare client.
func (d duels) musts(stack rounds.Result) []must {
	return []must{
		{"sign a GET of 5 parameters: allocations", d.sign.Allocs, 3, 2, ""},
		{"… against MD5 and hex of the same bytes", d.sign.Ratio, 5, 3, " ×"},
		{"whole stack over a bare client: allocations", stack.Extra(), 6, 3, ""},
		{"whole stack against a bare client", stack.Ratio, 6, 4, " ×"},
		{"… against x/oauth2 + go-retryablehttp, which sign nothing", d.usual.Ratio, 1.4, 1, " ×"},
		{"… against these two with naive signing", d.usualSigned.Ratio, 0.3, 0.2, " ×"},
	}
}

func (m must) verdict() string {
	switch {
	case m.measured <= m.goal:
		return "goal met"
	case m.measured <= m.must:
		return "must met"
	}
	return "missed"
}

func mustTable(musts []must) string {
	table := report.NewTable(1, "figure", "measured", "must", "goal", "")
	for _, m := range musts {
		bound := func(x float64) string { return fmt.Sprintf("≤ %g%s", x, m.unit) }
		measured := report.Number(m.measured)
		if m.unit == "" {
			measured = fmt.Sprintf("%.3g", m.measured)
		}
		table.Add(m.what, measured+m.unit, bound(m.must), bound(m.goal), m.verdict())
	}
	return table.String()
}

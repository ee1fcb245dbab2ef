package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A duel is one row: the same calls by two commits, in turns.
type duel struct {
	name, what              string
	calls                   int // in a round
	allocsBefore, allocsNow float64
	before, now, ratios     []float64
}

// roundTime is about how long one side of a round takes. In a longer one,
// more would be interrupted by other programs.
const roundTime = 2 * time.Millisecond

func (d *duel) prepare(before, now *process) error {
	var err error
	if _, d.allocsBefore, err = before.measure(d.name, 0); err != nil {
		return err
	}
	if _, d.allocsNow, err = now.measure(d.name, 0); err != nil {
		return err
	}
	ns, _, err := before.measure(d.name, 500)
	d.calls = max(50, int(float64(roundTime)/ns))
	return err
}

// round measures both sides. The one that begins changes from round to round.
func (d *duel) round(before, now *process) error {
	first, second := before, now
	if len(d.ratios)%2 == 1 {
		first, second = now, before
	}
	a, _, err := first.measure(d.name, d.calls)
	if err != nil {
		return err
	}
	b, _, err := second.measure(d.name, d.calls)
	if err != nil {
		return err
	}
	if first == now {
		a, b = b, a
	}
	d.before, d.now, d.ratios = append(d.before, a), append(d.now, b), append(d.ratios, b/a)
	return nil
}

// isControl reports whether the row runs no code of okru.
func (d *duel) isControl() bool { return strings.HasPrefix(d.name, "bare") }

// verdict returns what is wrong with the row, or "".
func (d *duel) verdict(limit float64) string {
	switch {
	case d.isControl():
		return ""
	case d.allocsNow > d.allocsBefore:
		return "allocates more"
	case quantile(d.ratios, 50) > limit && d.fastest() > limit:
		return "slower"
	}
	return ""
}

func (d *duel) row(verdict string) string {
	return fmt.Sprintf("| %s | %.0f | %.0f | %.3f | %.2f to %.2f | %.3f | %g | %g | %s |", d.what, quantile(d.before, 50), quantile(d.now, 50),
		quantile(d.ratios, 50), quantile(d.ratios, 25), quantile(d.ratios, 75), d.fastest(), d.allocsBefore, d.allocsNow, verdict)
}

// fastest returns the ratio of the rounds that were disturbed least.
func (d *duel) fastest() float64 { return quantile(d.now, 10) / quantile(d.before, 10) }

// quantile returns the value that percent of the values do not exceed.
func quantile(values []float64, percent int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)*percent/100]
}

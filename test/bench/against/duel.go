package main

import (
	"fmt"
	"slices"
	"strings"
)

// A duel is one row: the same calls by two commits, in turns.
type duel struct {
	name, what              string
	allocsBefore, allocsNow float64
	before, now, ratios     []float64 // of the rounds
}

// add adds a round, in which a call took so many nanoseconds.
func (d *duel) add(before, now float64) {
	d.before, d.now, d.ratios = append(d.before, before), append(d.now, now), append(d.ratios, now/before)
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
	case quantile(d.ratios, 50) > limit:
		return "slower"
	}
	return ""
}

func (d *duel) row(verdict string) string {
	return fmt.Sprintf("| %s | %.0f | %.0f | %.3f | %.2f to %.2f | %g | %g | %s |", d.what, quantile(d.before, 50), quantile(d.now, 50),
		quantile(d.ratios, 50), quantile(d.ratios, 25), quantile(d.ratios, 75), d.allocsBefore, d.allocsNow, verdict)
}

// quantile returns the value that percent of the values do not exceed.
func quantile(values []float64, percent int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)*percent/100]
}

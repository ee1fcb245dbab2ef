// Package report writes results: tables in Markdown, and a chart.
package report

import (
	"fmt"
	"math"
	"strings"
)

// A Table is a table in Markdown.
type Table struct {
	texts int
	rows  [][]string
}

// NewTable returns a Table with these columns. The first so many of them are
// for text, the others for figures.
func NewTable(texts int, columns ...string) *Table {
	return &Table{texts: texts, rows: [][]string{columns}}
}

// Add adds a row. What it has too few of stays empty.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// String returns the table, padded so that it can be read as it is.
func (t *Table) String() string {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], 3, runes(cell))
		}
	}
	var text strings.Builder
	for i, row := range t.rows {
		t.writeRow(&text, row, widths)
		if i == 0 {
			t.writeRule(&text, widths)
		}
	}
	return strings.TrimSuffix(text.String(), "\n")
}

func runes(s string) int { return len([]rune(s)) }

func (t *Table) writeRow(text *strings.Builder, row []string, widths []int) {
	for i, width := range widths {
		cell := ""
		if i < len(row) {
			cell = row[i]
		}
		padding := strings.Repeat(" ", width-runes(cell))
		if i < t.texts {
			fmt.Fprintf(text, "| %s%s ", cell, padding)
		} else {
			fmt.Fprintf(text, "| %s%s ", padding, cell)
		}
	}
	text.WriteString("|\n")
}

func (t *Table) writeRule(text *strings.Builder, widths []int) {
	for i, width := range widths {
		dashes := strings.Repeat("-", width)
		if i < t.texts {
			fmt.Fprintf(text, "| %s ", dashes)
		} else {
			fmt.Fprintf(text, "| %s: ", dashes[1:])
		}
	}
	text.WriteString("|\n")
}

// Number writes x with three digits or all before the point, whichever are
// more, and a comma between thousands.
func Number(x float64) string {
	decimals := 0
	if a := math.Abs(x); a > 0 && a < 99.95 {
		decimals = min(3, max(0, 2-int(math.Floor(math.Log10(a)))))
	}
	return grouped(fmt.Sprintf("%.*f", decimals, x))
}

// Count writes a whole number with a comma between thousands.
func Count(n int64) string { return grouped(fmt.Sprint(n)) }

func grouped(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}

// Size writes a number of bytes in the largest unit that divides it, and
// otherwise in the largest that it fills.
func Size(bytes int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if bytes >= unit.size || bytes <= -unit.size {
			if bytes%unit.size == 0 {
				return Count(bytes/unit.size) + " " + unit.name
			}
			return Number(float64(bytes)/float64(unit.size)) + " " + unit.name
		}
	}
	return Count(bytes) + " B"
}

package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"
)

// A Chart is one of horizontal bars, as an SVG document. Its text is text, in
// whatever sans-serif font there is.
type Chart struct {
	Title string
	Bars  []Bar
}

// A Bar is one line of a chart.
type Bar struct {
	Name  string
	Times float64
	Note  string // beside the bar
	Kind  Kind
}

// A Kind of bars has a colour.
type Kind int

const (
	Ours         Kind = iota // okru
	OthersSign               // others that sign a call
	OthersDoLess             // others that do not
)

var kinds = [...]struct{ name, fill string }{
	Ours:         {"okru", "#ee8208"},
	OthersSign:   {"others that sign each call", "#6e7f91"},
	OthersDoLess: {"others that sign nothing", "#c3ccd5"},
}

//go:embed chart.svg.tmpl
var chartText string

var chartTemplate = template.Must(template.New("chart").Parse(chartText))

// Sizes that the template shares, in pixels.
const (
	origin     = 340.0 // where bars begin
	longest    = 270.0
	firstBar   = 78.0
	lineHeight = 27.0
)

// SVG draws the chart. The same chart gives the same document.
func (c Chart) SVG() ([]byte, error) {
	bottom := firstBar + lineHeight*float64(len(c.Bars))
	scale := longest / max(1, c.most())
	var svg bytes.Buffer
	err := chartTemplate.Execute(&svg, map[string]any{
		"Title":  c.Title,
		"Height": pixels(bottom + 12),
		"Bottom": pixels(bottom),
		"Unit":   pixels(origin + scale), // one time
		"Legend": legend(),
		"Bars":   c.lines(scale),
	})
	return svg.Bytes(), err
}

func (c Chart) most() float64 {
	most := 0.0
	for _, bar := range c.Bars {
		most = max(most, bar.Times)
	}
	return most
}

func (c Chart) lines(scale float64) []map[string]any {
	var lines []map[string]any
	for i, bar := range c.Bars {
		y, width := firstBar+lineHeight*float64(i), scale*bar.Times
		lines = append(lines, map[string]any{
			"Name": bar.Name, "Value": fmt.Sprintf("%.1f ×", bar.Times), "Note": bar.Note,
			"Fill": kinds[bar.Kind].fill, "Strong": bar.Kind == Ours,
			"Y": pixels(y), "TextY": pixels(y + 13.5), "Width": pixels(width), "End": pixels(origin + width + 8),
		})
	}
	return lines
}

func legend() []map[string]any {
	var entries []map[string]any
	x := 20
	for _, kind := range kinds {
		entries = append(entries, map[string]any{"Name": kind.name, "Fill": kind.fill, "X": x, "TextX": x + 18})
		x += 36 + 7*len(kind.name)
	}
	return entries
}

func pixels(x float64) string { return fmt.Sprintf("%.1f", x) }

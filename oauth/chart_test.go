package oauth_test

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

var update = flag.Bool("update", false, "draw the charts anew")

// heapChart is a chart of two curves. Sizes are pixels: the axes begin at 60,
// 260 and are 600 and 220 long.
var heapChart = template.Must(template.New("heap").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 310" width="720" height="310" font-family="Arial, Helvetica, sans-serif" font-size="12" fill="#24292f" role="img">
<title>{{.Title}}</title>
<rect width="720" height="310" rx="6" fill="#fff"/>
<text x="60" y="24" font-size="15" font-weight="bold">{{.Title}}</text>
{{- range .Lines}}
<path d="M60 {{.Y}}H660" stroke="#d8dee4"/><text x="52" y="{{.Y}}" dy="4" text-anchor="end" fill="#57606a">{{.Label}}</text>
{{- end}}
<path d="M360 40V260" stroke="#8c959f" stroke-dasharray="2 3"/>
<text x="60" y="280" fill="#57606a">first call of every user: a renewal</text>
<text x="368" y="280" fill="#57606a">second call: from memory or the store</text>
<polyline points="{{.Unbounded}}" fill="none" stroke="#6e7f91" stroke-width="2"/>
<polyline points="{{.Bounded}}" fill="none" stroke="#ee8208" stroke-width="2"/>
<text x="60" y="300"><tspan fill="#ee8208" font-weight="bold">Max {{.Max}}</tspan>, <tspan fill="#6e7f91" font-weight="bold">no bound</tspan>; MB of heap after a collection, 1,000 goroutines</text>
</svg>
`))

// drawHeap draws how the heap grew, with a bound of Sessions and without.
func drawHeap(users, bound int, bounded, unbounded []int64) []byte {
	most := 50.0 // MB; the next multiple of it that holds all
	for _, grown := range slices.Concat(bounded, unbounded) {
		for float64(grown)/1e6 > most {
			most += 50
		}
	}
	y := func(mb float64) string { return fmt.Sprintf("%.1f", 260-220*mb/most) }
	points := func(curve []int64) string {
		text := "60.0," + y(0)
		for i, grown := range curve {
			text += fmt.Sprintf(" %.1f,%s", 60+600*float64(i+1)/float64(len(curve)), y(float64(grown)/1e6))
		}
		return text
	}
	var lines []map[string]string
	for mb := 0.0; mb <= most; mb += most / 5 {
		lines = append(lines, map[string]string{"Y": y(mb), "Label": fmt.Sprintf("%.0f", mb)})
	}
	var svg bytes.Buffer
	err := heapChart.Execute(&svg, map[string]any{
		"Title": "Memory of oauth.Sessions, " + thousands(users) + " users", "Max": thousands(bound), "Lines": lines,
		"Bounded": points(bounded), "Unbounded": points(unbounded),
	})
	if err != nil {
		panic(err)
	}
	return svg.Bytes()
}

// thousands returns n, a multiple of 1,000, with a comma.
func thousands(n int) string { return strings.TrimSuffix(fmt.Sprint(n), "000") + ",000" }

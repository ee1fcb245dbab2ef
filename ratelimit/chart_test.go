package ratelimit_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

var update = flag.Bool("update", false, "draw the charts anew")

// The chart in the documentation is what the simulation gives today.
func TestAdaptiveChart(t *testing.T) {
	s := newBucketServer(50, 10)
	count := simulate(t, simulation{server: s, callers: 1, latency: 0, length: 120 * time.Second, seed: 1,
		onSecond: func(second int) {
			for at, limit := range map[int]rate.Limit{40: 20, 80: 100} {
				if second == at {
					s.SetLimitAt(time.Now(), limit)
				}
			}
		}})
	const file = "testdata/adaptive.svg"
	chart := drawChart(count)
	if *update {
		if err := os.WriteFile(file, chart, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(file)
	if err != nil || string(old) != string(chart) {
		t.Errorf("%s is not what the simulation gives; draw it by go test -run Chart -update (%v)", file, err)
	}
}

// drawChart draws accepted and throttled calls per second.
func drawChart(count outcomes) []byte {
	const width, height, top = 720.0, 240.0, 110.0
	x := func(second int) float64 { return 40 + width*float64(second)/float64(len(count)) }
	y := func(calls float64) float64 { return 10 + height*(1-calls/top) }
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%v" height="%v" font-family="sans-serif" font-size="11">`+"\n", width+60, height+40)
	svg += `<rect width="100%" height="100%" fill="#fff"/>` + "\n"
	for calls := 0.0; calls <= 100; calls += 20 {
		svg += fmt.Sprintf(`<path d="M40 %.1fH%v" stroke="#ddd"/><text x="10" y="%.1f">%v</text>`+"\n", y(calls), 40+width, y(calls)+4, calls)
	}
	svg += fmt.Sprintf(`<path d="M%.1f %.1fH%.1fV%.1fH%.1fV%.1fH%.1f" fill="none" stroke="#999" stroke-dasharray="4 3"/>`+"\n",
		x(0), y(50), x(40), y(20), x(80), y(100), x(len(count)))
	line := ""
	for second, c := range count {
		line += fmt.Sprintf("%.1f,%.1f ", x(second), y(float64(c.accepted)))
		if c.throttled > 0 {
			svg += fmt.Sprintf(`<path d="M%.1f %.1fV%.1f" stroke="#c33" stroke-width="3"/>`+"\n", x(second), y(0), y(float64(c.throttled)))
		}
	}
	svg += fmt.Sprintf(`<polyline points="%s" fill="none" stroke="#26c" stroke-width="1.5"/>`+"\n", line)
	svg += fmt.Sprintf(`<text x="40" y="%v">seconds 0 to %d; calls per second: accepted (blue), throttled (red), allowed (dashed)</text>`+"\n</svg>\n", height+30, len(count))
	return []byte(svg)
}

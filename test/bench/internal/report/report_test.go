package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-okru/okru/test/bench/internal/report"
)

func TestTable(t *testing.T) {
	table := report.NewTable(1, "what", "× bare", "goal")
	table.Add("short", "1")
	table.Add("something longer", "2.5", "met")
	const want = `| what             | × bare | goal |
| ---------------- | -----: | ---: |
| short            |      1 |      |
| something longer |    2.5 |  met |`
	if got := table.String(); got != want {
		t.Errorf("table\n%s\nwant\n%s", got, want)
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.004: "0.004", 0.123456: "0.123", 1: "1.00", 2.345: "2.35", 12.34: "12.3", 99.9: "99.9", 123.4: "123",
		1234567: "1,234,567", -4321: "-4,321", -0.5: "-0.500",
	} {
		if got := report.Number(x); got != want {
			t.Errorf("Number(%v) = %q, want %q", x, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -12: "-12"} {
		if got := report.Count(n); got != want {
			t.Errorf("Count(%v) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 64: "64 B", 64 << 10: "64 KiB", 1 << 20: "1 MiB", 1536: "1.50 KiB", -2048: "-2 KiB"} {
		if got := report.Size(n); got != want {
			t.Errorf("Size(%v) = %q, want %q", n, got, want)
		}
	}
}

func TestChart(t *testing.T) {
	chart := report.Chart{Title: "Title", Bars: []report.Bar{
		{Name: "one & only", Times: 1, Note: "5 allocations", Kind: report.Ours},
		{Name: "the other", Times: 12.5, Note: "+7", Kind: report.OthersDoLess},
	}}
	svg, err := chart.SVG()
	if err != nil {
		t.Fatal(err)
	}
	wantXML(t, svg)
	for _, text := range []string{"Title", "one &amp; only", "the other", "1.0 ×", "12.5 ×", "5 allocations", "sans-serif"} {
		if !strings.Contains(string(svg), text) {
			t.Errorf("the chart has no %q", text)
		}
	}
	again, err := chart.SVG()
	if err != nil || !bytes.Equal(svg, again) {
		t.Errorf("the same bars make another chart: %v", err)
	}
}

// Bars are as long as their figures, and end within the picture.
func TestChartKeepsProportions(t *testing.T) {
	svg, err := report.Chart{Bars: []report.Bar{{Times: 1}, {Times: 4}}}.SVG()
	if err != nil {
		t.Fatal(err)
	}
	for _, bar := range []string{`width="67.5" height="18"`, `width="270.0" height="18"`} {
		if strings.Count(string(svg), bar) != 1 {
			t.Errorf("no bar has %s in\n%s", bar, svg)
		}
	}
}

func wantXML(t *testing.T, doc []byte) {
	t.Helper()
	for decoder := xml.NewDecoder(bytes.NewReader(doc)); ; {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the chart is no XML: %v", err)
		}
	}
}

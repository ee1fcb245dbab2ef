// Bench measures what calls through okru cost, beside a bare http.Client and
// beside what programs use today, and how its limits behave. It prints tables
// in Markdown, and writes them and a chart into a folder:
//
//	go -C test/bench run .
//
// A complete run into the folder results also updates what README.md and
// docs/performance.md quote.
//
// See the README beside it for how it measures.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	only := flag.String("only", strings.Join(sections, ","), "measure only these `sections`; the others will be missing from the files")
	quick := flag.Bool("quick", false, "measure for seconds instead of minutes, to see that everything works; the figures mean little")
	out := flag.String("out", defaultOut, "`folder` for the files")
	flag.Parse()
	if err := run(*only, *quick, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// defaultOut is where the results are that the pages of the project quote.
const defaultOut = "results"

// sections are the parts that -only can choose.
var sections = []string{"calls", "limiters", "growth"}

func run(only string, quick bool, out string) error {
	chosen := strings.Split(only, ",")
	for _, name := range chosen {
		if !slices.Contains(sections, name) {
			return fmt.Errorf("-only has %q; choose from %s", name, strings.Join(sections, ","))
		}
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	effort := full
	if quick {
		effort = short
	}
	r, err := measure(chosen, effort)
	if err != nil {
		return err
	}
	text := r.markdown(command(only, quick), quick)
	fmt.Print(text)
	if err := r.write(out, text); err != nil {
		return err
	}
	if quick || out != defaultOut || only != strings.Join(sections, ",") {
		return nil
	}
	return updatePages(text)
}

// results are what was measured; a section that was not is nil.
type results struct {
	calls    *calls
	limiters *limiters
	growth   *growth
}

func measure(chosen []string, e effort) (r results, err error) {
	if slices.Contains(chosen, "calls") {
		if r.calls, err = measureCalls(e); err != nil {
			return r, fmt.Errorf("calls: %w", err)
		}
	}
	if slices.Contains(chosen, "limiters") {
		r.limiters = measureLimiters(e)
	}
	if slices.Contains(chosen, "growth") {
		if r.growth, err = measureGrowth(e); err != nil {
			return r, fmt.Errorf("growth: %w", err)
		}
	}
	return r, nil
}

// write writes the files.
func (r results) write(folder, text string) error {
	if r.calls != nil {
		svg, err := r.calls.chart()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, "calls.svg"), svg, 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "results.md"), []byte(text), 0o666)
}

// progress prints what the program does.
func progress(what string) { fmt.Fprintln(os.Stderr, "bench:", what) }

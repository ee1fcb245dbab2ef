package docs

import (
	"errors"
	"fmt"
	"go/format"
	"strings"
	"testing"
)

// Every Go snippet of the pages compiles, runs, and prints what its page says.
func TestSnippets(t *testing.T) {
	var blocks []block
	for _, page := range pages(t) {
		blocks = append(blocks, read(t, page)...)
	}
	n, err := check(t, blocks)
	if err != nil {
		t.Error(err)
	}
	if n < 2 {
		t.Errorf("the pages have %d snippets", n)
	}
}

// check runs the Go snippets among blocks. It returns how many there are, and
// what is wrong with them.
func check(t *testing.T, blocks []block) (int, error) {
	t.Helper()
	snippets, faults := snippetsOf(t, blocks)
	var inOne []snippet
	for _, s := range snippets {
		switch s.kind {
		case statements:
			inOne = append(inOne, s)
		case tests:
			_, err := runTests(t, s)
			faults = append(faults, at(s.block, err))
		case program:
			out, err := runProgram(t, s, false)
			faults = append(faults, at(s.block, err), compare(s, out, err))
			_, err = runProgram(t, s, true)
			faults = append(faults, at(s.block, err))
		}
	}
	if len(inOne) > 0 {
		results, err := runStatements(t, inOne)
		faults = append(faults, err)
		for i, r := range results {
			if r.Err != "" {
				faults = append(faults, at(inOne[i].block, errors.New(r.Err)))
			}
			faults = append(faults, compare(inOne[i], r.Output, nil))
		}
	}
	return len(snippets), errors.Join(faults...)
}

// snippetsOf returns the Go snippets among blocks, and what is wrong with
// others.
func snippetsOf(t *testing.T, blocks []block) (snippets []snippet, faults []error) {
	t.Helper()
	imports := knownImports(t)
	for _, b := range blocks {
		switch {
		case b.info == "go":
			s, err := toSnippet(b, imports)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			if formatted, err := format.Source([]byte(b.text)); err == nil && string(formatted) != b.text {
				faults = append(faults, at(b, fmt.Errorf("gofmt would write\n%s", formatted)))
			}
			snippets = append(snippets, s)
		case b.info == "text output" && len(snippets) > 0:
			snippets[len(snippets)-1].output = b.text
		case b.with != "":
			faults = append(faults, at(b, errors.New("a comment for a snippet that is none")))
		}
	}
	return snippets, faults
}

// compare returns an error if s prints something else than its page says.
func compare(s snippet, got string, err error) error {
	if err != nil || s.output == "" || strings.TrimSpace(got) == strings.TrimSpace(s.output) {
		return nil
	}
	return at(s.block, fmt.Errorf("prints\n%s\nand the page says\n%s", got, s.output))
}

func at(b block, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s:%d: %w", b.page, b.line, err)
}

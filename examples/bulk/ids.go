package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// readIDs returns the ids in a file, or those of the service if none is named.
func readIDs(name string, known []string) ([]string, error) {
	switch {
	case name == "" && known == nil:
		return nil, errors.New("whom to ask for? Name a file with -ids, or - for standard input")
	case name == "":
		return known, nil
	case name == "-":
		return parseIDs(os.Stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseIDs(f)
}

// parseIDs reads one id per line. It leaves out blank lines and ids that came
// before: asking again costs quota. It rejects what is not an id, since OK would
// reject the whole chunk that has it.
func parseIDs(r io.Reader) (ids []string, err error) {
	seen := make(map[uint64]bool)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		id, err := strconv.ParseUint(line, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("line %d of the ids: %q is no user id, which is a number", n, line)
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, line)
		}
	}
	return ids, lines.Err()
}

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseIDs(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"lines":   {"1\n2\n3\n", []string{"1", "2", "3"}, ""},
		"spaces":  {" 1\r\n\n\t2", []string{"1", "2"}, ""},
		"twice":   {"1\n2\n1\n", []string{"1", "2"}, ""},
		"nothing": {"", nil, ""},
		"a name":  {"1\nalice\n", nil, `line 2 of the ids: "alice" is no user id`},
		"a list":  {"1,2\n", nil, `line 1 of the ids: "1,2"`},
	} {
		t.Run(name, func(t *testing.T) {
			ids, err := parseIDs(strings.NewReader(test.text))
			if !slices.Equal(ids, test.want) || (err == nil) != (test.err == "") {
				t.Fatalf("got %q, %v", ids, err)
			}
			if err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %v, want %s", err, test.err)
			}
		})
	}
}

func TestReadIDs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ids")
	if err := os.WriteFile(file, []byte("7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if ids, err := readIDs(file, residents(3)); err != nil || !slices.Equal(ids, []string{"7"}) {
		t.Errorf("from a file: %q, %v", ids, err)
	}
	if ids, err := readIDs("", residents(3)); err != nil || len(ids) != 3 {
		t.Errorf("from the service: %q, %v", ids, err)
	}
	if _, err := readIDs("", nil); err == nil || !strings.Contains(err.Error(), "-ids") {
		t.Errorf("from nowhere: %v", err)
	}
	if _, err := readIDs(file+"?", nil); err == nil {
		t.Error("a file that is not there is no error")
	}
}

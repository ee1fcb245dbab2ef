package main

import "testing"

func TestEveryRowWorks(t *testing.T) {
	rows, err := newRows()
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range rows {
		for range 3 {
			if err := call(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, _, err := measure(rows["none"], 1); err == nil {
		t.Error("no error for an unknown row")
	}
}

package main

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

const original = `package sample

import "errors"

type T struct {
	A int ` + "`json:\"a\"`" + `
}

var limit = 10

func f(a, b int, err error) (int, error) {
	if a < b && err != nil {
		return 0, err
	}
	for a > 1.5 {
		a--
	}
	x := "text"
	x = x + ""
	defer g(true)
	switch {
	case a == b:
		g(false)
		break
	}
	if err != nil {
		return 77, err
	}
	y := make([]int, 8, 78)
	if b == 9 {
		return 6, err
	}
	return a, errors.New("wrong")
}
`

func TestMutationsOfASample(t *testing.T) {
	found, err := mutations("sample.go", []byte(original))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range found {
		got = append(got, m.kind+": "+original[m.start:m.end]+" -> "+m.text)
	}
	for _, want := range []string{
		"change constant: 10 -> 11",
		"negate condition: a < b && err != nil -> !(a < b && err != nil)",
		"swap operator: && -> ||",
		"swap operator: < -> <=",
		"swap operator: != -> ==",
		"forget error: err -> nil",
		"negate condition: a > 1.5 -> !(a > 1.5)",
		"change constant: 1.5 -> (1.5*2+1)",
		"drop statement: a-- -> ",
		`empty string: "text" -> ""`,
		`drop statement: x = x + "" -> `,
		"swap operator: + -> -",
		"drop statement: defer g(true) -> ",
		"flip constant: true -> false",
		"flip constant: false -> true",
		"drop statement: g(false) -> ",
		"drop statement: break -> ",
		`empty string: "wrong" -> ""`,
		"change constant: 8 -> 9",
		"change constant: 6 -> 7",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, s := range got {
		if strings.Contains(s, "errors\"") || strings.Contains(s, "json") || strings.Contains(s, "x :=") || strings.Contains(s, ": 7") {
			t.Errorf("%q must not be changed", s)
		}
	}
}

// What a mutation leaves is Go, whether it compiles or not.
func TestMutantsParse(t *testing.T) {
	found, err := mutations("sample.go", []byte(original))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range found {
		if _, err := parser.ParseFile(token.NewFileSet(), "", m.apply([]byte(original)), 0); err != nil {
			t.Errorf("%s at line %d: %v", m.kind, m.line, err)
		}
		if diff := m.diff([]byte(original)); !strings.Contains(diff, "\t- ") || !strings.Contains(diff, "\t+ ") {
			t.Errorf("%s at line %d: diff %q", m.kind, m.line, diff)
		}
	}
}

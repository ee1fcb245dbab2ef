package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-okru/okru/rttest"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(subjectVariable); name != "" {
		answerParent(name)
		return
	}
	os.Exit(m.Run())
}

// judged are our layers and the peers of knownToBreak: to judge all peers, as
// the program does, takes three times as long.
var judged = sync.OnceValue(func() map[string]result {
	var list []subject
	for _, s := range subjects() {
		if _, known := knownToBreak[s.name]; known || s.module == "" {
			list = append(list, s)
		}
	}
	byName := make(map[string]result)
	for _, r := range runAll(context.Background(), list, 5*time.Minute) {
		byName[r.name] = r
	}
	return byName
})

// knownToBreak is what these peers break by their source.
var knownToBreak = map[string][]rttest.Clause{
	"retryablehttp.RoundTripper": { // a copy that shares what it sets, and an http.Client inside
		rttest.RequestUnchanged, rttest.BodyClosed, rttest.RedirectReturned, rttest.IdleForwarded, rttest.Unwraps,
	},
	"oauth2.Transport": {rttest.ResponseRequest, rttest.IdleForwarded, rttest.Unwraps}, // a clone, and no more methods
}

func TestOursKeepEveryRule(t *testing.T) {
	for _, s := range ours() {
		r := judged()[s.name]
		if r.crash != "" {
			t.Errorf("%s: %s", s.name, r.crash)
		}
		for _, v := range r.violations {
			t.Errorf("%s: %s", s.name, v)
		}
	}
}

// TestPeersAreFound proves that the tables are not empty.
func TestPeersAreFound(t *testing.T) {
	for name, want := range knownToBreak {
		r := judged()[name]
		if r.crash != "" {
			t.Errorf("%s: %s", name, r.crash)
			continue
		}
		for _, c := range want {
			if _, broken := r.first(c); !broken {
				t.Errorf("%s: %q is not reported as broken", name, c)
			}
		}
	}
	if r := judged()["oauth2.Transport"]; len(r.violations) > 0 {
		if _, broken := r.first(rttest.RequestUnchanged); broken {
			t.Error("oauth2.Transport, which sends a clone, is said to change the request")
		}
	}
}

func TestReport(t *testing.T) {
	text := report([]result{
		{subject: subject{name: "broken", module: "example.org/broken", once: true, documented: map[rttest.Clause]string{rttest.Unwraps: "in its README"}},
			violations: []rttest.Violation{{Clause: rttest.Unwraps, Case: "no request", Detail: "a | b"}, {Clause: rttest.NoPanic, Case: "no request", Detail: "panic"}}},
		{subject: subject{name: "kept", module: "example.org/kept"}},
		{subject: subject{name: "ours"}, violations: []rttest.Violation{{Clause: rttest.NoPanic}}},
		{subject: subject{name: "crashed"}, crash: "panic: no"},
	})
	for _, want := range []string{
		"| `broken` | unknown |  | 22 of 23 | 6 of 7 |",
		"\nOf 2 other RoundTrippers, 1 break 1 to 1 rules each.\n",
		"| `crashed` | this tree |  | ?[^1] | ? |",
		"| `broken` | ok | ok | n/a | ok | ok | ok | ok | **breaks**[^4] |",
		"[^1]: crashed crashes: panic: no\n",
		`[^4]: ` + "`broken`" + `, unwraps: no request: a \| b (documented: in its README)`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the report:\n%s", want, text)
		}
	}
}

func TestTablesHaveEveryRule(t *testing.T) {
	var inTables []rttest.Clause
	for _, table := range tables {
		inTables = append(inTables, table.rules...)
	}
	if !slices.Equal(inTables, rttest.Clauses()) {
		t.Errorf("the tables have %q, want %q", inTables, rttest.Clauses())
	}
}

func TestCrashIsTold(t *testing.T) {
	r := run(t.Context(), subject{name: "no such subject"})
	if !strings.Contains(r.crash, "no subject") {
		t.Errorf("crash: %q", r.crash)
	}
}

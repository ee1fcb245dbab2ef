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

var all = sync.OnceValue(func() map[string]result {
	byName := make(map[string]result)
	for _, r := range runAll(context.Background(), subjects(), 5*time.Minute) {
		byName[r.name] = r
	}
	return byName
})

func TestOursKeepEveryRule(t *testing.T) {
	for _, s := range ours() {
		r := all()[s.name]
		if r.crash != "" {
			t.Errorf("%s: %s", s.name, r.crash)
		}
		for _, v := range r.violations {
			t.Errorf("%s: %s", s.name, v)
		}
	}
}

// TestPeersAreFound proves that the tables say something, by what is known
// from reading the peers.
func TestPeersAreFound(t *testing.T) {
	for name, want := range map[string][]rttest.Clause{
		"retryablehttp.RoundTripper": { // a copy that shares what it sets, and an http.Client inside
			rttest.RequestUnchanged, rttest.BodyClosed, rttest.RedirectReturned, rttest.IdleForwarded, rttest.Unwraps,
		},
		"oauth2.Transport": {rttest.AnswerRequest, rttest.IdleForwarded, rttest.Unwraps}, // a clone, and no more methods
	} {
		r := all()[name]
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
	if r := all()["oauth2.Transport"]; len(r.violations) > 0 {
		if _, broken := r.first(rttest.RequestUnchanged); broken {
			t.Error("oauth2.Transport, which sends a clone, is said to change the request")
		}
	}
}

func TestReport(t *testing.T) {
	text := report([]result{
		{subject: subject{name: "broken", once: true, documented: map[rttest.Clause]string{rttest.Unwraps: "in its README"}},
			violations: []rttest.Violation{{Clause: rttest.Unwraps, Case: "no request", Detail: "a | b"}}},
		{subject: subject{name: "crashed"}, crash: "panic: no"},
	})
	for _, want := range []string{
		"| `broken` | this tree |  | 24 of 24 | 4 of 5 |",
		"| `crashed` | this tree |  | ?[^1] | ? |",
		"| `broken` | ok | ok | n/a | ok | ok | **breaks**[^2] |",
		"[^1]: crashed crashes: panic: no\n",
		`[^2]: ` + "`broken`" + `, unwraps: no request: a \| b (documented: in its README)`,
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

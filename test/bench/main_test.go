package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-okru/okru/test/bench/internal/rounds"
	"github.com/go-okru/okru/test/bench/internal/subject"
)

// A quick run measures everything, writes the files, and leaves nothing behind.
func TestQuickRun(t *testing.T) {
	before := runtime.NumGoroutine()
	out := filepath.Join(t.TempDir(), "new", "folder")
	if err := run(strings.Join(sections, ","), true, out); err != nil {
		t.Fatal(err)
	}
	text := read(t, filepath.Join(out, "results.md"))
	for _, want := range []string{
		"## In short", "## Musts and goals", "## Calls", "## Over TLS", "HTTP/2 over TLS", "## Limiters", "## Growth", "## Versions",
		"whole stack", "naive signing", "azcore", "calls.svg", "golang.org/x/time v",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("results.md has no %q", want)
		}
	}
	for _, never := range []string{"%!", "NaN", "Inf"} {
		if strings.Contains(text, never) {
			t.Errorf("results.md has %q:\n%s", never, text)
		}
	}
	if svg := read(t, filepath.Join(out, "calls.svg")); !strings.HasPrefix(svg, "<svg") || !strings.Contains(svg, "whole stack") {
		t.Errorf("calls.svg is %.100q", svg)
	}
	wantGoroutines(t, before)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wantGoroutines waits for those that are about to end.
func wantGoroutines(t *testing.T, want int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	var stacks [1 << 16]byte
	n := runtime.Stack(stacks[:], true)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), want, bytes.TrimSpace(stacks[:n]))
}

func TestOneSection(t *testing.T) {
	out := t.TempDir()
	if err := run("limiters", true, out); err != nil {
		t.Fatal(err)
	}
	text := read(t, filepath.Join(out, "results.md"))
	if !strings.Contains(text, "## Limiters") || strings.Contains(text, "## Calls") || strings.Contains(text, "## Growth") {
		t.Errorf("want only the section limiters:\n%s", text)
	}
	if want := "`go -C test/bench run . -only limiters -quick`"; !strings.Contains(text, want) {
		t.Errorf("results.md does not say that %s made it", want)
	}
}

func TestUnknownSection(t *testing.T) {
	err := run("calls,nonsense", true, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Errorf("error %v; want one that names what is wrong", err)
	}
}

// Allocations are exact; times are for people to judge.
func TestAllocationsKeepTheMusts(t *testing.T) {
	pairs, err := duelPairs()
	if err != nil {
		t.Fatal(err)
	}
	allocs := func(name string) float64 {
		call, err := subject.Named(name, subject.InMemory())
		if err != nil {
			t.Fatal(err)
		}
		return leastAllocs(t, discarding(call))
	}
	d := duels{sign: rounds.Result{Allocs: leastAllocs(t, pairs[0].Subject)}}
	stack := rounds.Result{Allocs: allocs(subject.Stack), BaseAllocs: allocs(subject.Bare)}
	for _, m := range d.musts(stack) {
		if m.measured > m.must {
			t.Errorf("%s: %v, want at most %v", m.what, m.measured, m.must)
		}
	}
	if d.sign.Allocs == 0 || stack.Extra() == 0 {
		t.Errorf("%v and %v allocations; a copy of the request is one", d.sign.Allocs, stack.Extra())
	}
}

// The pages of the project and the generated files have the same figures.
func TestPagesQuoteTheResults(t *testing.T) {
	results := read(t, "results/results.md")
	for _, page := range pages {
		text := read(t, page)
		want, err := quote(text, results)
		if err != nil || want == text && !quoted.MatchString(text) {
			t.Errorf("%s: %v, or it quotes nothing", page, err)
		}
		if want != text {
			t.Errorf("%s does not quote results/results.md; it should be:\n%s", page, want)
		}
	}
	for line := range strings.Lines(read(t, "conformance/results.md")) {
		if strings.HasPrefix(line, "Of ") && !strings.Contains(read(t, "../../README.md"), strings.TrimSpace(line)) {
			t.Errorf("README does not have this line of conformance/results.md: %s", line)
		}
	}
}

func TestQuote(t *testing.T) {
	const results = "# R\n\n## A\n\none\n\n![x](y)\n\n## B\n\ntwo\n"
	got, err := quote("x\n<!-- results.md: A -->\nold\n<!-- end -->\n<!-- results.md: B -->\n<!-- end -->\n", results)
	if want := "x\n<!-- results.md: A -->\n\none\n\n<!-- end -->\n<!-- results.md: B -->\n\ntwo\n\n<!-- end -->\n"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	russian := "<!-- figures of results.md: C -->\nза 1\u00a0276 нс и 1,05\n<!-- end -->"
	got, err = quote(russian, "\n## C\n\nin 2,345,678 ns and 0.5\n")
	if want := "<!-- figures of results.md: C -->\nза 2\u00a0345\u00a0678 нс и 0,5\n<!-- end -->"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if _, err := quote(russian, "\n## C\n\n1\n"); err == nil {
		t.Error("no error for another number of figures")
	}
	if _, err := quote("<!-- results.md: C -->\n<!-- end -->", results); err == nil {
		t.Error("no error for a section that does not exist")
	}
}

// leastAllocs returns the allocations of a call that found all it needed in the
// pools. Under the race detector they lose a part of what they are given.
func leastAllocs(t *testing.T, call func() error) float64 {
	t.Helper()
	least := math.Inf(1)
	for range 100 {
		least = min(least, testing.AllocsPerRun(1, func() {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		}))
	}
	return least
}

// What the signer is measured against hashes the bytes that it signs.
func TestSignedTextIsThatOfTheCall(t *testing.T) {
	target := subject.InMemory()
	target.Base = base(func(r *http.Request) (*http.Response, error) {
		unsigned, err := http.NewRequest(http.MethodGet, target.URL, nil)
		if err != nil {
			return nil, err
		}
		sum := md5.Sum([]byte(signedText(unsigned.URL, target)))
		if sig := r.URL.Query().Get("sig"); sig != hex.EncodeToString(sum[:]) {
			t.Errorf("the signature is %s, that of the text %x", sig, sum)
		}
		return subject.Respond(http.NoBody, 0), nil
	})
	r, err := http.NewRequest(http.MethodGet, target.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := subject.Signer(target).RoundTrip(r); err != nil {
		t.Error(err)
	}
}

// base is a function as a RoundTripper.
type base func(*http.Request) (*http.Response, error)

func (f base) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestVerdicts(t *testing.T) {
	for measured, want := range map[float64]string{2: "goal met", 2.5: "must met", 3: "must met", 3.1: "missed"} {
		if got := (must{measured: measured, must: 3, goal: 2}).verdict(); got != want {
			t.Errorf("%v: %s, want %s", measured, got, want)
		}
	}
}

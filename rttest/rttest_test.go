package rttest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-okru/okru/rttest"
)

func TestSoundLayers(t *testing.T) {
	for name, kit := range map[string]rttest.Kit{
		"pass":    {Wrap: trip(pass).wrap, Verbatim: true},
		"clone":   {Wrap: trip(clone).wrap, Verbatim: true},
		"rewrite": {Wrap: trip(rewrite).wrap},
		"retry":   {Wrap: trip(retry{}.trip).wrap, Verbatim: true},
		"strict":  {Wrap: trip(strict).wrap, Verbatim: true},
		"reject":  {Wrap: trip(pass).wrap, Reject: trip(reject).wrap, Verbatim: true},
		"stall":   {Wrap: trip(pass).wrap, Stall: trip(stall).wrap, Verbatim: true},
		"panic":   {Wrap: trip(pass).wrap, Panic: trip(panics).wrap, Verbatim: true},
		"stack": {Verbatim: true, Wrap: func(next http.RoundTripper) http.RoundTripper {
			return trip(strict).wrap(trip(retry{}.trip).wrap(trip(clone).wrap(next)))
		}},
	} {
		t.Run(name, func(t *testing.T) { rttest.Run(t, kit) })
	}
	t.Run("example", agentContract)
}

// TestBrokenLayers proves that the kit sees every rule broken, and does not
// blame what is sound.
func TestBrokenLayers(t *testing.T) {
	proven := make(map[rttest.Clause]bool)
	for _, b := range slices.Concat(brokenRequests, brokenBodies, brokenResponses, brokenErrors, brokenContexts, brokenPrograms) {
		if len(b.want) == 1 {
			proven[b.want[0]] = true
		}
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.check(t)
		})
	}
	for _, c := range rttest.Clauses() {
		if !proven[c] {
			t.Errorf("no broken layer breaks only %q", c)
		}
	}
}

// broken is a layer that breaks the rules want, and no others.
type broken struct {
	name string
	kit  rttest.Kit
	want []rttest.Clause
}

func (b broken) check(t *testing.T) {
	t.Helper()
	found := rttest.Check(b.kit)
	var got []rttest.Clause
	for _, v := range found {
		got = append(got, v.Clause)
	}
	if got = slices.Compact(got); !slices.Equal(got, b.want) {
		t.Errorf("broken: %q, want %q", got, b.want)
		for _, v := range found {
			t.Log(v)
		}
	}
}

// breaks is a layer that breaks the rule c and does nothing else.
func breaks(c rttest.Clause, name string, does trip) broken {
	return broken{name, rttest.Kit{Wrap: does.wrap}, []rttest.Clause{c}}
}

func TestExcept(t *testing.T) {
	kit := rttest.Kit{
		Wrap:   trip(func(next http.RoundTripper, r *http.Request) (*http.Response, error) { return nil, nil }).wrap,
		Except: map[rttest.Clause]string{rttest.Outcome: "for the test"},
	}
	var got []rttest.Clause
	for _, v := range rttest.Check(kit) {
		got = append(got, v.Clause)
	}
	if slices.Contains(got, rttest.Outcome) {
		t.Errorf("the excepted rule is reported: %q", got)
	}
	if !slices.Contains(got, rttest.BodyClosed) {
		t.Errorf("the other rules are not reported: %q", got)
	}
}

func TestWrongKits(t *testing.T) {
	for want, kit := range map[string]rttest.Kit{
		"rttest: Kit.Wrap is nil": {},
		`rttest: Kit.Except has an unknown Clause "no such rule"`: {
			Wrap:   trip(pass).wrap,
			Except: map[rttest.Clause]string{"no such rule": "for the test"},
		},
	} {
		func() {
			defer func() {
				if p := recover(); p != want {
					t.Errorf("panic: %v, want %s", p, want)
				}
			}()
			rttest.Check(kit)
		}()
	}
}

func TestCustom(t *testing.T) {
	for _, c := range rttest.Clauses() {
		if custom := slices.Contains([]rttest.Clause{
			rttest.UninitializedRejected, rttest.BodyClosedOnce, rttest.ResponseDrained, rttest.ResponseRequest, rttest.IdleForwarded, rttest.NilHandled, rttest.ErrorBare, rttest.Unwraps,
		}, c); c.Custom() != custom {
			t.Errorf("%q: Custom: %v, want %v", c, c.Custom(), custom)
		}
	}
}

// TestEveryClauseIsReported parses this package: a rule may not be declared and
// then forgotten.
func TestEveryClauseIsReported(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "clauses.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Type == nil || len(spec.Values) != 1 {
			return true
		}
		declared++
		text, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if !slices.Contains(rttest.Clauses(), rttest.Clause(text)) {
			t.Errorf("%s is not among Clauses", spec.Names[0])
		}
		return true
	})
	if n := len(rttest.Clauses()); declared != n {
		t.Errorf("%d rules are declared and %d reported", declared, n)
	}
}

// TestRunReports runs itself in another process, where it must fail.
func TestRunReports(t *testing.T) {
	const inside = "RTTEST_REPORTS"
	if os.Getenv(inside) != "" {
		rttest.Run(t, rttest.Kit{
			Wrap:   trip(closeTwice).wrap,
			Except: map[rttest.Clause]string{rttest.Unwraps: "for the test"},
		})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRunReports$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("Run does not fail")
	}
	for _, want := range []string{
		"--- FAIL: TestRunReports/body_closed_once",
		"request 2, POST /items, next fails: the request's body was closed more than once",
		"--- SKIP: TestRunReports/unwraps",
		"--- PASS: TestRunReports/body_closed ",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in the output:\n%s", want, out)
		}
	}
}

// closeTwice closes a body that next closes as well.
func closeTwice(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	defer closeBody(r)
	return next.RoundTrip(r)
}

package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// code is a fault that answers with an API error.
func code(c okerrors.Code) oktest.Fault { return oktest.Fault{Code: c} }

// status is a fault that answers with an HTTP status, maybe with Retry-After.
func status(status int, retryAfter ...string) oktest.Fault {
	f := oktest.Fault{Status: status}
	if len(retryAfter) > 0 {
		f.Header = http.Header{"Retry-After": retryAfter}
	}
	return f
}

func afterRun(f oktest.Fault) oktest.Fault { f.AfterRun = true; return f }

// The faults, and how many attempts a read and a write that meet nothing else
// may make. A write that may have run gets one.
var faults = []struct {
	name        string
	fault       oktest.Fault
	read, write int
}{
	{"none", oktest.Fault{Method: "none"}, 1, 1},
	{"reset before run", oktest.Fault{Reset: true}, 4, 1},
	{"reset after run", oktest.Fault{Reset: true, AfterRun: true}, 4, 1},
	{"truncated response", oktest.Fault{Truncate: true}, 1, 1},
	{"slow response", oktest.Fault{Delay: 5 * time.Millisecond, Pause: 5 * time.Millisecond}, 1, 1},
	{"429", status(429), 4, 4},
	{"429, Retry-After 0", status(429, "0"), 4, 4},
	{"429, Retry-After 60", status(429, "60"), 1, 1},
	{"500", status(500), 4, 1},
	{"500 after run", afterRun(status(500)), 4, 1},
	{"502", status(502), 4, 1},
	{"502 after run", afterRun(status(502)), 4, 1},
	{"503", status(503), 4, 1},
	{"503 after run", afterRun(status(503)), 4, 1},
	{"503, Retry-After 0", status(503, "0"), 4, 4},
	{"504", status(504), 4, 1},
	{"504 after run", afterRun(status(504)), 4, 1},
	{"HTML, 200", oktest.Fault{Body: oktest.HTMLPage}, 1, 1},
	{"HTML, 200, after run", oktest.Fault{Body: oktest.HTMLPage, AfterRun: true}, 1, 1},
	{"HTML, 502, gzip", oktest.Fault{Status: 502, Body: oktest.HTMLPage, Gzip: true}, 4, 1},
	{"HTML, 500, truncated", oktest.Fault{Status: 500, Body: oktest.HTMLPage, Truncate: true}, 4, 1},
	{"transient: 1", code(okerrors.CodeUnknown), 2, 1},
	{"transient: 1 after run", afterRun(code(okerrors.CodeUnknown)), 2, 1},
	{"transient: 2", code(okerrors.CodeService), 4, 1},
	{"transient: 2 after run", afterRun(code(okerrors.CodeService)), 4, 1},
	{"transient: 31", code(okerrors.CodeNetworkTimeout), 4, 1},
	{"transient: 9999", code(okerrors.CodeSystem), 2, 1},
	{"wrong response format: 5000", code(okerrors.CodeInvalidResponse), 1, 1},
	{"throttled: 7", code(okerrors.CodeActionBlocked), 1, 1},
	{"throttled: 8", code(okerrors.CodeFloodBlocked), 4, 4},
	{"throttled: 9", code(okerrors.CodeIPBlocked), 1, 1},
	{"throttled: 11", code(okerrors.CodeLimitReached), 1, 1},
	{"throttled: 26", code(okerrors.CodeTotalLimitReached), 1, 1},
	{"session: 102", code(okerrors.CodeParamSessionExpired), 1, 1},
	{"invalid: 100", code(okerrors.CodeParam), 1, 1},
	{"invalid: 104", code(okerrors.CodeParamSignature), 1, 1},
	{"permission: 10", code(okerrors.CodePermissionDenied), 1, 1},
	{"not found: 300", code(okerrors.CodeNotFound), 1, 1},
	{"user action: 403", code(okerrors.CodeAuthLoginWebHumanCheck), 1, 1},
	{"rule: 454", code(okerrors.CodeCensorMatch), 1, 1},
	{"unknown code", code(4242), 1, 1},
}

// kinds are the ways to call.
var kinds = []struct{ httpMethod, method, name string }{
	{"GET", "users.getInfo", "read GET"}, {"POST", "users.getInfo", "read POST"},
	{"GET", "users.setStatus", "write GET"}, {"POST", "users.setStatus", "write POST"},
}

// Every fault that does not go away, with reads and writes, by GET and POST.
// Run it with -v for the table.
func TestFaultMatrix(t *testing.T) {
	for _, protocol := range []string{http1, http2} {
		t.Run(protocol, func(t *testing.T) { testFaultMatrix(t, newRig(t, protocol)) })
	}
}

func testFaultMatrix(t *testing.T, rig *rig) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "attempts, duplicates\t", "read GET\t", "read POST\t", "write GET\t", "write POST\t")
	for _, f := range faults {
		rig.server.ClearFaults()
		rig.server.Inject(f.fault)
		fmt.Fprint(w, f.name, "\t")
		for _, kind := range kinds {
			id, c := rig.call(rig.stack(), t.Context(), kind.httpMethod, kind.method)
			duplicates := max(0, rig.runs()[id]-1)
			fmt.Fprintf(w, " %d, %d\t", c.attempts, duplicates)
			want := f.read
			if kind.method == "users.setStatus" {
				want = f.write
				if duplicates > 0 {
					t.Errorf("%s, %s: ran %d times", f.name, kind.name, duplicates+1)
				}
			}
			if c.attempts != want {
				t.Errorf("%s, %s: %d attempts, want %d", f.name, kind.name, c.attempts, want)
			}
			if lost := f.fault.Reset || f.fault.Truncate; lost != (c.err != nil) {
				t.Errorf("%s, %s: outcome %d, %v", f.name, kind.name, c.status, c.err)
			}
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	t.Logf("\n%s", &table)
	if open := rig.base.open.Load(); open != 0 {
		t.Errorf("%d responses were left open", open)
	}
}

// A response that does not come in the caller's time is the end of the call.
func TestFaultMatrixTimeout(t *testing.T) {
	for _, protocol := range []string{http1, http2} {
		rig := newRig(t, protocol)
		rig.server.Inject(oktest.Fault{Delay: time.Hour, AfterRun: true})
		for _, kind := range kinds {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			_, c := rig.call(rig.stack(), ctx, kind.httpMethod, kind.method)
			cancel()
			if c.attempts != 1 || !errors.Is(c.err, context.DeadlineExceeded) {
				t.Errorf("%s, %s: %d attempts, error %v; want 1 and the context's", protocol, kind.name, c.attempts, c.err)
			}
		}
	}
}

// Writes whose first attempt meets a fault, any of them, after which all is
// well: whatever they might have done, none is done twice, and those that
// surely were not done are done once. Connections are kept between calls, so
// that a GET could be sent again by http.Transport itself.
func TestFaultedWritesRunOnce(t *testing.T) {
	for _, protocol := range []string{http1, http2} {
		t.Run(protocol, func(t *testing.T) { testFaultedWrites(t, newRig(t, protocol)) })
	}
}

func testFaultedWrites(t *testing.T, rig *rig) {
	writes := 500
	if os.Getenv("OKRU_LONG") != "" {
		writes = 10_000
	}
	var met sync.Map
	for i, f := range faults {
		f.fault.Match = func(c oktest.Call) bool {
			if c.Params.Get("fault") != strconv.Itoa(i) {
				return false
			}
			_, again := met.LoadOrStore(c.Params.Get(nonce), true)
			return !again
		}
		rig.server.Inject(f.fault)
	}
	must := make([]map[string]bool, 8) // of each worker: did it have to run?
	var workers sync.WaitGroup
	for worker := range must {
		must[worker] = make(map[string]bool)
		workers.Go(func() {
			var rt http.RoundTripper
			for i := worker; i < writes; i += len(must) {
				if rt == nil || i/len(must)%50 == 0 {
					rt = rig.stack() // before the budget is spent
				}
				n := (i / 2) % len(faults)
				id, _ := rig.call(rt, t.Context(), []string{"GET", "POST"}[i%2], "users.setStatus", "fault", strconv.Itoa(n))
				must[worker][id] = faults[n].write > 1
			}
		})
	}
	workers.Wait()
	duplicates := rig.server.Duplicates(nonce)
	if duplicates != 0 {
		t.Errorf("%d duplicates in %d faulted writes, want 0", duplicates, writes)
	}
	runs := rig.runs()
	for _, calls := range must {
		for id, must := range calls {
			if must && runs[id] != 1 {
				t.Errorf("write %s surely had not run, and was repeated, but ran %d times", id, runs[id])
			}
		}
	}
	if open := rig.base.open.Load(); open != 0 {
		t.Errorf("%d responses were left open", open)
	}
	t.Logf("%d faulted writes, %d ran, %d duplicates", writes, len(runs), duplicates)
}

// An error page is read to its end, so that its connection serves the repeat.
func TestRepeatsReuseConnections(t *testing.T) {
	for name, fault := range map[string]oktest.Fault{
		"page of 20 kB":   {Status: 503, Body: strings.Repeat("maintenance ", 20<<10/12)},
		"chunked":         {Status: 502, Body: strings.Repeat("maintenance ", 20<<10/12), Chunked: true},
		"API error":       {Code: okerrors.CodeService},
		"429, no content": {Status: 429, Body: " "},
	} {
		t.Run(name, func(t *testing.T) {
			rig := newRig(t, http1)
			rig.call(rig.stack(), t.Context(), "GET", "users.getInfo") // connects
			rig.server.Inject(fault)
			before, repeats := rig.server.Connections(), 0
			for i := range 40 {
				_, c := rig.call(rig.stack(), t.Context(), []string{"GET", "POST"}[i%2], "users.getInfo")
				repeats += c.attempts - 1
			}
			if repeats != 120 {
				t.Errorf("%d repeats, want 120", repeats)
			}
			if n := rig.server.Connections() - before; n > 2 {
				t.Errorf("%d new connections for %d repeats, want at most 2", n, repeats)
			}
		})
	}
}

package rttest

import (
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// trial is a layer over a next that follows a script, in a bubble.
type trial struct {
	kit    Kit
	rec    *recorder
	name   string
	script script
	next   *bottom
	top    http.RoundTripper
	calls  atomic.Int64
	hung   atomic.Bool // a call never returned, so its goroutine is known to be left
}

type wrapper = func(next http.RoundTripper) http.RoundTripper

// try wraps a next that follows s, and runs f with the result.
func try(k Kit, rec *recorder, name string, wrap wrapper, s script, f func(*trial)) {
	t := &trial{kit: k, rec: rec, name: name, script: s}
	bubble(func() {
		t.guard(func() {
			t.next = newBottom(s)
			t.top = wrap(t.next)
			f(t)
		})
	}, t.foundLeak)
}

// guard runs f in a goroutine, and reports if f does not come to its end: what
// Kit.Wrap calls may panic, or call FailNow of the test around.
func (t *trial) guard(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended := false
		defer func() {
			if p := recover(); p != nil {
				t.found(NoPanic, "panic outside of RoundTrip: %v", p)
			} else if !ended {
				t.found(NoPanic, "runtime.Goexit outside of RoundTrip")
			}
		}()
		f()
		ended = true
	}()
	<-done
}

// foundLeak reports goroutines that were left. That of a call that never
// returns is one, of course; and a second look at all stacks is of no use.
func (t *trial) foundLeak(creators func() []string) {
	if t.hung.Load() || t.rec.has(Goroutines) {
		return
	}
	for _, name := range creators() {
		t.found(Goroutines, "still there after the call: a goroutine started by %s", name)
	}
}

// settle waits until next and the layer have finished what needs no more time
// than next takes.
func (t *trial) settle() {
	if t.script.late {
		time.Sleep(2 * lateBy)
	}
	synctest.Wait()
}

func (t *trial) found(c Clause, format string, args ...any) {
	t.rec.add(Violation{Clause: c, Case: t.name, Detail: fmt.Sprintf(format, args...)})
}

// bubble runs f in a bubble of package synctest. If f leaves goroutines
// behind, it calls leak with a function that returns the functions that
// created them.
//
// The T is there because synctest asks for one. It reports nothing, so that
// Check needs no test around it. A data race found in the bubble is reported
// by the test that runs, all the same.
func bubble(f func(), leak func(creators func() []string)) {
	var tag string
	done := make(chan struct{})
	go func() { // which may end by Goexit, if synctest finds its T failed
		defer close(done)
		defer func() {
			if p := recover(); p != nil && !strings.Contains(fmt.Sprint(p), "deadlock") {
				panic(p)
			} else if p != nil {
				leak(func() []string { return creators(tag) })
			}
		}()
		synctest.Test(new(testing.T), func(*testing.T) {
			tag = bubbleTag()
			f()
		})
	}()
	<-done
}

// creators returns the functions that created the goroutines of the bubble
// with this tag.
func creators(tag string) []string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var names []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		header, _, _ := strings.Cut(stack, "\n")
		if m := createdBy.FindStringSubmatch(stack); m != nil && tag != "" && strings.Contains(header, tag) {
			names = append(names, m[1])
		}
	}
	if len(names) == 0 { // the runtime prints stacks in a way unknown here
		return []string{"an unknown function"}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// createdBy is how the runtime prints the function that created a goroutine.
var createdBy = regexp.MustCompile(`created by (\S+)`)

// bubbleTag returns how the runtime marks the goroutines of this bubble:
// "goroutine 7 [running, synctest bubble 3]:".
func bubbleTag() string {
	stack := make([]byte, 256)
	header, _, _ := strings.Cut(string(stack[:runtime.Stack(stack, false)]), "\n")
	if i := strings.Index(header, "synctest bubble "); i >= 0 {
		return header[i:]
	}
	return ""
}

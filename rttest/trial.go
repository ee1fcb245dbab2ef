package rttest

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing/synctest"
	"time"
)

// trial is a layer over a next that does as it is told, in a bubble.
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

// try wraps next, which does as s says, and runs f with the result.
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

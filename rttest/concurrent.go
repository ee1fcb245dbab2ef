package rttest

import (
	"context"
	"maps"
	"net/http"
	"sync"
	"time"
)

const (
	callers        = 8
	callsPerCaller = 2
)

// checkConcurrent makes many calls at once. A layer that is known to change
// requests would only be reported as a data race on top, and without the
// values of the context next cannot distinguish the calls.
func checkConcurrent(k Kit, rec *recorder) {
	if rec.has(RequestUnchanged, CopyUnchanged, ContextReaches, NoPanic) {
		return
	}
	mixed := new(recorder)
	atOnce(k, mixed, respondsSlowly(k.Response), (*call).doOwn)
	if mixed.has(Concurrent) {
		rec.addAll(mixed.list, Concurrent) // the rest is about the wrong calls
		return
	}
	rec.addAll(mixed.list, clauses...)
	atOnce(k, rec, respondsSlowly(k.Response), (*call).doWatched)
	atOnce(k, rec, once(failsDialing(), respondsSlowly(k.Response)), (*call).doWatched)
}

func atOnce(k Kit, rec *recorder, does script, do func(*call)) {
	try(k, rec, "many calls at once, "+does.name, k.Wrap, does, func(t *trial) {
		shapes := regular(k)
		var wg sync.WaitGroup
		for n := range callers {
			wg.Go(func() {
				for i := range callsPerCaller {
					do(t.newCall(context.Background(), shapes[(n+i)%len(shapes)]))
				}
			})
		}
		wg.Wait()
	})
}

// respondsSlowly takes a little time, so that calls overlap and overtake.
func respondsSlowly(response Response) script {
	at := responds(response, "")
	return script{name: "next responds slowly", run: func(a *attempt) (*http.Response, error) {
		time.Sleep(time.Duration(a.call.id*7%callers) * time.Millisecond)
		return at.run(a)
	}}
}

// doOwn checks that the call gets its own response, and nothing else.
func (c *call) doOwn() {
	c.do()
	if !c.ended() || c.resp == nil || c.resp.Body == nil {
		return
	}
	if c.resp.Header.Get(replyHeader) != "" && c.handed() == nil {
		c.found(Concurrent, "a call gets the response of another one")
	}
	_ = c.resp.Body.Close()
}

// doWatched checks all there is to check, while another goroutine reads the
// request.
func (c *call) doWatched() {
	stop := c.readAlong()
	c.do()
	if c.ended() {
		c.receive()
	}
	stop()
	c.audit()
	if c.ended() {
		c.scribble()
	}
}

// readAlong reads the request, as others may while it is in flight.
func (c *call) readAlong() (stop func()) {
	var wg sync.WaitGroup
	stopped := make(chan struct{})
	wg.Go(func() {
		for pause := 100 * time.Microsecond; ; pause *= 2 {
			c.compare("while it was in flight")
			select {
			case <-stopped:
				return
			case <-time.After(pause):
			}
		}
	})
	return func() {
		close(stopped)
		wg.Wait()
	}
}

// scribble changes the request in every way a caller may once the response's
// body was closed. The race detector reports what still reads it.
func (c *call) scribble() {
	maps.Copy(c.req.Header, http.Header{"Rttest-Scribble": {"x"}})
	c.req.URL.RawQuery = ""
	c.req.Method, c.req.Host, c.req.ContentLength = "", "", 0
	c.req.Body, c.req.GetBody = nil, nil
}

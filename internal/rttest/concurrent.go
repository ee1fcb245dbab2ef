package rttest

import (
	"context"
	"maps"
	"net/http"
	"sync"
	"time"
)

const (
	callers        = 16
	callsPerCaller = 4
)

// checkConcurrent makes many calls at once, while others read the requests.
// A layer that is known to change requests would be reported as a data race
// again, and without the values of the context the calls cannot be told apart.
func checkConcurrent(k Kit, rec *recorder) {
	if rec.has(RequestUnchanged, CopyUnchanged, ContextReaches, NoPanic) {
		return
	}
	for _, does := range []script{answersSlowly(k.Answer), once(failsDialing(), answersSlowly(k.Answer))} {
		own := &recorder{}
		try(k, own, "many calls at once, "+does.name, k.Wrap, does, func(t *trial) {
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() { t.callMany(i) })
			}
			wg.Wait()
		})
		rec.addConcurrent(own.list)
	}
}

// addConcurrent adds what was found when calls were made at once. Where they
// are mixed up, all else follows from that.
func (r *recorder) addConcurrent(list []Violation) {
	mixed := (&recorder{list: list}).has(Concurrent)
	for _, v := range list {
		if !mixed || v.Clause == Concurrent {
			r.add(v)
		}
	}
}

// answersSlowly takes a little time, so that calls overlap and overtake.
func answersSlowly(answer Answer) script {
	at := answers(answer, "")
	return script{name: "next answers slowly", run: func(a *attempt) (*http.Response, error) {
		time.Sleep(time.Duration(a.call.id*7%callers) * time.Millisecond)
		return at.run(a)
	}}
}

func (t *trial) callMany(caller int) {
	shapes := regular(t.kit)
	for i := range callsPerCaller {
		c := t.newCall(context.Background(), shapes[(caller+i)%len(shapes)])
		stop := c.readAlong()
		c.do()
		c.checkOwn()
		if c.ended() {
			c.receive()
		}
		stop()
		c.audit()
		if !c.ended() {
			return
		}
		c.scribble()
	}
}

// checkOwn checks that the answer is not one of another call.
func (c *call) checkOwn() {
	if c.ended() && c.resp != nil && c.resp.Header.Get(replyHeader) != "" && c.handed() == nil {
		c.found(Concurrent, "a call gets the answer of another one")
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

// scribble changes the request in every way a caller may once the answer's
// body was closed. The race detector sees who still reads it.
func (c *call) scribble() {
	maps.Copy(c.req.Header, http.Header{"Rttest-Scribble": {"x"}})
	c.req.URL.RawQuery = ""
	c.req.Method, c.req.Host, c.req.ContentLength = "", "", 0
	c.req.Body, c.req.GetBody = nil, nil
}

package rttest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// script is what next does with a call.
type script struct {
	name     string
	run      func(*attempt) (*http.Response, error)
	response Response // what it returns, if it does
	good     bool     // the caller must be handed the response
	late     bool     // the request's body is closed after next has returned
}

// lateBy is how long after the return of next a body is closed late.
const lateBy = time.Second

var errNext = errors.New("rttest: next fails")

// scripts returns all that next may do before it comes to an end.
func scripts(k Kit) []script {
	good := responds(k.Response, "Kit.Response")
	list := append(pausing(k), timesOut(), lateResponse(k.Response), lateError())
	for _, first := range pausing(k) {
		list = append(list, once(first, good))
	}
	good.good = true
	return append(list, good)
}

// mainScripts returns the most different of scripts, for requests that a layer
// need not accept.
func mainScripts(k Kit) []script {
	good := responds(k.Response, "Kit.Response")
	return []script{
		good, once(failsDialing(), good), once(failsReading(), good),
		responds(busy, "503"), lateError(),
	}
}

// pausing returns what may make a layer try again after a pause.
func pausing(k Kit) []script {
	return append([]script{failsReading(), failsDialing()}, otherResponses(k)...)
}

// otherResponses returns scripts that return another than the good response,
// at every attempt.
func otherResponses(k Kit) []script {
	var list []script
	for _, a := range standardResponses {
		list = append(list, responds(a, strconv.Itoa(a.Status)))
	}
	for i, a := range k.Responses {
		list = append(list, responds(a, fmt.Sprintf("number %d of Kit.Responses", i+1)))
	}
	return list
}

var standardResponses = []Response{
	{Status: http.StatusNoContent},
	{Status: http.StatusFound, Header: http.Header{"Location": {redirectedTo}}, Body: "elsewhere"},
	{Status: http.StatusNotFound, Body: "not found"},
	{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}, Body: "too many"},
	{Status: http.StatusInternalServerError, Body: "an error"},
	busy,
}

var busy = Response{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"1"}}, Body: "busy"}

// redirectedTo is on the host of the request, so that a layer that follows
// has no excuse.
const redirectedTo = "/rttest/redirected"

func responds(response Response, name string) script { return respondsWith(response, name, nil) }

// respondsWith is responds with a change to the body of the response.
func respondsWith(response Response, name string, edit func(*reply)) script {
	return script{name: "next returns " + name, response: response, run: func(a *attempt) (*http.Response, error) {
		if err := a.readBody(); err != nil {
			return nil, err
		}
		return a.respond(response, edit), nil
	}}
}

func failsReading() script {
	return script{name: "next fails", run: func(a *attempt) (*http.Response, error) {
		if err := a.readBody(); err != nil {
			return nil, err
		}
		return nil, a.fail("read")
	}}
}

func failsDialing() script {
	return script{name: "next cannot connect", run: func(a *attempt) (*http.Response, error) {
		a.closeBody()
		return nil, a.fail("dial")
	}}
}

// timesOut fails as http.Transport does when something takes too long.
func timesOut() script {
	return script{name: "next times out", run: func(a *attempt) (*http.Response, error) {
		if err := a.readBody(); err != nil {
			return nil, err
		}
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: timeout{a.fail("read")}}
	}}
}

// timeout makes a timeout of an error.
type timeout struct{ error }

func (timeout) Timeout() bool   { return true }
func (e timeout) Unwrap() error { return e.error }

// isTimeout asks err as url.Error does, for which the error has to be one
// itself.
func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}

// once does as first for the first attempt, and as then for all later ones.
func once(first, then script) script {
	return script{name: first.name + " at first", run: func(a *attempt) (*http.Response, error) {
		if a.n == 1 {
			return first.run(a)
		}
		return then.run(a)
	}}
}

// lateResponse responds before it has read the request, as servers do that do
// not need the rest.
func lateResponse(response Response) script {
	return script{name: "next responds early and closes the request late", late: true,
		run: func(a *attempt) (*http.Response, error) {
			go a.finishLate()
			return a.respond(response, nil), nil
		}}
}

func lateError() script {
	return script{name: "next fails early and closes the request late", late: true,
		run: func(a *attempt) (*http.Response, error) {
			go a.finishLate()
			return nil, a.fail("write")
		}}
}

// returnsNothing breaks the contract itself.
func returnsNothing() script {
	return script{name: "next returns nothing", run: func(a *attempt) (*http.Response, error) {
		if err := a.readBody(); err != nil {
			return nil, err
		}
		return nil, nil
	}}
}

// hangs does nothing until the context ends.
func hangs() script {
	return script{name: "next hangs", run: func(a *attempt) (*http.Response, error) {
		defer a.closeBody()
		select {
		case <-a.ctx.Done():
			return nil, endOf(a.ctx)
		case <-a.call.next.released:
			return nil, errNext
		}
	}}
}

// fail returns an error as http.Transport would, and notes that it did.
func (a *attempt) fail(op string) error {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	a.failed = errNext
	return &net.OpError{Op: op, Net: "tcp", Err: errNext}
}

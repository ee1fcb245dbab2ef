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
	name   string
	run    func(*attempt) (*http.Response, error)
	answer Answer // what it answers, if it does
	good   bool   // the caller must be handed the response
	late   bool   // the request's body is closed after next has returned
}

// lateBy is how long after the return of next a body is closed late.
const lateBy = time.Second

var errNext = errors.New("rttest: next fails")

// scripts returns all that next may do before it comes to an end.
func scripts(k Kit) []script {
	good := answers(k.Answer, "Kit.Answer")
	list := append(pausing(k), timesOut(), lateAnswer(k.Answer), lateError())
	for _, first := range pausing(k) {
		list = append(list, once(first, good))
	}
	good.good = true
	return append(list, good)
}

// mainScripts returns the most different of scripts, for requests that a layer
// need not accept.
func mainScripts(k Kit) []script {
	good := answers(k.Answer, "Kit.Answer")
	return []script{
		good, once(failsDialing(), good), once(failsReading(), good),
		answers(busy, "503"), lateError(),
	}
}

// pausing returns what may make a layer try again after a pause.
func pausing(k Kit) []script {
	return append([]script{failsReading(), failsDialing()}, otherAnswers(k)...)
}

// otherAnswers returns scripts that answer something else than the good
// answer, over and over.
func otherAnswers(k Kit) []script {
	var list []script
	for _, a := range standardAnswers {
		list = append(list, answers(a, strconv.Itoa(a.Status)))
	}
	for i, a := range k.Answers {
		list = append(list, answers(a, fmt.Sprintf("number %d of Kit.Answers", i+1)))
	}
	return list
}

var standardAnswers = []Answer{
	{Status: http.StatusNoContent},
	{Status: http.StatusFound, Header: http.Header{"Location": {redirectedTo}}, Body: "elsewhere"},
	{Status: http.StatusNotFound, Body: "not found"},
	{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}, Body: "too many"},
	{Status: http.StatusInternalServerError, Body: "an error"},
	busy,
}

var busy = Answer{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"1"}}, Body: "busy"}

// redirectedTo is on the host of the request, so that a layer that follows
// has no excuse.
const redirectedTo = "/rttest/redirected"

func answers(answer Answer, name string) script { return answersWith(answer, name, nil) }

// answersWith is answers with a change to the body of the response.
func answersWith(answer Answer, name string, edit func(*reply)) script {
	return script{name: "next answers " + name, answer: answer, run: func(a *attempt) (*http.Response, error) {
		if err := a.readBody(); err != nil {
			return nil, err
		}
		return a.answer(answer, edit), nil
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

// lateAnswer answers before it has read the request, as servers do that need
// no more of it.
func lateAnswer(answer Answer) script {
	return script{name: "next answers early and closes the request late", late: true,
		run: func(a *attempt) (*http.Response, error) {
			go a.finishLate()
			return a.answer(answer, nil), nil
		}}
}

func lateError() script {
	return script{name: "next fails early and closes the request late", late: true,
		run: func(a *attempt) (*http.Response, error) {
			go a.finishLate()
			return nil, a.fail("write")
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
	a.failed = true
	return &net.OpError{Op: op, Net: "tcp", Err: errNext}
}

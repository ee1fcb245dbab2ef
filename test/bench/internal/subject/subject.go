// Package subject has what is measured: our layers, our whole stack and its
// peers, each made ready to call the same target.
package subject

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/time/rate"
)

// A Target is what a subject calls, and with which session.
type Target struct {
	Base http.RoundTripper // sends what a subject makes of a call
	URL  string            // a call of the API with its parameters, without session and signature
	Host string            // of URL, as transport.Signer lists it

	Key, Secret string        // of the application
	Token       *oauth2.Token // of the session

	// Rate is what the limits allow, with a burst of 1.
	Rate rate.Limit
}

// Unhindered is a Rate at which no call waits. rate.Inf would do as well,
// but limiters have a short way out for it.
const Unhindered rate.Limit = 1e9

// A Call makes one call and copies the response's body to a writer.
type Call func(to io.Writer) error

// A Job is what a subject does for a call, apart from making it.
type Job int

const (
	FindsErrors  Job = 1 << iota // in a response with status 200
	Retries                      // at least after status 503
	Limits                       // the rate
	Authorizes                   // sends a session in some form
	Signs                        // as OK wants it
	SignsOAuth1                  // the signature of another protocol
	Observes                     // for traces and metrics
	HoldsAnswers                 // whole, in memory
)

var jobNames = []struct {
	job  Job
	name string
}{
	{Authorizes, "session"}, {Signs, "signature"}, {SignsOAuth1, "signature of OAuth 1"},
	{Retries, "retries"}, {Limits, "limit"}, {FindsErrors, "API errors"},
	{Observes, "tracing"}, {HoldsAnswers, "response in memory"},
}

// Has reports whether j includes all of other.
func (j Job) Has(other Job) bool { return j&other == other }

// String lists what j includes.
func (j Job) String() string {
	var names []string
	for _, n := range jobNames {
		if j.Has(n.job) {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ", ")
}

// A Subject is a way to make calls.
type Subject struct {
	Name string
	Job  Job
	Ours bool

	// Telling marks those of the short table and the chart.
	Telling bool

	// New returns a Call for t, which is ready to be made again and again by
	// one goroutine.
	New func(t Target) (Call, error)
}

// All returns the subjects, the bare client first.
func All() []Subject {
	all := []Subject{{Name: Bare, Telling: true, New: layers(func(t Target) http.RoundTripper { return t.Base })}}
	all = append(all, ours()...)
	all = append(all, peers()...)
	return append(all, clients()...)
}

// Bare is the name of an http.Client without any layer.
const Bare = "bare `http.Client`"

// Named returns the Call of the subject of that name.
func Named(name string, t Target) (Call, error) {
	for _, s := range All() {
		if s.Name == name {
			return s.New(t)
		}
	}
	return nil, fmt.Errorf("no subject is named %s", name)
}

// layers makes calls through the RoundTripper that wrap puts on t.Base.
func layers(wrap func(t Target) http.RoundTripper) func(Target) (Call, error) {
	return func(t Target) (Call, error) {
		r, err := http.NewRequest(http.MethodGet, t.URL, nil)
		if err != nil {
			return nil, err
		}
		return Through(&http.Client{Transport: wrap(t)}, r), nil
	}
}

// Through makes calls with client, all with the same request: net/http and
// every subject leave it as it is.
func Through(client *http.Client, r *http.Request) Call {
	return func(to io.Writer) error {
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		_, copyErr := io.Copy(to, resp.Body)
		return join(resp.StatusCode, copyErr, resp.Body.Close())
	}
}

// join reports what is wrong with a response, at no cost if nothing is.
func join(status int, copyErr, closeErr error) error {
	if status == http.StatusOK && copyErr == nil && closeErr == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("an answer with status %d", status), copyErr, closeErr)
}

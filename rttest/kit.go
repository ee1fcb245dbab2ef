package rttest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A Kit describes what to check. Only Wrap is required. A Kit is not changed, and
// can be used again.
//
// Wrap, Reject, Stall and Panic are called inside a bubble of [testing/synctest], anew
// for every call that is checked. Channels, timers, contexts and goroutines
// that the layer needs must be made in there, not before. The clock of the
// bubble begins at midnight UTC, 1 January 2000.
type Kit struct {
	// Wrap puts the layer, or a stack of layers, over next.
	Wrap func(next http.RoundTripper) http.RoundTripper

	// Requests build requests that the layer accepts and sends to next, with
	// the context given. One should have a body; name every kind that the
	// layer treats in its own way. Bodies must be short, and are read and
	// replaced. From these requests more are made that the layer may accept
	// or reject: without GetBody, of unknown length, uploads, HEAD, and
	// requests that net/http itself would not accept.
	// If nil, a GET and a form POST to https://example.com.
	Requests []func(ctx context.Context) *http.Request

	// Response is a response that the layer hands to its caller. The first half
	// of its body should be enough for the layer to see that.
	// If zero, a JSON object with status 200.
	Response Response

	// Responses are further responses, for instance those that the layer turns
	// into errors or that make it try again. The kit has statuses 204, 302,
	// 404, 429, 500 and 503 already.
	Responses []Response

	// Reject puts the layer over next in such a state that it rejects every
	// call by itself: an exhausted limiter, an open breaker.
	// If nil, this is not checked.
	Reject func(next http.RoundTripper) http.RoundTripper

	// Stall puts the layer over next in such a state that every call has to
	// wait for an hour or more before next is called.
	// If nil, this is not checked.
	Stall func(next http.RoundTripper) http.RoundTripper

	// Panic puts the layer over next in such a state that a function of the
	// caller's, such as a hook, panics during a call. The layer may panic as
	// well, or return an error.
	// If nil, this is not checked.
	Panic func(next http.RoundTripper) http.RoundTripper

	// Verbatim states that the layer sends URL and body as they are, so that
	// next must be given the same bytes. If false, it may add to both.
	Verbatim bool

	// Except lists rules that the layer breaks on purpose, and why. They are
	// not reported; [Run] skips them with the reason.
	// If nil, there are none.
	Except map[Clause]string
}

// A Response is a response of next.
type Response struct {
	Status int         // zero: 200
	Header http.Header // nil: none
	Body   string      // empty: none
}

// defaults checks k, and returns it with everything set that has a default.
func (k Kit) defaults() Kit {
	if k.Wrap == nil {
		panic("rttest: Kit.Wrap is nil")
	}
	for c := range k.Except {
		if !slices.Contains(clauses, c) {
			panic(fmt.Sprintf("rttest: Kit.Except has an unknown Clause %q", c))
		}
	}
	if len(k.Requests) == 0 {
		k.Requests = []func(context.Context) *http.Request{get, postForm}
	}
	if k.Response.Status == 0 && k.Response.Header == nil && k.Response.Body == "" {
		k.Response = goodResponse
	}
	return k
}

// goodResponse is longer than what a layer would read to learn what it is.
var goodResponse = Response{
	Header: http.Header{"Content-Type": {"application/json"}},
	Body:   `{"items":["` + strings.Repeat("item ", 400) + `"]}`,
}

func get(ctx context.Context) *http.Request {
	return newRequest(ctx, http.MethodGet, "https://example.com/items?page=1", nil)
}

func postForm(ctx context.Context) *http.Request {
	r := newRequest(ctx, http.MethodPost, "https://example.com/items", strings.NewReader("name=a&value=1"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func newRequest(ctx context.Context, method, url string, body io.Reader) *http.Request {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		panic("rttest: " + err.Error())
	}
	return r
}

// Run checks k by [Check] and reports every [Clause] in a subtest of its own.
// It must not be called in a bubble of [testing/synctest].
func Run(t *testing.T, k Kit) {
	t.Helper()
	found := Check(k)
	for _, c := range clauses {
		t.Run(string(c), func(t *testing.T) {
			t.Helper()
			if reason, ok := k.Except[c]; ok {
				t.Skip(reason)
			}
			for _, v := range found {
				if v.Clause == c {
					t.Errorf("%s: %s", v.Case, v.Detail)
				}
			}
		})
	}
}

// A Violation is a rule broken.
type Violation struct {
	Clause Clause // the rule
	Case   string // of what kind the request was, and what next did with it
	Detail string // what went wrong; Case and Detail are for people, and may change
}

// String returns all of v in one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s: %s", v.Clause, v.Case, v.Detail)
}

// Check checks k and returns what it found, in the order of [Clauses]; nil if
// the layer keeps every rule. What went wrong in the same way in several cases
// is reported for the first one. It takes about a second of computing.
//
// Check panics if Kit.Wrap is nil, if a function of Kit.Requests returns nil,
// or if Kit.Except has an unknown rule. A panic of the layer is a violation.
//
// A layer that never returns, or leaves goroutines behind, leaves them behind
// in the program as well. Data races are not among the results: the race
// detector reports them. Check must not be called in a bubble of
// [testing/synctest].
func Check(k Kit) []Violation {
	k = k.defaults()
	rec := &recorder{except: k.Except}
	for _, check := range []func(Kit, *recorder){
		checkCalls, checkRejection, checkPanic, checkNil, checkContext, checkUpload, checkStream,
		checkRedirect, checkUpgrade, checkChain,
		checkConcurrent, // last: what is known to be broken would race
	} {
		check(k, rec)
	}
	return rec.sorted()
}

// recorder collects violations.
type recorder struct {
	except map[Clause]string

	mu   sync.Mutex
	list []Violation
}

func (r *recorder) add(v Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := func(old Violation) bool { return old.Clause == v.Clause && old.Detail == v.Detail }
	if !slices.ContainsFunc(r.list, known) {
		r.list = append(r.list, v)
	}
}

// addAll adds the violations of these rules.
func (r *recorder) addAll(list []Violation, of ...Clause) {
	for _, v := range list {
		if slices.Contains(of, v.Clause) {
			r.add(v)
		}
	}
}

// has reports whether any of these rules is broken, excepted or not.
func (r *recorder) has(of ...Clause) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.list, func(v Violation) bool { return slices.Contains(of, v.Clause) })
}

func (r *recorder) sorted() []Violation {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []Violation
	for _, c := range clauses {
		for _, v := range r.list {
			if _, excepted := r.except[c]; v.Clause == c && !excepted {
				list = append(list, v)
			}
		}
	}
	return list
}

package rttest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// A Kit says what to check. Only Wrap is required. A Kit is not changed, and
// can be used again.
//
// Wrap, Refuse and Stall are called inside a bubble of [testing/synctest], anew
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
	// or refuse: without GetBody, of unknown length, uploads, HEAD, and
	// requests that net/http itself would not accept.
	// If nil, a GET and a form POST to https://example.com.
	Requests []func(ctx context.Context) *http.Request

	// Answer is a response that the layer hands to its caller. The first half
	// of its body should be enough for the layer to see that.
	// If zero, a JSON object with status 200.
	Answer Answer

	// Answers are further responses, for instance those that the layer turns
	// into errors or that make it try again. The kit has statuses 204, 302,
	// 404, 429, 500 and 503 already.
	Answers []Answer

	// Refuse puts the layer over next in such a state that it refuses every
	// call by itself: an exhausted limiter, an open breaker.
	// If nil, this is not checked.
	Refuse func(next http.RoundTripper) http.RoundTripper

	// Stall puts the layer over next in such a state that every call has to
	// wait for an hour or more before next is called.
	// If nil, this is not checked.
	Stall func(next http.RoundTripper) http.RoundTripper

	// Verbatim says that the layer sends URL and body as they are, so that
	// next must be given the same bytes. If false, it may add to both.
	Verbatim bool

	// Except lists rules that the layer breaks on purpose, and why. They are
	// not reported; [Run] skips them with the reason.
	// If nil, there are none.
	Except map[Clause]string
}

// An Answer is a response of next.
type Answer struct {
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
	if k.Answer.Status == 0 && k.Answer.Header == nil && k.Answer.Body == "" {
		k.Answer = goodAnswer
	}
	return k
}

// goodAnswer is longer than what a layer would read to learn what it is.
var goodAnswer = Answer{
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

package rttest

import "slices"

// A Clause is one rule of the contract. Its text names the subtest of [Run].
//
// Later versions may add rules; the names and texts of these stay.
type Clause string

// What a layer owes to the request.
const (
	// RequestUnchanged: the request is never changed, neither its fields nor
	// its URL, Header, Form or Trailer; not for a moment, since others may
	// read it, and not until the body of the response was closed.
	// [http.RoundTripper]: “RoundTrip should not modify the request, except
	// for consuming and closing the Request's Body.” Callers reuse requests,
	// and a layer above sends this one again.
	RequestUnchanged Clause = "request unchanged"

	// RequestForwarded: next is given the caller's method, host, path and
	// headers, Expect and Trailer, keys in lower case and keys without values
	// included, and a body if the caller gave one. Layers may add to the
	// query, the headers and the body, unless [Kit].Verbatim is set. [http.Header] allows all these keys, and [http.Transport] gives
	// them a meaning: “User-Agent” without a value is not sent.
	RequestForwarded Clause = "request forwarded"

	// RequestStreamed: an upload without GetBody reaches next before its body
	// has come to an end, and unread if it has “Expect: 100-continue”. Such
	// bodies are pipes that may never end, or are larger than memory;
	// [http.Transport] sends what it reads, and waits for the server's consent
	// before it reads at all (RFC 9110, section 10.1.1).
	RequestStreamed Clause = "request streamed"

	// CopyUnchanged: the copy that next was given is not changed, or used
	// again for another call, before the body of its response was closed.
	// [http.RoundTripper]: “Callers should not mutate or reuse the request
	// until the Response's Body has been closed.” The caller of next is the
	// layer.
	CopyUnchanged Clause = "copy unchanged"

	// BodyClosed: the request's body is closed on every path, also if next is
	// never called, if the context can never end, or if a function of the
	// caller's panics ([Kit].Panic). [http.RoundTripper]: “RoundTrip must always close the body,
	// including on errors.” Else files and pipes stay open.
	BodyClosed Clause = "body closed"

	// BodyFresh: only the first attempt reads Body, and every later one a
	// reader of its own from GetBody, since next may still be reading the
	// last one when it has returned ([http.RoundTripper]; Go issues 12796,
	// 26409 and 61596). A layer must not seek in Body: it may begin in the middle.
	BodyFresh Clause = "fresh body per attempt"

	// CopiesClosed: every reader that was opened by GetBody is closed. It may
	// be a file: the reason is that of [BodyClosed].
	CopiesClosed Clause = "GetBody readers closed"

	// BodyDescribed: ContentLength and GetBody are those of the Body that next
	// is given, and still there if the caller gave them ([http.Request]). The
	// first attempt sends Body, also if GetBody returns something else, as it
	// does after a layer that replaced Body only.
	// HTTP/2 sends the body of GetBody when a server rejects a stream, and
	// [http.Transport] when an idle connection turns out to be closed.
	BodyDescribed Clause = "body described"

	// TrailerKept: a trailer that the caller's body sets when it ends reaches
	// next. [http.Request].Trailer may be set while Body is read; Clone
	// copies the map too early for that.
	TrailerKept Clause = "trailer kept"
)

// What a layer owes to the response.
const (
	// Outcome: RoundTrip returns a response with a body, or an error; never
	// both and never neither. [http.RoundTripper] “must return err == nil if
	// it obtained a response”, and [http.Response].Body is “always non-nil”
	// (Go issue 10918). Callers do not close the body of a response that comes
	// with an error.
	Outcome Clause = "response or error"

	// ResponseIntact: a good response reaches the caller, with the status, the
	// headers, the bytes and the trailer that next returned, and an error in
	// the middle of its body is not hidden. [http.RoundTripper] “should not
	// attempt to interpret the response”. A trailer is set in the very
	// [http.Response] that next returned, when its body has ended.
	ResponseIntact Clause = "response intact"

	// ResponseStreamed: the response is handed over once its first bytes have
	// come, and its body is neither delayed nor read ahead without bound:
	// 1 MiB is too much. [http.Response]: “The response body is streamed on
	// demand as the Body field is read.” Events would come late, and
	// downloads fill the memory.
	ResponseStreamed Clause = "response streamed"

	// ResponseClosed: the body of every response of next is closed: by the
	// layer, or through it when the caller closes the body it was given.
	// Package net/http: “The caller must close the response body”. Otherwise its
	// connection is never free again.
	ResponseClosed Clause = "response closed"

	// ConnectionFreed: a response that the layer drops is closed before next is
	// called again for the same call. With [http.Transport].MaxConnsPerHost “on
	// limit violation, dials will block”: calls that keep one connection while
	// they wait for another end in a deadlock.
	ConnectionFreed Clause = "connection freed"

	// ResponseUpgraded: the body of a response with status 101 can be written
	// to. [http.Response].Body promises an io.Writer, and ReverseProxy of
	// net/http/httputil fails without it.
	ResponseUpgraded Clause = "upgrade writable"

	// RedirectReturned: a redirect is returned and not followed.
	// [http.RoundTripper] “should not attempt to handle higher-level protocol
	// details such as redirects”: the caller's http.Client has a policy for
	// them, and a cookie jar.
	RedirectReturned Clause = "redirect returned"
)

// What a layer owes to errors and to the context.
const (
	// ErrorKept: errors.Is finds the error that next returned, the error of the
	// request's body included. Callers look for causes through the [url.Error] of http.Client, and layers decide by
	// them what to repeat.
	ErrorKept Clause = "error kept"

	// TimeoutKept: an error that is a timeout stays one, that of a deadline
	// included. [http.Client.Do]: “The url.Error value's Timeout method will
	// report true if the request timed out.” It asks the error itself and
	// unwraps nothing, so that fmt.Errorf with %w is not enough.
	TimeoutKept Clause = "timeout kept"

	// ContextChecked: with a context that has ended already, RoundTrip returns
	// its error at once, as [http.Transport] does.
	ContextChecked Clause = "ended context rejected"

	// ContextEnds: when the context ends during the call, in next, while the
	// layer waits or while it reads a response, RoundTrip returns its error,
	// or the cause, at this very instant. [http.NewRequestWithContext]: “the
	// context controls the entire lifetime of a request and its response”.
	ContextEnds Clause = "context ends the call"

	// ContextReaches: the context that reaches next is the caller's or derived
	// from it: its values and its httptrace.ClientTrace are found, and it ends
	// with the caller's, during the call and while the body is read. The
	// reason is that of [ContextEnds].
	ContextReaches Clause = "context reaches next"

	// ContextLives: the context given to next is not ended by the layer before
	// the body of the response was closed. [http.Transport] would cut the
	// body short.
	ContextLives Clause = "context lives until close"
)

// What a layer owes to the program.
const (
	// Concurrent: many goroutines can use one RoundTripper, and each gets its
	// own response. [http.RoundTripper]: “A RoundTripper must be safe for
	// concurrent use by multiple goroutines.”
	Concurrent Clause = "concurrent use"

	// Goroutines: no goroutine outlives the call and the body of its response.
	// The caller has no means to end one, and goroutine checks of tests report
	// it as a leak.
	Goroutines Clause = "no goroutine left"

	// NoPanic: the layer does not panic, nor does a response that is closed
	// twice, which the bodies of [http.Transport] allow.
	NoPanic Clause = "no panic"
)

// Customs: net/http works without them, and its documentation does not ask for
// them. Programs work better with them. See [Clause.Custom].
const (
	// UninitializedRejected: a request without URL or Header does not make the
	// layer panic. [http.RoundTripper] forbids callers to send one, and
	// http.Client does not; [http.Transport] rejects it by an error.
	UninitializedRejected Clause = "uninitialized request rejected"

	// BodyClosedOnce: the request's body is not closed a second time. That
	// harms few bodies; it shows that two layers both believe to own it. What
	// io.Closer does at a second call is undefined.
	BodyClosedOnce Clause = "body closed once"

	// ResponseDrained: the body of a response that the layer drops is read
	// before it is closed, so that the connection can be reused ([http.Client.Do]),
	// but not without bound: 1 MiB is too much.
	ResponseDrained Clause = "dropped response drained"

	// ResponseRequest: Request of a response is the one the caller sent, as
	// [http.Transport] would set it. A copy may contain what the caller must not
	// see, and http.Client prints its URL in errors.
	ResponseRequest Clause = "response names the request"

	// IdleForwarded: [http.Client.CloseIdleConnections] reaches next. It looks
	// for a method CloseIdleConnections of the outermost RoundTripper, and
	// does nothing if there is none.
	IdleForwarded Clause = "idle connections closed"

	// NilHandled: if next returns neither a response nor an error, the layer
	// does not panic. [http.RoundTripper] forbids next to do so, and
	// http.Client turns it into an error.
	NilHandled Clause = "nil response handled"

	// ErrorBare: the layer adds no [url.Error]. http.Client adds one, and the
	// message would have the URL twice.
	ErrorBare Clause = "error bare"

	// Unwraps: the layer has a method Unwrap() http.RoundTripper that leads to
	// next, as errors have, and as [http.NewResponseController] asks of
	// writers. Without it a program cannot find the http.Transport below.
	Unwraps Clause = "unwraps"
)

var (
	rules = []Clause{
		RequestUnchanged, RequestForwarded, RequestStreamed, CopyUnchanged,
		BodyClosed, BodyFresh, CopiesClosed, BodyDescribed, TrailerKept,
		Outcome, ResponseIntact, ResponseStreamed, ResponseClosed, ConnectionFreed, ResponseUpgraded, RedirectReturned,
		ErrorKept, TimeoutKept, ContextChecked, ContextEnds, ContextReaches, ContextLives,
		Concurrent, Goroutines, NoPanic,
	}
	customs = []Clause{UninitializedRejected, BodyClosedOnce, ResponseDrained, ResponseRequest, IdleForwarded, NilHandled, ErrorBare, Unwraps}
	clauses = slices.Concat(rules, customs)
)

// Clauses returns all rules, in the order in which [Run] reports them.
func Clauses() []Clause { return slices.Clone(clauses) }

// Custom reports whether c is a custom and not a rule: net/http works without
// it, and its documentation does not ask for it.
func (c Clause) Custom() bool { return slices.Contains(customs, c) }

package rttest

import "slices"

// A Clause is one rule of the contract. Its text names the subtest of [Run].
type Clause string

// What a layer owes to the request.
const (
	// RequestUnchanged: the request is never changed, neither its fields nor
	// its URL, Header, Form or Trailer; not for a moment, since others may
	// read it, and not until the body of the response was closed.
	RequestUnchanged Clause = "request unchanged"

	// RequestForwarded: next is given the caller's method, host, path and
	// headers, Expect and Trailer included, and a body if the caller gave
	// one. Layers may add to the query, the headers and the body, unless
	// [Kit].Verbatim says that they do not.
	RequestForwarded Clause = "request forwarded"

	// CopyUnchanged: the copy that next was given is not changed, or used
	// again for another call, before the body of its response was closed.
	CopyUnchanged Clause = "copy unchanged"

	// BodyClosed: the request's body is closed on every path, also if next is
	// never called.
	BodyClosed Clause = "body closed"

	// BodyClosedOnce: it is not closed a second time. That harms few bodies;
	// it shows that two layers both believe to own it.
	BodyClosedOnce Clause = "body closed once"

	// BodyFresh: only the first attempt reads Body, and every later one a
	// reader of its own from GetBody, since next may still be reading the
	// last one. Nobody seeks in Body.
	BodyFresh Clause = "fresh body per attempt"

	// CopiesClosed: every reader that was opened by GetBody is closed.
	CopiesClosed Clause = "GetBody readers closed"

	// BodyDescribed: ContentLength and GetBody are those of the Body that next
	// is given, and still there if the caller gave them.
	BodyDescribed Clause = "body described"

	// TrailerKept: a trailer that the caller's body sets when it ends reaches
	// next. [http.Request.Clone] copies the map too early for that.
	TrailerKept Clause = "trailer kept"
)

// What a layer owes to the response.
const (
	// Outcome: RoundTrip returns a response with a body, or an error; never
	// both and never neither.
	Outcome Clause = "response or error"

	// AnswerIntact: a good response reaches the caller, with the status, the
	// headers and the bytes that next returned.
	AnswerIntact Clause = "answer intact"

	// AnswerStreamed: the response is handed over once its first bytes have
	// come, and its body is neither held back nor read ahead without bound:
	// 1 MiB is too much.
	AnswerStreamed Clause = "answer streamed"

	// AnswerClosed: the body of every response of next is closed: by the
	// layer, or through it when the caller closes the body he was given.
	AnswerClosed Clause = "answer closed"

	// AnswerDrained: the body of a response that the layer drops is read
	// before it is closed, so that the connection serves again, but not
	// without bound: 1 MiB is too much.
	AnswerDrained Clause = "dropped answer drained"

	// AnswerRequest: Request of a response is the one the caller sent. The
	// copy may hold what the caller must not see, and http.Client resolves
	// redirects and prints errors by it.
	AnswerRequest Clause = "answer names the request"

	// AnswerUpgraded: the body of a response with status 101 can be written
	// to, as net/http/httputil.ReverseProxy does.
	AnswerUpgraded Clause = "upgrade writable"

	// RedirectReturned: a redirect is returned and not followed, since that,
	// cookies included, is the business of the caller's http.Client.
	RedirectReturned Clause = "redirect returned"
)

// What a layer owes to errors and to the context.
const (
	// ErrorKept: errors.Is finds the error that next returned.
	ErrorKept Clause = "error kept"

	// ErrorBare: the layer adds no *url.Error, which http.Client will add, and
	// which prints the URL.
	ErrorBare Clause = "error bare"

	// ContextChecked: with a context that has ended already, RoundTrip returns
	// its error at once.
	ContextChecked Clause = "ended context refused"

	// ContextEnds: when the context ends during the call, in next or while the
	// layer waits, RoundTrip returns its error at this very instant.
	ContextEnds Clause = "context ends the call"

	// ContextReaches: the context that reaches next is the caller's or derived
	// from it: its values and its httptrace.ClientTrace are found, and it ends
	// with the caller's, during the call and while the body is read.
	ContextReaches Clause = "context reaches next"

	// ContextLives: the context given to next is not ended by the layer before
	// the body of the response was closed.
	ContextLives Clause = "context lives until close"
)

// What a layer owes to the program.
const (
	// IdleForwarded: http.Client.CloseIdleConnections reaches next.
	IdleForwarded Clause = "idle connections closed"

	// Unwraps: the layer has a method Unwrap() http.RoundTripper that leads to
	// next, as errors have.
	Unwraps Clause = "unwraps"

	// Concurrent: many goroutines can use one RoundTripper, and each gets its
	// own answer.
	Concurrent Clause = "concurrent use"

	// Goroutines: no goroutine outlives the call and the body of its response.
	Goroutines Clause = "no goroutine left"

	// NoPanic: the layer does not panic, not even over requests that
	// http.Transport would refuse by an error: without URL or Header.
	NoPanic Clause = "no panic"
)

var clauses = []Clause{
	RequestUnchanged, RequestForwarded, CopyUnchanged,
	BodyClosed, BodyClosedOnce, BodyFresh, CopiesClosed, BodyDescribed, TrailerKept,
	Outcome, AnswerIntact, AnswerStreamed, AnswerClosed, AnswerDrained, AnswerRequest, AnswerUpgraded, RedirectReturned,
	ErrorKept, ErrorBare,
	ContextChecked, ContextEnds, ContextReaches, ContextLives,
	IdleForwarded, Unwraps, Concurrent, Goroutines, NoPanic,
}

// Clauses returns all rules, in the order in which [Run] reports them.
func Clauses() []Clause { return slices.Clone(clauses) }

package roundtrip

// This file closes bodies. A body that is not closed keeps its connection, and one
// that is not read to its end loses it.

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// maxDrain is how much of an unwanted response is read to keep its connection, in
// bytes: more than an error page has, and less than a new connection costs.
const maxDrain = 64 << 10

// CloseRequest closes the body of r, as a RoundTripper must on every path.
func CloseRequest(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// maxWait is how long that may take: a response that does not end must not delay
// what follows it, such as a retry.
const maxWait = 50 * time.Millisecond

// Discard closes the body of a response that no caller will read. Before, it reads
// a bounded rest of the body, because net/http uses a connection again only if the
// body was read to its end.
func Discard(resp *http.Response) {
	if resp == nil || resp.Body == nil {
		return
	}
	var once sync.Once
	end := func() { once.Do(func() { resp.Body.Close() }) }
	// A Read of a body cannot be given a deadline. Closing the body ends it.
	defer time.AfterFunc(maxWait, end).Stop()
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	end()
}

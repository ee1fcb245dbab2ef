package roundtrip

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// maxDrain is how much of an unwanted answer is read to keep its connection:
// more than an error page has, less than a new connection costs.
const maxDrain = 64 << 10

// CloseRequest closes the body of r, as a RoundTripper must on every path.
func CloseRequest(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// maxWait is how long that may take: an answer that does not end must not hold
// up what it was dropped for.
const maxWait = 50 * time.Millisecond

// Discard ends an answer that nobody will read: it reads a bounded rest, so
// that the connection can serve again, and closes the body.
func Discard(resp *http.Response) {
	if resp == nil || resp.Body == nil {
		return
	}
	var once sync.Once
	end := func() { once.Do(func() { resp.Body.Close() }) }
	late := time.AfterFunc(maxWait, end) // which ends the Read
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	late.Stop()
	end()
}

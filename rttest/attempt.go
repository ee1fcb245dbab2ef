package rttest

import (
	"context"
	"net/http"
	"slices"
)

// attempt is one call of next.
type attempt struct {
	call  *call
	n     int // from 1
	req   *http.Request
	ctx   context.Context // of req, when it came
	given *snapshot       // req, when it came

	// Under call.mu:
	reply    *reply        // nil: no response, or one without a body
	answered http.Response // the response as it was, with a Header of its own
	failed   bool          // next returned errNext
	returned bool          // next returned
	outlived bool          // the context was alive when next was called, but not the caller's
}

// arrive notes that next was called with r.
func (c *call) arrive(r *http.Request) *attempt {
	c.compare("when next was called")
	c.mu.Lock()
	a := &attempt{call: c, n: len(c.attempts) + 1, req: r, ctx: r.Context(), given: take(r)}
	a.outlived = c.req.Context().Err() != nil && a.ctx.Err() == nil
	c.checkFresh(a)
	c.attempts = append(c.attempts, a)
	c.mu.Unlock()
	if r.URL != nil && r.URL.Path == redirectedTo {
		c.found(RedirectReturned, "the layer follows a redirect")
	} else {
		a.checkForwarded()
	}
	return a
}

// checkFresh checks that a has not the body of an earlier attempt. Where it is
// hidden in another body, that shows when it is read.
func (c *call) checkFresh(a *attempt) {
	used := func(old *attempt) bool { return hasBody(a.req) && same(old.given.Body, a.req.Body) }
	if slices.ContainsFunc(c.attempts, used) {
		c.stale = true
		c.found(BodyFresh, "a later attempt has the Body of an earlier one")
	}
}

// leave notes that next returns.
func (a *attempt) leave() {
	a.call.mu.Lock()
	defer a.call.mu.Unlock()
	a.returned = true
}

// checkForwarded compares what next was given with what the caller sent.
func (a *attempt) checkForwarded() {
	sent, got := a.call.before, a.req
	for _, part := range []struct {
		name string
		kept bool
	}{
		{"Method", orGet(got.Method) == orGet(sent.Method)},
		{"URL", a.keepsURL()},
		{"Host", got.Host == sent.Host},
		{"Header", contains(got.Header, sent.header)},
		{"Trailer", contains(keySet(keys(got.Trailer)), keySet(sent.trailer))},
		{"Close", got.Close == sent.Close},
		{"Body", hasBody(got) || a.call.body == nil},
	} {
		if !part.kept {
			a.call.found(RequestForwarded, "next was given another %s", part.name)
		}
	}
}

// keepsURL reports whether next was given the caller's URL. Only the query may
// be another one.
func (a *attempt) keepsURL() bool {
	sent, got := a.call.before.url, a.req.URL
	if sent == nil || got == nil {
		return sent == nil && got == nil
	}
	if a.call.kit.Verbatim && got.String() != sent.String() {
		return false
	}
	return got.Scheme == sent.Scheme && got.Host == sent.Host && got.Path == sent.Path
}

func orGet(method string) string {
	if method == "" {
		return http.MethodGet
	}
	return method
}

// contains reports whether all of part is in h.
func contains(h, part http.Header) bool {
	for key, values := range part {
		if got, ok := h[key]; !ok || !slices.Equal(got, values) {
			return false
		}
	}
	return true
}

// keySet returns a header with these keys alone, each with itself as value.
func keySet(keys []string) http.Header {
	h := make(http.Header)
	for _, key := range keys {
		h[key] = []string{key}
	}
	return h
}

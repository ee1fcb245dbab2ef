package transport

// This file hides the signed URL of a call from the httptrace.ClientTrace of its
// caller.

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
)

// A caller's httptrace.ClientTrace sees what http.Transport sends. Over HTTP/2
// the path of a request is a header field, and the path of a signed GET has the
// session and the signature.

// traceToHide returns the trace of ctx if it has hooks that see secrets, else
// nil.
func traceToHide(ctx context.Context) *httptrace.ClientTrace {
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil || trace.WroteHeaderField == nil && trace.Got1xxResponse == nil {
		return nil
	}
	return trace
}

// hideFromTrace returns r, which is to be sent for the caller's request, with a
// context in which the trace shows the path of the caller's request instead. The
// header of an interim response is given to redact first.
func hideFromTrace(trace *httptrace.ClientTrace, r, caller *http.Request, redact func(http.Header)) *http.Request {
	hidden := *trace
	if trace.WroteHeaderField != nil {
		hidden.WroteHeaderField = func(key string, value []string) {
			if key == ":path" {
				value = []string{caller.URL.RequestURI()}
			}
			trace.WroteHeaderField(key, value)
		}
	}
	if trace.Got1xxResponse != nil {
		hidden.Got1xxResponse = func(code int, header textproto.MIMEHeader) error {
			h := maps.Clone(header)
			redact(http.Header(h))
			return trace.Got1xxResponse(code, h)
		}
	}
	return r.WithContext(&traceContext{r.Context(), trace, &hidden})
}

// A traceContext is a context in which one trace replaces another. The function
// httptrace.WithClientTrace would call the hooks of both.
type traceContext struct {
	context.Context
	trace, replacement *httptrace.ClientTrace
}

// Value implements [context.Context].
func (c *traceContext) Value(key any) any {
	v := c.Context.Value(key)
	if v == any(c.trace) {
		return c.replacement
	}
	return v
}

package transport

import "net/http"

// A Middleware is a layer around a RoundTripper. The Wrap methods of [Signer]
// and [Retry], and okerrors.Decode, are Middlewares.
type Middleware func(next http.RoundTripper) http.RoundTripper

// Chain stacks mws on base. The first listed sees the request first:
//
//	Chain(base, a, b, c) = a(b(c(base)))
//
// Each middleware is applied once, now. A nil base means
// [http.DefaultTransport], and a nil Middleware is left out. Chain keeps
// neither its arguments nor their slice.
func Chain(base http.RoundTripper, mws ...Middleware) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	for i := len(mws) - 1; i >= 0; i-- {
		if mws[i] != nil {
			base = mws[i](base)
		}
	}
	return base
}

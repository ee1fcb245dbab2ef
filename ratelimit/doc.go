// Package ratelimit delays calls so that the server does not have to reject
// them.
//
// [Limit] is the layer: a [net/http.RoundTripper] that waits for a [Limiter]
// before each attempt. The limiters are
//
//   - [Bucket], for a known rate;
//   - [Adaptive], which finds the rate that the server allows;
//   - [Keyed], which has a limiter per session, method or other key;
//   - any type with the method Wait of [golang.org/x/time/rate.Limiter].
//
// OK publishes no rates. Most programs want an Adaptive per session:
//
//	ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewAdaptive(0, 0) })
//
// A call that waits in a limiter of this package costs no goroutine of its
// own, and returns as soon as its context ends. A call that a limiter rejects
// was not sent: see [ErrLimited].
package ratelimit

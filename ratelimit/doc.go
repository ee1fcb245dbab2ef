// Package ratelimit makes calls wait for their turn, so that a server does not
// have to refuse them.
//
// [Limit] is the layer: an [net/http.RoundTripper] that waits for a [Limiter]
// before each attempt. Limiters are
//
//   - [Bucket], for a known rate;
//   - [Adaptive], which finds the rate that the server allows;
//   - [Keyed], for a limiter per session, method or anything else;
//   - every other type with the method Wait of
//     [golang.org/x/time/rate.Limiter].
//
// OK publishes no rates. An Adaptive per session is what most programs want:
//
//	ratelimit.NewKeyed(0, func(string) ratelimit.Limiter { return ratelimit.NewAdaptive(0, 0) })
//
// A call that waits in a limiter of this package costs no goroutine of its own,
// and leaves as soon as its context ends. A call that is refused was not sent:
// see [ErrLimited].
package ratelimit

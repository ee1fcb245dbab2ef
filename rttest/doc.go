// Package rttest checks that an [http.RoundTripper] that wraps another one
// keeps the contract of net/http.
//
// The contract is longer than its comment in net/http: callers read a request
// while it is in flight, bodies are closed after RoundTrip has returned, a
// redirect or HTTP/2 sends a body again through GetBody, and http.Client finds
// CloseIdleConnections by a type assertion. A layer that gets one of these
// wrong works in its own tests and fails in the programs of others.
//
//	func TestContract(t *testing.T) {
//		rttest.Run(t, rttest.Kit{Wrap: mylayer.New})
//	}
//
// The layer is put over a RoundTripper that behaves as [http.Transport] does
// towards its callers, answers and fails in many ways, and remembers what it
// was given. Every call runs in a bubble of its own of [testing/synctest], so
// that hours of pauses take no time, and a call that ends late, or leaves a
// goroutine behind, is found without waiting for it. Run the tests with -race:
// the request is read by others while it is in flight, and one RoundTripper is
// used by many goroutines.
//
// Each rule is a [Clause]. [Run] reports each in a subtest of its own, and
// [Check] returns what it found, for programs that compare RoundTrippers.
package rttest

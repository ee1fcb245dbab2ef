// Package rttest checks that an [http.RoundTripper] that wraps another one, a
// layer, keeps the contract of net/http.
//
// The contract is longer than its comment in net/http: callers read a request
// while it is in flight, bodies are closed after RoundTrip has returned, a
// redirect or HTTP/2 sends a body again through GetBody, and http.Client finds
// CloseIdleConnections by a type assertion. A layer that gets one of these
// wrong works in its own tests and fails in the programs of others.
//
//	func TestContract(t *testing.T) {
//		rttest.Run(t, rttest.Kit{
//			Wrap: func(next http.RoundTripper) http.RoundTripper { return &mylayer.Transport{Base: next} },
//		})
//	}
//
// Each rule is a [Clause], whose comment gives the reason and the source.
// [Run] reports each in a subtest of its own, and [Check] returns what it
// found, for programs that compare RoundTrippers. A rule that a layer breaks
// on purpose is named, with the reason, in [Kit].Except; some are customs,
// as [Clause.Custom] reports.
//
// # How it works
//
// The layer is put over a RoundTripper, next, that behaves as [http.Transport]
// does towards its callers, responds and fails in many ways, and records what
// it was given. Every call runs in a bubble of its own of [testing/synctest],
// so that hours of pauses take no time, and a call that ends late, or leaves a
// goroutine behind, is found without waiting for it.
//
// Run the tests with -race: the request is read by others while it is in
// flight, and one RoundTripper is used by many goroutines.
//
// # What it does not check
//
//   - What the layer is for: that it repeats, signs or caches what it should.
//   - What goes over the wire. There is no network; next stands for one.
//   - RoundTrippers without a next, such as [http.Transport] itself.
//   - [http.Request].Cancel, which is deprecated.
//   - Speed, and memory, apart from bodies that are read into it.
//   - Data races without -race.
//
// A layer that makes requests of its own, such as for a token, needs a fake for
// them that responds without a network. Time stands still in a bubble that waits
// for a network, and also while a goroutine waits for a mutex: a test of a layer
// that holds one while it waits for next or a timer never ends.
package rttest

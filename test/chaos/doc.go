// Package chaos runs the whole stack of okru for a while, through everything
// that can go wrong between a program and the service, and checks that it
// keeps its promises.
//
// Thousands of callers on behalf of several users call the fake of package
// oktest over TCP and TLS, by three clients that differ in their limits, and
// with sessions from each kind of source. Between them and the server stands
// a [proxy] that breaks connections, the server itself answers errors, and
// sessions end. What goes wrong when follows from a seed; see [schedule].
// Which of the calls under way are hit does not: that is left to chance and
// to the machine.
//
// Nothing is exported. TestSoak runs it:
//
//	go test -run Soak -v .                            # a few seconds
//	OKRU_SOAK=3m go test -run Soak -v -timeout 10m .  # minutes
//
// # Why a proxy of our own
//
// The proxy to use would be github.com/Shopify/toxiproxy/v2. Embedded in a
// test at v2.5.0, with 30 clients and 60 toxics added and removed, it left
// goroutines behind in three runs out of three, and in one of them the removal
// of a slicer never returned. A test for leaks cannot stand on that. It also
// decides once per connection, where we want each piece of data to take its
// chance, and needs 15 more modules.
package chaos

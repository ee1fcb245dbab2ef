package chaos

import (
	"math/rand/v2"
	"sync/atomic"
)

// A kind is one way in which things go wrong.
type kind int

// The kinds of trouble.
const (
	// On the network, see link.
	latency     kind = iota // data comes late, by varying times
	trickle                 // little bandwidth
	slicing                 // data comes in small pieces
	resetBefore             // a TCP reset, and what the client sent is lost
	resetAfter              // a TCP reset, and what the server sent is lost
	silence                 // half open: the connection stays, nothing passes
	truncation              // the connection ends within what the server sent
	garbage                 // no TLS at the other end
	impostor                // TLS with a certificate that does not verify
	noName                  // DNS fails
	restart                 // the listener is gone, all connections are cut

	// In responses, see service.
	status429  // with Retry-After: 1
	status503  // with Retry-After: 1
	longWait   // 429 with Retry-After: 4, which is beyond most deadlines
	hugeWait   // 429 with a Retry-After of centuries, to the calls of one user
	otherHost  // 429 with a Retry-After of centuries, from a host that is not the API's
	wrongWait  // 429 or 503 with a Retry-After that means nothing
	code1      // UNKNOWN, before or after the method ran
	code2      // SERVICE, before or after
	code8      // FLOOD_BLOCKED
	code9      // IP_BLOCKED
	page502    // HTML, before or after
	cutAnswer  // the body ends in the middle
	lateAnswer // half a second late, after the method ran
	lateChunk  // the second half of the body comes 200 ms after the first
	goAway     // HTTP/2: the server sends GOAWAY; HTTP/1.1: it closes the connection
	limit      // the server allows a part of the calls only

	// With sessions.
	revocation  // code 103 from now on
	expiry      // code 102
	replacement // code 107, with new keys
	slowRenewal // the token endpoint takes a second
	noRenewal   // the token endpoint answers 502
	cutRenewal  // the token endpoint resets, after a session was made
	rotation    // each renewal replaces the refresh token
	kinds       = iota
)

// outlook is the name of each kind, and how likely it is at its worst, in a
// thousand: for each piece of data, connection, call or renewal. 0: it just
// happens, once.
var outlook = [kinds]struct {
	name  string
	worst int32
}{
	latency:     {"latency and jitter", 400},
	trickle:     {"low bandwidth", 300},
	slicing:     {"sliced data", 300},
	resetBefore: {"reset before the request arrived", 100},
	resetAfter:  {"reset after the request arrived", 150},
	silence:     {"half-open connection", 60},
	truncation:  {"connection cut within a response", 120},
	garbage:     {"garbage instead of TLS", 500},
	impostor:    {"wrong certificate", 500},
	noName:      {"DNS failure", 700},
	restart:     {"server restart", 0},
	status429:   {"429 with Retry-After", 250},
	status503:   {"503 with Retry-After", 250},
	longWait:    {"429 with a long Retry-After", 20},
	hugeWait:    {"429 that asks one user to wait for centuries", 300},
	otherHost:   {"429 of another host that asks to wait for centuries", 200},
	wrongWait:   {"429 or 503 with a meaningless Retry-After", 70},
	code1:       {"code 1, before or after the call ran", 150},
	code2:       {"code 2, before or after the call ran", 150},
	code8:       {"code 8", 200},
	code9:       {"code 9", 200},
	page502:     {"HTML page with 502, before or after", 150},
	cutAnswer:   {"truncated body", 150},
	lateAnswer:  {"response half a second late", 200},
	lateChunk:   {"late chunk", 250},
	goAway:      {"connection closed after a response", 250},
	limit:       {"limit of the server", 0},
	revocation:  {"session revoked", 0},
	expiry:      {"session expired", 0},
	replacement: {"session replaced", 0},
	slowRenewal: {"token endpoint slow", 700},
	noRenewal:   {"token endpoint failing", 700},
	cutRenewal:  {"token endpoint resets after the exchange", 500},
	rotation:    {"refresh token replaced", certain},
}

func (k kind) String() string { return outlook[k].name }

// A weather is what goes wrong just now. The zero weather is calm. It is safe
// for concurrent use.
type weather struct {
	odds [kinds]atomic.Int32 // in a thousand
	hits [kinds]atomic.Int64 // how often it happened
	due  [kinds]atomic.Bool  // it ends as soon as it has happened
}

// set makes k happen from now on with these odds in a thousand.
func (w *weather) set(k kind, odds int32) {
	w.due[k].Store(false)
	w.odds[k].Store(odds)
}

// end ends k, or lets it happen once more if it never has: what it is about,
// such as a renewal, may not have come up.
func (w *weather) end(k kind) {
	if w.hits[k].Load() > 0 {
		w.odds[k].Store(0)
		return
	}
	w.due[k].Store(true)
	w.odds[k].Store(certain)
}

// certain are the odds of what happens each time.
const certain = 1000

// calm ends all trouble.
func (w *weather) calm() {
	for k := range w.odds {
		w.odds[k].Store(0)
	}
}

// strikes reports whether k happens this time, and counts it.
func (w *weather) strikes(k kind) bool {
	odds := w.odds[k].Load()
	if odds == 0 || rand.Int32N(certain) >= odds {
		return false
	}
	if w.due[k].CompareAndSwap(true, false) {
		w.odds[k].Store(0)
	}
	w.hits[k].Add(1)
	return true
}

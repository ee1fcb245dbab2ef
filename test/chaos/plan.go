package chaos

import (
	"time"

	"github.com/go-okru/okru/transport"
)

// A plan is what a soak does.
type plan struct {
	seed     uint64
	http2    bool          // the protocol of the clients; false: HTTP/1.1
	length   time.Duration // of the trouble
	schedule []change
	callers  int
	people   int
	trial    int    // how many calls each of a few callers makes before the trouble
	dir      string // of session files

	deadline time.Duration // the longest that a call may take
	slack    time.Duration // what it may take beyond that
	recovery time.Duration // that it may take after the trouble until all is well
	patience time.Duration // with connections and goroutines that are about to end

	// Layers above the client's stack and below it, to break it by; nil: none.
	above, below transport.Middleware
}

// newPlan returns the plan for a soak of this length: what goes wrong follows
// from seed.
func newPlan(seed uint64, length time.Duration, dir string) plan {
	return plan{
		seed:     seed,
		length:   length,
		schedule: schedule(seed, length),
		callers:  2000,
		people:   4*ways + 1, // the last one gets hugeWait
		trial:    5,
		dir:      dir,
		deadline: 5 * time.Second,
		slack:    time.Minute,
		recovery: 30 * time.Second,
		patience: 15 * time.Second,
	}
}

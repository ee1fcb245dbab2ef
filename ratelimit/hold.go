package ratelimit

import "time"

const (
	minPause = 50 * time.Millisecond
	maxPause = 10 * time.Minute

	// patience is how long the others wait for the answer of a call that went
	// alone, in case nobody ever tells.
	probeTimeout  = time.Second
	maxRetryAfter = maxPause

	// startReserve is the pause after the first refusal of all.
	startReserve = 400 * time.Millisecond
)

// A hold keeps everybody back for a while, and then lets one call go alone.
type hold struct {
	on    bool
	until time.Time     // when the call that goes alone may go
	told  time.Time     // the part of it that the server asked for
	pause time.Duration // the last one that nobody asked for
}

// tell holds everybody back for as long as the server says.
func (h *hold) tell(now time.Time, wait time.Duration) {
	h.on = true
	h.told = later(h.told, now.Add(wait))
	h.until = later(h.until, h.told)
}

// grow holds everybody back for one and a half times as long as the last time,
// so that an outage seems to last half longer than it does, at most.
func (h *hold) grow(now time.Time) {
	h.on = true
	h.pause = min(max(h.pause+h.pause/2, minPause), maxPause)
	h.until = later(h.until, now.Add(h.pause))
}

// isAlone reports whether a call sent then is the one that went alone.
func (h *hold) isAlone(sent time.Time) bool { return h.on && !sent.Before(h.until) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
